# What may go.

# choose_doomed DAILY MONTHLY: reads "YYYYMMDD FILE", the newest first; prints the names of those that may go.
# The newest DAILY dates stay (all files of such a date). Of older ones the newest date of each of MONTHLY months stays.
choose_doomed() {
    awk -v daily="$1" -v monthly="$2" '
        {
            date = $1
            name = substr($0, 10)
            if (date != last) {
                last = date
                dates++
                keep = 0
                if (dates <= daily) {
                    keep = 1
                } else {
                    month = substr(date, 1, 6)
                    if (month != last_month && months < monthly) {
                        keep = 1
                        months++
                    }
                    last_month = month
                }
            }
            if (!keep) print name
        }
    '
}

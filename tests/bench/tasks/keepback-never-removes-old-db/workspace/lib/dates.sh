# Names and their dates. A backup is called NAME-YYYYMMDD.tar.

# is_date YYYYMMDD: whether the month and the day can be right.
is_date() {
    case $1 in
        [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]) ;;
        *) return 1 ;;
    esac
    rest=${1#????}
    month=${rest%??}
    day=${rest#??}
    [ "$month" -ge 1 ] && [ "$month" -le 12 ] && [ "$day" -ge 1 ] && [ "$day" -le 31 ]
}

# date_of FILE: prints the date in a name; fails where it is no backup.
date_of() {
    stem=${1%.tar}
    [ "$stem" != "$1" ] || return 1
    stamp=${stem#*-}
    [ "$stamp" != "$stem" ] || return 1
    is_date "$stamp" || return 1
    printf '%s\n' "$stamp"
}

# list_backups FOLDER: lines "YYYYMMDD FILE", the newest first.
list_backups() {
    for path in "$1"/*.tar; do
        [ -f "$path" ] || continue
        name=${path##*/}
        if stamp=$(date_of "$name"); then
            printf '%s %s\n' "$stamp" "$name"
        fi
    done | sort -r
}

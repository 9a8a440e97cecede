# A line of the common log format as tab-separated fields: host, hour, method, path, status, bytes.
# host - - [01/Mar/2024:20:15:00 +0000] "GET /path?query HTTP/1.1" 200 1234
{
    line = $0
    if (!match(line, /\[[^]]*\]/)) next
    stamp = substr(line, RSTART + 1, RLENGTH - 2)
    split(stamp, time, ":")
    rest = substr(line, RSTART + RLENGTH)
    if (!match(rest, /"[^"]*"/)) next
    request = substr(rest, RSTART + 1, RLENGTH - 2)
    if (split(request, words, " ") < 2) next
    path = words[2]
    sub(/\?.*$/, "", words[2])
    count = split(substr(rest, RSTART + RLENGTH), tail, " ")
    if (count < 2) next
    bytes = tail[2] == "-" ? 0 : tail[2]
    printf "%s\t%s\t%s\t%s\t%s\t%s\n", $1, time[2], words[1], path, tail[1], bytes
}

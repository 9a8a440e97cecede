# Good requests by page: count, size of all, path. Needs size.awk.
$5 >= 200 && $5 < 400 && $3 == "GET" {
    count[$4]++
    bytes[$4] += $6
}
END {
    for (path in count) printf "%d\t%s\t%s\n", count[path], human(bytes[path]), path
}

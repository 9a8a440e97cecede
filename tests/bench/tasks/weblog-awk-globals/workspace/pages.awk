# Good requests by page: count, size of all, path. Needs size.awk.
$5 >= 200 && $5 < 400 && $3 == "GET" {
    count[$4]++
    bytes[$4] += $6
}
END {
    for (path in count) {
        unit = count[path] > 1 ? "times" : "time"
        size = human(bytes[path])
        printf "%d\t%s\t%s\t%s\n", count[path], size, path, unit
    }
}

# Requests that went wrong, by status: count and the first path.
$5 >= 400 {
    if (!($5 in count)) {
        order[++kinds] = $5
        first[$5] = $4
    }
    count[$5]++
}
END {
    for (i = 1; i <= kinds; i++) printf "%s %4d %s\n", order[i], count[order[i]], first[order[i]]
}

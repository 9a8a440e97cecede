# Requests for each hour that has any, with a bar.
{ count[$2]++ }
END {
    for (hour = 0; hour < 24; hour++) {
        name = sprintf("%02d", hour)
        if (!(name in count)) continue
        bar = ""
        for (i = 0; i < count[name]; i++) bar = bar "#"
        printf "%s %4d %s\n", name, count[name], bar
    }
}

# human(bytes): a size for people, at most four characters and a unit.
function human(bytes,    units, unit) {
    split("B K M G", units, " ")
    unit = 1
    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024
        unit++
    }
    return unit == 1 ? bytes units[unit] : sprintf("%.1f%s", bytes, units[unit])
}

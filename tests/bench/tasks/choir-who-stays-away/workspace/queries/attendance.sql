-- Per active singer: name, rehearsals that they came to, rehearsals that they could come to. By name.
SELECT
    active.name,
    COUNT(attendance.rehearsal) AS came,
    COUNT(expected.rehearsal) AS could
FROM active
LEFT JOIN expected ON expected.singer = active.id
LEFT JOIN attendance ON attendance.singer = active.id AND attendance.rehearsal = expected.rehearsal
GROUP BY active.id
ORDER BY active.name;

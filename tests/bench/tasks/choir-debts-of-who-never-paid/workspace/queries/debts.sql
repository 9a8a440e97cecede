-- Active singers who paid less than 6000 cents in 2024, with what is missing. The largest debt first, then by name.
SELECT active.name, 6000 - COALESCE(SUM(fee.cents), 0) AS missing
FROM active
LEFT JOIN fee ON fee.singer = active.id
WHERE fee.year = 2024
GROUP BY active.id
HAVING missing > 0
ORDER BY missing DESC, active.name;

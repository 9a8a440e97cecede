-- Per person: the deposit that we hold. Only people with any.
SELECT person, SUM(deposit) AS held FROM out_now GROUP BY person HAVING held > 0 ORDER BY person;

CREATE VIEW out_now AS
SELECT lending.id, tool.label, lending.person, lending.from_day, tool.deposit
FROM lending
JOIN tool ON tool.id = lending.tool
WHERE lending.until_day IS NULL;

CREATE VIEW lending_days AS
SELECT
    lending.tool,
    lending.person,
    CAST(julianday(lending.until_day) - julianday(lending.from_day) AS INTEGER) + 1 AS days
FROM lending
WHERE lending.until_day IS NOT NULL;

-- Per tool: label, how often it was lent, days in all (of those that came back). Most lent first.
SELECT
    tool.label,
    (SELECT COUNT(*) FROM lending WHERE lending.tool = tool.id) AS times,
    (SELECT COALESCE(SUM(days), 0) FROM lending_days WHERE lending_days.tool = tool.id) AS days
FROM tool
ORDER BY times DESC, tool.label;

-- Per owner: their tools, as one text, sorted.
SELECT owner, group_concat(label, ', ')
FROM (SELECT owner, label FROM tool ORDER BY owner, label)
GROUP BY owner
ORDER BY owner;

INSERT INTO tool (id, label, owner, deposit) VALUES
    (1, 'drill', 'Ada', 2000), (2, 'ladder', 'Bo', 0), (3, 'saw', 'Ada', 1500);
INSERT INTO lending (tool, person, from_day, until_day) VALUES
    (1, 'Tim', '2024-03-01', '2024-03-03'),
    (1, 'Eva', '2024-03-10', NULL),
    (2, 'Eva', '2024-03-05', NULL),
    (3, 'Tim', '2024-02-28', '2024-03-01');

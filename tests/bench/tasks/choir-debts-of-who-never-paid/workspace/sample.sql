INSERT INTO singer VALUES
    (1, 'Ada', 'alto', '2023-01-01', NULL),
    (2, 'Bo', 'bass', '2024-01-15', NULL),
    (3, 'Cleo', 'soprano', '2022-01-01', '2024-01-10'),
    (4, 'Dan', 'bass', '2024-06-01', NULL);
INSERT INTO rehearsal VALUES (1, '2024-01-08', 'Bach'), (2, '2024-01-15', 'Bach'), (3, '2024-01-22', 'Brahms');
INSERT INTO attendance VALUES (1, 1), (1, 3), (2, 2), (3, 1);
INSERT INTO fee VALUES (1, 2024, 6000), (2, 2024, 1000), (2, 2024, 2000), (2, 2023, 9000);

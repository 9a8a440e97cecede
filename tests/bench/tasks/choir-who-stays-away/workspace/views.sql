-- Each rehearsal that a singer could come to: between joining and leaving, both days included.
CREATE VIEW expected AS
SELECT singer.id AS singer, rehearsal.id AS rehearsal, rehearsal.day
FROM singer
JOIN rehearsal ON rehearsal.day >= singer.joined AND (singer.left_on IS NULL OR rehearsal.day <= singer.left_on);

-- Singers who have not left.
CREATE VIEW active AS
SELECT * FROM singer WHERE left_on IS NULL;

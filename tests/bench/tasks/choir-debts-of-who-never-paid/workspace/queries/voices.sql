-- Active singers per voice, all four voices, the highest first.
WITH voices (voice, place) AS (VALUES ('soprano', 1), ('alto', 2), ('tenor', 3), ('bass', 4))
SELECT voices.voice, COUNT(active.id)
FROM voices
LEFT JOIN active USING (voice)
GROUP BY voices.voice
ORDER BY voices.place;

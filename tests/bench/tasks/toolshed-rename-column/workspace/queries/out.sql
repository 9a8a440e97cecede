-- What is out, the longest first: label, person, since.
SELECT label, person, from_day FROM out_now ORDER BY from_day, label;

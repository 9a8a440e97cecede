CREATE TABLE singer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    voice TEXT NOT NULL CHECK (voice IN ('soprano', 'alto', 'tenor', 'bass')),
    joined TEXT NOT NULL,   -- YYYY-MM-DD
    left_on TEXT            -- NULL: still there
);

CREATE TABLE rehearsal (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL
);

CREATE TABLE attendance (
    singer INTEGER NOT NULL REFERENCES singer (id),
    rehearsal INTEGER NOT NULL REFERENCES rehearsal (id),
    PRIMARY KEY (singer, rehearsal)
);

CREATE TABLE fee (
    singer INTEGER NOT NULL REFERENCES singer (id),
    year INTEGER NOT NULL,
    cents INTEGER NOT NULL,
    PRIMARY KEY (singer, year, cents)
);

CREATE TABLE tool (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL,
    owner TEXT NOT NULL,
    deposit INTEGER NOT NULL DEFAULT 0   -- cents
);

CREATE TABLE lending (
    id INTEGER PRIMARY KEY,
    tool INTEGER NOT NULL REFERENCES tool (id),
    person TEXT NOT NULL,
    from_day TEXT NOT NULL,              -- YYYY-MM-DD
    until_day TEXT                       -- NULL: not back yet
);

CREATE INDEX lending_by_tool ON lending (tool, from_day);

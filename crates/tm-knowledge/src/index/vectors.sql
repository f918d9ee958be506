-- Which model made the vectors. One row, or none when there are none.
CREATE TABLE embedder (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    model TEXT NOT NULL,
    -- What tells it from others of that name.
    identity TEXT NOT NULL,
    dimensions INTEGER NOT NULL
) STRICT;

-- By the SHA-256 of the text that was read, so that what is read again keeps its vector.
CREATE TABLE vector (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    -- A scale, and a byte for each dimension.
    numbers BLOB NOT NULL
) STRICT;

CREATE TABLE embedded (
    chunk INTEGER PRIMARY KEY REFERENCES chunk ON DELETE CASCADE,
    vector INTEGER NOT NULL REFERENCES vector
) STRICT;

CREATE INDEX embedded_vector ON embedded (vector);

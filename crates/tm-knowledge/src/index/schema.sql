CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    licence TEXT,
    origin TEXT,
    added_s INTEGER NOT NULL,
    -- When all of it was read last; null when that was never finished.
    read_s INTEGER
) STRICT;

CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    language TEXT,
    modified_s INTEGER,
    -- SHA-256 of the file.
    hash TEXT NOT NULL,
    -- What was read, in UTF-8. A blob, because chunks count its bytes.
    text BLOB NOT NULL,
    UNIQUE (source, path)
) STRICT;

-- Ids are never given twice: an old citation leads to its chunk or to nothing.
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    headings TEXT NOT NULL,
    hash TEXT NOT NULL,
    fingerprint INTEGER NOT NULL
) STRICT;

CREATE INDEX chunk_document ON chunk (document);

-- bm25() has k1 = 1.2 and b = 0.75.
CREATE VIRTUAL TABLE words USING fts5 (
    title, text,
    content = '', contentless_delete = 1,
    tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER chunk_is_gone AFTER DELETE ON chunk BEGIN
    DELETE FROM words WHERE rowid = old.id;
END;

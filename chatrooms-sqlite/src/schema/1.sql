CREATE TABLE chatrooms_migrations (
    version INTEGER PRIMARY KEY,
    applied_at INTEGER NOT NULL
) STRICT;

-- One row for each life that has been written to; it goes with the last of the life's messages.
CREATE TABLE chatrooms_lives (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL,
    epoch BLOB NOT NULL UNIQUE,
    -- The process that began it.
    boot BLOB NOT NULL,
    -- Everything up to this number has been trimmed.
    trimmed INTEGER NOT NULL DEFAULT 0,
    -- It has ended, and what is left of it is being removed.
    closed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE chatrooms_messages (
    life INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT,
    name TEXT,
    body TEXT NOT NULL,
    data TEXT,
    nonce TEXT,
    redacted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (life, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX chatrooms_nonces ON chatrooms_messages (life, author, nonce) WHERE nonce IS NOT NULL;

CREATE INDEX chatrooms_redactions ON chatrooms_messages (life, seq) WHERE redacted = 1;

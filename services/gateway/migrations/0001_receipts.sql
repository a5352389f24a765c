-- An index of the receipts in the journal, whose place there is `seq`. It can be deleted at any time while the gateway is
-- stopped, and is made anew from the journal. Times are milliseconds since 1970, money is nano-dollars.
CREATE TABLE receipts (
    seq          INTEGER PRIMARY KEY,
    run_id       TEXT NOT NULL,
    ts           INTEGER NOT NULL,
    status       TEXT NOT NULL,
    agent        TEXT,
    agent_run_id TEXT,
    budget       TEXT,
    service      TEXT,
    model        TEXT,
    provider     TEXT,
    cost_state   TEXT NOT NULL,
    cost_nanousd INTEGER,
    input        INTEGER NOT NULL,
    output       INTEGER NOT NULL,
    cache_read   INTEGER NOT NULL,
    cache_write  INTEGER NOT NULL,
    reasoning    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX idx_receipts_run_id ON receipts (run_id);
CREATE INDEX idx_receipts_ts ON receipts (ts);

-- Up to where the journal is in the index, and of which life of the journal.
CREATE TABLE followed (
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL
) STRICT;

INSERT INTO followed VALUES (0, 0);

-- The history of alerts. `seq` is never used twice, so that whoever publishes them can go on from a number.
CREATE TABLE alerts (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id     TEXT    NOT NULL UNIQUE,
    alert_type   TEXT    NOT NULL,
    severity     TEXT    NOT NULL,
    service_id   TEXT,
    service_name TEXT    NOT NULL,
    missed_beats INTEGER NOT NULL,
    last_seen_ms INTEGER,
    action       TEXT    NOT NULL,
    ts_ms        INTEGER NOT NULL,
    acked        INTEGER NOT NULL DEFAULT 0,
    message      TEXT,
    details      TEXT,
    -- The registry's transition that it is about. A registry that lost its database may count anew, so a number alone
    -- doesn't say which transition is meant; with its time it does.
    source_seq   INTEGER,
    UNIQUE (source_seq, ts_ms, alert_type)
) STRICT;

CREATE INDEX idx_alerts_ts ON alerts (ts_ms);

-- Up to where the registry's history was read. It moves in the transaction that stores what was read.
CREATE TABLE follow (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    cursor INTEGER NOT NULL
) STRICT;

INSERT INTO follow VALUES (1, 0);

-- The latest changes of status of services, as a JSON array of milliseconds since 1970.
CREATE TABLE flapping (
    service_id     TEXT    PRIMARY KEY,
    changes        TEXT    NOT NULL,
    said           INTEGER NOT NULL,
    last_change_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE mutes (
    service    TEXT,
    alert_type TEXT,
    severity   TEXT,
    until_ms   INTEGER NOT NULL
) STRICT;

-- The services on the list. The columns up to `load` and the three indexes are the contract of the first users; what
-- follows is the registry's own. Times are milliseconds since 1970.
CREATE TABLE services (
    service_id           TEXT PRIMARY KEY,
    name                 TEXT NOT NULL,
    type                 TEXT NOT NULL CHECK (type IN ('model', 'tool', 'agent', 'service')),
    role                 TEXT NOT NULL,
    url                  TEXT,
    caps                 TEXT NOT NULL,
    labels               TEXT NOT NULL,
    ctx_limit            INTEGER,
    cost_hint_usd_per_1k REAL,
    heartbeat_interval_s INTEGER NOT NULL DEFAULT 60,
    ttl_s                INTEGER NOT NULL DEFAULT 90,
    status               TEXT NOT NULL CHECK (status IN ('ok', 'degraded', 'down')),
    last_heartbeat_ts    INTEGER NOT NULL,
    registered_at        INTEGER NOT NULL,
    p95_ms               REAL,
    queue_depth          INTEGER,
    load                 REAL,
    lease_id             TEXT NOT NULL,
    boot_id              TEXT,
    paused               INTEGER NOT NULL,
    missed_beats         INTEGER NOT NULL,
    reported_status      TEXT NOT NULL,
    reported_reason      TEXT,
    reachability         TEXT NOT NULL,
    probe_answered       INTEGER NOT NULL,
    probe_latency_ms     REAL,
    probe_reason         TEXT
) STRICT;

CREATE INDEX idx_services_name_role ON services (name, role);
CREATE INDEX idx_services_type_role ON services (type, role);
CREATE INDEX idx_services_status ON services (status);

-- Services that are gone, as they were at their end, and since when and why.
CREATE TABLE tombstones (
    service_id           TEXT PRIMARY KEY,
    name                 TEXT NOT NULL,
    type                 TEXT NOT NULL,
    role                 TEXT NOT NULL,
    url                  TEXT,
    caps                 TEXT NOT NULL,
    labels               TEXT NOT NULL,
    ctx_limit            INTEGER,
    cost_hint_usd_per_1k REAL,
    heartbeat_interval_s INTEGER NOT NULL,
    ttl_s                INTEGER NOT NULL,
    status               TEXT NOT NULL,
    last_heartbeat_ts    INTEGER NOT NULL,
    registered_at        INTEGER NOT NULL,
    p95_ms               REAL,
    queue_depth          INTEGER,
    load                 REAL,
    lease_id             TEXT NOT NULL,
    boot_id              TEXT,
    paused               INTEGER NOT NULL,
    missed_beats         INTEGER NOT NULL,
    reported_status      TEXT NOT NULL,
    reported_reason      TEXT,
    reachability         TEXT NOT NULL,
    probe_answered       INTEGER NOT NULL,
    probe_latency_ms     REAL,
    probe_reason         TEXT,
    gone_at              INTEGER NOT NULL,
    gone_reason          TEXT,
    evicted              INTEGER NOT NULL
) STRICT;

-- What happened. `seq` is never used twice, and in order across restarts.
CREATE TABLE transitions (
    seq          INTEGER PRIMARY KEY,
    ts           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    service_id   TEXT,
    service_name TEXT,
    service_type TEXT,
    from_status  TEXT,
    to_status    TEXT,
    missed_beats INTEGER NOT NULL,
    last_seen    INTEGER,
    reason       TEXT
) STRICT;

CREATE INDEX idx_transitions_service ON transitions (service_id, seq);

-- The start of the registry that wrote last.
CREATE TABLE starts (
    epoch INTEGER NOT NULL
) STRICT;

INSERT INTO starts VALUES (0);

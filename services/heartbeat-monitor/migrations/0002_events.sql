-- 1: raised by another service, and taken from the event stream. It is not published again.
ALTER TABLE alerts ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

-- The `seq` of the last alert that the event stream has; what is sent twice is kept once.
CREATE TABLE published (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;

INSERT INTO published VALUES (1, 0);

-- Up to where the event stream was read for alerts of other services. It moves in the transaction that stores what was
-- read. No journal has the epoch 0: it is read from its beginning.
CREATE TABLE heard (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL
) STRICT;

INSERT INTO heard VALUES (1, 0, 0);

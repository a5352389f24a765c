-- Which role a service had before a transition, where that changed, and after it. Older transitions don't say.
ALTER TABLE transitions ADD COLUMN from_role TEXT;
ALTER TABLE transitions ADD COLUMN to_role TEXT;

-- Up to which transition the event stream has them. It may be behind by a second: what is sent twice is kept once.
CREATE TABLE published (
    seq INTEGER NOT NULL
) STRICT;

INSERT INTO published VALUES (0);

-- Wrong passwords in a row, by login name, whether anybody has that name or not. The name is a keyed hash: people type
-- passwords into the field for names. A row means nothing an hour after the last failure and is swept.
CREATE TABLE login_failures (
    name_hash TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_failed_at BIGINT NOT NULL,
    rests_until BIGINT NOT NULL
);
CREATE INDEX login_failures_by_time ON login_failures (last_failed_at);

-- Suspended clients are no longer swept: who registers the same again would not be known as suspended. SQLite counts in
-- the index alone only when it holds every column that the condition names.
DROP INDEX clients_unused;
CREATE INDEX clients_unused ON clients (last_registered_at, origin, used_at, suspended_at)
    WHERE origin = 'dynamic' AND used_at IS NULL AND suspended_at IS NULL;

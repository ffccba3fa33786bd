-- What a client's registration access token hashes to (RFC 7592 §3). Who has one shares its row with nobody, so that it
-- has no fingerprint.
ALTER TABLE clients ADD COLUMN management_hash TEXT;

-- Initial access tokens (RFC 7591 §1.2): who may register clients, how many and for what. scopes NULL: what everybody may
-- register; max_uses NULL: any number; machines_at: when it was allowed to register clients that act for themselves.
CREATE TABLE initial_access_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    scopes TEXT,
    machines_at BIGINT,
    max_uses BIGINT,
    uses BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);

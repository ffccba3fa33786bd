-- Access tokens that were revoked before they expire, by their jti (RFC 7009 §2.1). Rows live for as long as an access
-- token does, so the table stays small although it is keyed by a value that is partly random.
CREATE TABLE revoked_tokens (
    jti TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (expires_at);

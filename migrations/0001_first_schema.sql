-- One text for SQLite and PostgreSQL: TEXT and BIGINT (seconds since 1970) only. A fact that can be true or false is
-- stored as the moment it became true. Lists that nobody searches are JSON in a TEXT column; what is searched has a
-- column. Tables that grow with use are keyed by identifiers that grow with time.
--
-- Foreign keys bind parts to their owner (ON DELETE CASCADE). Rows that many requests share (clients, users, tenants)
-- are not referenced by key from what requests insert: PostgreSQL would lock them for each insert. The statements
-- that use a grant ask for them instead.

-- What the database says about itself.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Secrets from which refresh tokens, hashes and cookies are derived. At most one row has slot 'current'.
CREATE TABLE server_secrets (
    id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    slot TEXT UNIQUE,
    created_at BIGINT NOT NULL
);

-- Keys that sign tokens. At most one row of each algorithm has a slot ('RS256'), which is the active one.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    sealed TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    state TEXT NOT NULL,
    slot TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT,
    expires_at BIGINT
);

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    suspended_at BIGINT
);

CREATE TABLE roles (
    name TEXT NOT NULL PRIMARY KEY,
    description TEXT NOT NULL,
    origin TEXT NOT NULL
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_folded TEXT NOT NULL UNIQUE,
    name TEXT,
    email TEXT,
    password_hash TEXT,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    suspended_at BIGINT
);

CREATE TABLE memberships (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    roles TEXT NOT NULL,
    PRIMARY KEY (user_id, tenant_id)
);
CREATE INDEX memberships_by_tenant ON memberships (tenant_id);

-- MCP servers. known_scopes is 'listed' (then scopes lists them) or 'any'.
CREATE TABLE resources (
    uri TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    audience TEXT,
    aliases TEXT NOT NULL,
    known_scopes TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    tenants TEXT NOT NULL,
    access_token_ttl BIGINT,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Every spelling by which a resource can be named, its own URI included.
CREATE TABLE resource_names (
    lookup_key TEXT NOT NULL PRIMARY KEY,
    resource_uri TEXT NOT NULL REFERENCES resources (uri) ON DELETE CASCADE
);
CREATE INDEX resource_names_by_resource ON resource_names (resource_uri);

-- fingerprint: digest of what a public client registered, so that identical registrations share a row.
-- used_at: when its first grant was issued; until then the client may be swept.
CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    origin TEXT NOT NULL,
    name TEXT,
    uri TEXT,
    about TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    auth_method TEXT NOT NULL,
    scope TEXT,
    default_resource TEXT,
    machine_scopes TEXT NOT NULL,
    tenant_id TEXT,
    first_party_at BIGINT,
    fingerprint TEXT UNIQUE,
    registered_at BIGINT NOT NULL,
    last_registered_at BIGINT NOT NULL,
    used_at BIGINT,
    suspended_at BIGINT
);
CREATE INDEX clients_unused ON clients (last_registered_at) WHERE origin = 'dynamic' AND used_at IS NULL;

-- position 0 is the newer secret, 1 the one it replaces.
CREATE TABLE client_secrets (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, position)
);

CREATE TABLE browser_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX browser_sessions_by_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_by_end ON browser_sessions (expires_at);

-- An interaction that has been taken is gone.
CREATE TABLE interactions (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    request TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX interactions_by_end ON interactions (expires_at);

CREATE TABLE consents (
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    redirect_host TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id, tenant_id, resource)
);
CREATE INDEX consents_by_client ON consents (client_id);

-- The chain of refresh tokens is these columns: no token is stored. No column that rotation changes has an index.
CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    secret_id TEXT NOT NULL,
    refresh_generation BIGINT,
    refresh_rotated_at BIGINT,
    refresh_retries BIGINT,
    refresh_idle_expires_at BIGINT,
    refresh_expires_at BIGINT,
    revoked_at BIGINT,
    revoked_why TEXT
);
CREATE INDEX grants_by_user ON grants (user_id, id);
CREATE INDEX grants_by_client ON grants (client_id, id);
CREATE INDEX grants_by_end ON grants (refresh_expires_at) WHERE refresh_expires_at IS NOT NULL;
CREATE INDEX grants_without_refresh ON grants (issued_at) WHERE refresh_expires_at IS NULL;
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;

-- A spent code stays as long as its grant, so that a replay can be recognized.
CREATE TABLE authorization_codes (
    id TEXT NOT NULL PRIMARY KEY,
    secret_hash TEXT NOT NULL,
    grant_id TEXT NOT NULL UNIQUE REFERENCES grants (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT,
    wrong_verifiers BIGINT NOT NULL
);

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    client_id TEXT,
    tenant_id TEXT,
    grant_id TEXT,
    detail TEXT
);

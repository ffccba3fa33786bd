-- Clients that are known by a document at the URL that is their identifier, and clients that sign.

-- A JSON list: one of them will do.
ALTER TABLE clients RENAME COLUMN auth_method TO auth_methods;
UPDATE clients SET auth_methods = '["' || auth_methods || '"]';

-- jwks: the public keys as text, registered with the client (then jwks_uri is NULL) or last seen at jwks_uri.
ALTER TABLE clients ADD COLUMN jwks TEXT;
ALTER TABLE clients ADD COLUMN jwks_uri TEXT;
ALTER TABLE clients ADD COLUMN jwks_tried_at BIGINT;
-- Both are there for clients of the origin 'document', for which last_registered_at is when the document was last read.
ALTER TABLE clients ADD COLUMN document_digest TEXT;
ALTER TABLE clients ADD COLUMN document_fresh_until BIGINT;
CREATE INDEX clients_unused_documents ON clients (last_registered_at) WHERE origin = 'document' AND used_at IS NULL;

-- The digest of the client's document for which a consent was given.
ALTER TABLE consents ADD COLUMN document_digest TEXT;

-- Client assertions that were used, by the digest of client and jti. Rows live for an hour or so.
CREATE TABLE client_assertions (
    id TEXT NOT NULL PRIMARY KEY,
    good_until BIGINT NOT NULL
);
CREATE INDEX client_assertions_by_end ON client_assertions (good_until);

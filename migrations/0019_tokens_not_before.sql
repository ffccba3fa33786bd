-- What a client obtained for itself up to this second is good no longer: it, or its tenant, was suspended then. Such tokens
-- have no row of their own that could be revoked.
ALTER TABLE clients ADD COLUMN tokens_not_before BIGINT;
ALTER TABLE tenants ADD COLUMN tokens_not_before BIGINT;

-- Since when configuration gives the password; such a one is changed there.
ALTER TABLE users ADD COLUMN password_declared_at BIGINT;

-- Identifiers of people who were deleted: tokens and other systems' records still hold them, so nobody gets them again.
CREATE TABLE deleted_users (
    id TEXT NOT NULL PRIMARY KEY,
    deleted_at BIGINT NOT NULL
);

-- What an operator writes down about people and memberships for claims to be mapped from: a JSON object of texts and lists
-- of texts. Those of a client are among its settings.
ALTER TABLE users ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE memberships ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';

-- What nobody searches and no statement asks for, as one JSON object: further members of a client and of a resource. What
-- is absent has its default.
ALTER TABLE clients ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE resources ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

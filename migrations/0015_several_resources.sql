-- A grant holds several resources. resources: how far it goes at each, as JSON (neither URIs nor scopes hold characters
-- that JSON escapes). scope: what belongs to no resource.
ALTER TABLE grants ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
UPDATE grants SET resources = '[{"resource":"' || resource || '","scope":"'
    || trim(replace(' ' || scope || ' ', ' offline_access ', ' ')) || '"}]';
UPDATE grants SET scope = CASE WHEN replace(' ' || scope || ' ', ' offline_access ', ' ') <> ' ' || scope || ' '
    THEN 'offline_access' ELSE '' END;
ALTER TABLE grants DROP COLUMN resource;

-- Of what was asked at the resource, what the person left unticked.
ALTER TABLE consents ADD COLUMN refused TEXT NOT NULL DEFAULT '';

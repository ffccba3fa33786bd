-- When a waiting key is to take over at the earliest; absent: when the one that signs has signed for long enough.
ALTER TABLE signing_keys ADD COLUMN activate_at BIGINT;

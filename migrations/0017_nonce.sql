-- What the id token that the code is exchanged for has to repeat (OpenID Connect Core §3.1.2.1).
ALTER TABLE authorization_codes ADD COLUMN nonce TEXT;

//! What this module's tests share.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{AccessTokenClaims, Jti, KeyEncryptionKey, ServerSecret};
use crate::protocol::{ClaimName, ClientId, GrantId, Scope, ServerSecretId, Timestamp};
use crate::random::Random;

/// Replaces one character of an ASCII text by another character.
#[derive(Clone, Debug)]
pub(super) struct OneCharacterChanged {
    position: prop::sample::Index,
    step: u8,
}

impl OneCharacterChanged {
    pub(super) fn apply(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let position = self.position.index(bytes.len());
        // Steps through the 94 printable characters; a step of 1 to 93 never comes back to where it began.
        bytes[position] = b'!' + (bytes[position] - b'!' + self.step) % 94;
        let altered = String::from_utf8(bytes).unwrap();
        assert_ne!(altered, text);
        altered
    }
}

/// Any change of one character.
pub(super) fn one_character_changed() -> impl Strategy<Value = OneCharacterChanged> {
    (any::<prop::sample::Index>(), 1..94_u8)
        .prop_map(|(position, step)| OneCharacterChanged { position, step })
}

/// A server secret that is the same for the same seed.
pub(super) fn server_secret(seed: u64) -> ServerSecret {
    let random = Random::seeded(seed);
    let id = ServerSecretId::new(Timestamp::from_seconds(1_800_000_000), random.bytes());
    let kek = KeyEncryptionKey::generate(&random);
    ServerSecret::generate(id, &kek, &random).0
}

/// What every access token says, and nothing more.
pub(super) fn claims() -> AccessTokenClaims {
    let issued_at = Timestamp::from_seconds(1_800_000_000);
    AccessTokenClaims {
        issuer: "http://localhost:8710/oauth".to_owned(),
        subject: "ada".to_owned(),
        audience: "https://mcp.example/mcp".to_owned(),
        client_id: ClientId::parse("editor").unwrap(),
        issued_at,
        expires_at: Timestamp::from_seconds(1_800_000_900),
        jti: Jti::for_grant(&GrantId::new(issued_at, [1; 10]), &Random::seeded(1)),
        scope: Scope::default(),
        auth_time: None,
        acr: None,
        mapped: BTreeMap::new(),
    }
}

/// Everything that an access token can say.
pub(super) fn full_claims() -> AccessTokenClaims {
    let name = |name| ClaimName::parse(name).unwrap();
    AccessTokenClaims {
        scope: Scope::parse("notes:read notes:write").unwrap(),
        auth_time: Some(Timestamp::from_seconds(1_799_999_000)),
        acr: Some("pwd".to_owned()),
        mapped: BTreeMap::from([
            (name("org"), "acme".into()),
            (name("roles"), vec!["editor", "viewer"].into()),
            (name("plan"), "gold".into()),
        ]),
        ..claims()
    }
}

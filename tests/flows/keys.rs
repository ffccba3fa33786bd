//! Signing keys in service: rotation that no verifier notices, on one instance and on two.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use gatelet::app::admin::{Admin, AdminError, KeyRevoked, KnownKey, PublicForm, Takeover};
use gatelet::protocol::{Lifetimes, SigningAlg, Timestamp};
use gatelet::random::Random;
use gatelet::store::SigningKeyState;
use gatelet::testkit::{TestClient, TestResource, TestServer};
use gatelet::tokens::{KeyEncryptionKey, ServerSecret, SigningKey, TEST_KEYS};
use jsonwebtoken::jwk::{JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::cases;
use crate::world::{Database, NOTES, ROBOT_SECRET, world};

cases![
    fifty_rotations_go_unnoticed_on_one_instance,
    fifty_rotations_go_unnoticed_on_two_instances,
    a_resource_gets_the_algorithm_that_it_asks_for,
    an_instance_that_lost_its_database_stops_signing_and_goes_on_publishing,
    a_second_instance_publishes_within_a_second_what_the_first_has_made,
    a_revoked_key_is_gone_everywhere_within_a_second_and_another_signs,
    an_imported_key_keeps_its_name_and_waits_for_its_turn,
    a_key_that_is_there_or_was_revoked_is_not_imported,
    everything_is_sealed_anew_while_instances_serve,
];

const ELLIPTIC: &str = "https://es.example.com/mcp";
const MINUTE: Duration = Duration::from_secs(60);
/// How often the clock is advanced, and a token of each kind issued by each instance.
const STEP: Duration = Duration::from_secs(5 * 60);
const REFRESH: Duration = Duration::from_secs(10 * 60);
const ROTATIONS: usize = 50;

fn lifetimes() -> Lifetimes {
    let hour = 60 * MINUTE;
    Lifetimes { key_active: 3 * hour, key_lead: 2 * hour, ..Lifetimes::default() }
}

/// As many instances as asked for, on one database and with one clock.
async fn instances(database: Database, count: usize) -> Vec<TestServer> {
    let elliptic = TestResource::new(ELLIPTIC)
        .signing_alg(SigningAlg::Es256)
        .scope("mcp:read", "Read")
        .default_scope("mcp:read");
    let builder = world(database).resource(elliptic).lifetimes(lifetimes());
    let mut servers = vec![builder.clone().start().await];
    for _ in 1..count {
        let builder = builder.clone().database_url(&servers[0].database_url());
        servers.push(builder.clock(servers[0].clock().clone()).start().await);
    }
    servers
}

async fn machine_token(server: &TestServer, resource: &str) -> String {
    let robot = TestClient::new(server, "robot", "").secret(ROBOT_SECRET);
    let pairs = [("grant_type", "client_credentials"), ("scope", "mcp:read"), ("resource", resource)];
    robot.token(&pairs).await.granted().access_token().to_owned()
}

/// A resource server that keeps the keys that it has fetched.
struct Verifier {
    keys: JwkSet,
    fetched_at: Timestamp,
}

impl Verifier {
    async fn fetch(server: &TestServer) -> Self {
        let keys = server.get(&server.endpoint("jwks")).await.json;
        Self { keys: serde_json::from_value(keys).unwrap(), fetched_at: server.clock().now() }
    }

    /// By the keys at hand alone (RFC 9068 §4).
    fn verify(&self, token: &str) -> Result<Value, String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        let kid = header.kid.ok_or("no kid")?;
        let jwk = self.keys.find(&kid).ok_or_else(|| format!("the key {kid} is unknown"))?;
        let algorithm = match jwk.common.key_algorithm {
            Some(KeyAlgorithm::RS256) => Algorithm::RS256,
            Some(KeyAlgorithm::ES256) => Algorithm::ES256,
            other => return Err(format!("{other:?}")),
        };
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
        decode::<Value>(token, &key, &validation).map(|token| token.claims).map_err(|error| error.to_string())
    }
}

/// What the two proofs watch.
#[derive(Default)]
struct Watched {
    /// Tokens that have not expired, with their expiry.
    live: VecDeque<(Timestamp, String)>,
    kids: BTreeMap<&'static str, BTreeSet<String>>,
    failures: Vec<String>,
    checks: usize,
}

impl Watched {
    fn check(&mut self, verifier: &Verifier, token: &str, who: &str, now: Timestamp) {
        self.checks += 1;
        if let Err(why) = verifier.verify(token) {
            self.failures.push(format!("{who}, at {}: {why}", now.seconds()));
        }
    }
}

async fn fifty_rotations_go_unnoticed_on_one_instance(database: Database) {
    fifty_rotations_go_unnoticed(instances(database, 1).await).await;
}

async fn fifty_rotations_go_unnoticed_on_two_instances(database: Database) {
    fifty_rotations_go_unnoticed(instances(database, 2).await).await;
}

/// RFC 7517 §4.5, RFC 9068 §2.1, §4
async fn fifty_rotations_go_unnoticed(servers: Vec<TestServer>) {
    let clock = servers[0].clock().clone();
    let mut watched = Watched::default();
    let mut caching = Verifier::fetch(&servers[0]).await;
    // Verifiers that never look again: each is good for at least the lead from when it looked.
    let mut steadfast = vec![Verifier::fetch(&servers[0]).await];
    let mut step = 0;
    while watched.kids.get(NOTES).map_or(0, BTreeSet::len) <= ROTATIONS {
        clock.advance(STEP);
        let now = clock.now();
        step += 1;
        assert!(step < 40 * ROTATIONS, "the keys are not rotated: {:?}", watched.kids);
        // Every instance keeps house, at once.
        for tended in futures(&servers).await {
            tended.unwrap();
        }
        for server in &servers {
            for resource in [NOTES, ELLIPTIC] {
                let token = machine_token(server, resource).await;
                let kid = decode_header(&token).unwrap().kid.unwrap();
                watched.kids.entry(resource).or_default().insert(kid);
                watched.live.push_back((now.plus(lifetimes().access_token), token));
            }
        }
        if now.since(caching.fetched_at) >= REFRESH {
            // Of any instance, not of the one that signed.
            caching = Verifier::fetch(&servers[step % servers.len()]).await;
        }
        if step % 12 == 0 {
            steadfast.push(Verifier::fetch(&servers[step / 12 % servers.len()]).await);
        }
        steadfast.retain(|verifier| now.since(verifier.fetched_at) < lifetimes().key_lead);
        watched.live.retain(|(expires_at, _)| *expires_at > now);
        let fresh = watched.live.len().saturating_sub(2 * servers.len());
        for (number, (_, token)) in watched.live.clone().into_iter().enumerate() {
            watched.check(&caching, &token, "refreshing every ten minutes", now);
            for verifier in steadfast.iter().filter(|_| number >= fresh) {
                watched.check(verifier, &token, "never refreshing", now);
            }
        }
    }
    assert_eq!(watched.failures, [""; 0], "of {}", watched.checks);
    assert!(watched.checks > 4 * step, "{} checks in {step} steps", watched.checks);
    let events = servers[0].app().engine().store.audit_events(None, 10_000).await.unwrap();
    for (alg, resource) in [("RS256", NOTES), ("ES256", ELLIPTIC)] {
        let count = |kind: &str| {
            let of_alg = |detail: &Option<String>| detail.as_ref().is_some_and(|text| text.starts_with(alg));
            events.iter().filter(|event| event.kind == kind && of_alg(&event.detail)).count()
        };
        // Every key but the first was published once, and took over once, whoever did it.
        assert_eq!(count("key_rotated"), watched.kids[resource].len() - 1, "{alg}");
        assert!(count("key_published") - count("key_rotated") <= 1, "{alg}");
    }
    let published = Verifier::fetch(&servers[0]).await.keys.keys.len();
    assert!(published <= 6, "old keys are deleted: {published} are published");
}

/// Lets every instance take the steps that are due, at the same time.
async fn futures(servers: &[TestServer]) -> Vec<Result<(), String>> {
    let mut tasks = tokio::task::JoinSet::new();
    for server in servers {
        let engine = server.app().engine().clone();
        tasks.spawn(async move { engine.tend_keys().await.map_err(|error| error.to_string()) });
    }
    tasks.join_all().await
}

async fn a_resource_gets_the_algorithm_that_it_asks_for(database: Database) {
    // RFC 9068 §2.1; RFC 8725 §3.1
    let servers = instances(database, 1).await;
    for (resource, algorithm) in [(NOTES, Algorithm::RS256), (ELLIPTIC, Algorithm::ES256)] {
        let token = machine_token(&servers[0], resource).await;
        assert_eq!(decode_header(&token).unwrap().alg, algorithm);
        assert_eq!(servers[0].verify(&token).await["aud"], resource);
    }
    let jwks = servers[0].get(&servers[0].endpoint("jwks")).await.json;
    let algs: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(algs, ["RS256", "ES256"], "those that know one key only take the first");
}

async fn an_instance_that_lost_its_database_stops_signing_and_goes_on_publishing(database: Database) {
    let servers = instances(database, 1).await;
    let engine = servers[0].app().engine().clone();
    engine.store.close().await;
    servers[0].clock().advance(MINUTE);
    assert!(engine.keys_to_sign().await.is_ok(), "for a minute");
    servers[0].clock().advance(Duration::from_secs(1));
    let refused = engine.keys_to_sign().await.map(drop).unwrap_err();
    assert!(refused.to_string().starts_with("unavailable"), "{refused}");
    servers[0].clock().advance(lifetimes().key_active);
    assert_eq!(Verifier::fetch(&servers[0]).await.keys.keys.len(), 2);
}

async fn a_second_instance_publishes_within_a_second_what_the_first_has_made(database: Database) {
    let servers = instances(database, 2).await;
    let known = async |server: &TestServer| Verifier::fetch(server).await.keys.keys.len();
    servers[0].clock().advance(60 * MINUTE);
    assert_eq!((known(&servers[0]).await, known(&servers[1]).await), (2, 2));
    servers[0].app().engine().tend_keys().await.unwrap();
    assert_eq!(known(&servers[0]).await, 4, "the next key of each algorithm");
    servers[0].clock().advance(Duration::from_secs(1));
    assert_eq!(known(&servers[1]).await, 4);
}

/// The private key of somebody who comes from another server.
const ELLIPTIC_PEM: &str = include_str!("../../src/tokens/testdata/p256.pem");

fn admin(server: &TestServer) -> Admin {
    server.app().engine().administrator("test")
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// The keys of an algorithm, oldest first: name and state.
async fn known(server: &TestServer, alg: SigningAlg) -> Vec<(String, &'static str)> {
    let keys = admin(server).keys().await.unwrap().into_iter().filter(|key| key.alg == alg);
    keys.map(|KnownKey { kid, state, .. }| (kid, state)).collect()
}

async fn a_revoked_key_is_gone_everywhere_within_a_second_and_another_signs(database: Database) {
    let servers = instances(database, 2).await;
    let token = machine_token(&servers[1], NOTES).await;
    let revoked = admin(&servers[0]).revoke_key(&kid(&token)).await.unwrap();
    let KeyRevoked::FreshTookOver { kid: fresh } = revoked else { panic!("{revoked:?}") };
    servers[0].clock().advance(Duration::from_secs(1));
    for server in &servers {
        // What introspection asks: nothing that the key signed is authentic any more.
        let keys = server.app().engine().keys_to_publish().await;
        assert_eq!(keys.authentic_access_token(&token), None);
        let verifier = Verifier::fetch(server).await;
        assert!(verifier.keys.find(&kid(&token)).is_none(), "it is published no longer");
        let new = machine_token(server, NOTES).await;
        assert_eq!(kid(&new), fresh);
        verifier.verify(&new).unwrap();
    }
    let again = admin(&servers[1]).revoke_key(&kid(&token)).await.unwrap_err();
    assert!(matches!(again, AdminError::Refused(_)), "{again}");
    // The key that waits is known already, and takes over from a revoked one.
    let next = admin(&servers[0]).generate_key(SigningAlg::Rs256).await.unwrap().kid;
    let revoked = admin(&servers[0]).revoke_key(&fresh).await.unwrap();
    assert!(matches!(revoked, KeyRevoked::NextTookOver { kid, .. } if kid == next));
    let missing = admin(&servers[0]).revoke_key("nobody").await.unwrap_err();
    assert!(matches!(missing, AdminError::NotFound { .. }), "{missing}");
}

async fn an_imported_key_keeps_its_name_and_waits_for_its_turn(database: Database) {
    // RFC 7517 §4.5
    let servers = instances(database, 1).await;
    let before = kid(&machine_token(&servers[0], NOTES).await);
    let admin = admin(&servers[0]);
    let imported =
        admin.import_key(TEST_KEYS[1].pem, Some("from-elsewhere"), Takeover::InTurn).await.unwrap();
    let due = servers[0].clock().now().plus(lifetimes().key_active);
    assert_eq!((imported.state, imported.signs_from), ("next", Some(due)));
    // Told to hurry, it still waits for the lead.
    let hastened = admin.rotate_key(SigningAlg::Rs256).await.unwrap();
    let lead = servers[0].clock().now().plus(lifetimes().key_lead);
    assert_eq!((hastened.state, hastened.signs_from), ("next", Some(lead)));
    assert_eq!(kid(&machine_token(&servers[0], NOTES).await), before);
    servers[0].clock().advance(lifetimes().key_lead);
    let verifier = Verifier::fetch(&servers[0]).await;
    assert_eq!(admin.rotate_key(SigningAlg::Rs256).await.unwrap().state, "active");
    let token = machine_token(&servers[0], NOTES).await;
    assert_eq!(kid(&token), "from-elsewhere");
    verifier.verify(&token).unwrap();
    // One that is let in at once does not wait.
    let at_once = admin.import_key(ELLIPTIC_PEM, None, Takeover::AtOnce).await.unwrap();
    assert_eq!(kid(&machine_token(&servers[0], ELLIPTIC).await), at_once.kid);
    let mut states: Vec<_> =
        known(&servers[0], SigningAlg::Es256).await.into_iter().map(|(_, state)| state).collect();
    // Two are of the same second, and so in the order of their names, which are thumbprints.
    states.sort_unstable();
    assert_eq!(states, ["active", "next", "retired"], "the one that waits goes on waiting");
    // The public part goes out, and nothing else.
    let pem = admin.export_key(Some(&at_once.kid), PublicForm::Pem).await.unwrap();
    assert_eq!(pem, include_str!("../../src/tokens/testdata/p256.pub.pem"));
    let jwk: Value = serde_json::from_str(&admin.export_key(None, PublicForm::Jwk).await.unwrap()).unwrap();
    assert_eq!((&jwk["kid"], jwk.get("d")), (&"from-elsewhere".into(), None));
}

async fn a_key_that_is_there_or_was_revoked_is_not_imported(database: Database) {
    let servers = instances(database, 1).await;
    let admin = admin(&servers[0]);
    let import = async |pem, kid| admin.import_key(pem, kid, Takeover::AtOnce).await;
    let taken = import(TEST_KEYS[0].pem, Some("another")).await.unwrap_err();
    assert!(matches!(taken, AdminError::Taken { .. }), "the same key: {taken}");
    let taken = import(TEST_KEYS[1].pem, Some(TEST_KEYS[0].thumbprint)).await.unwrap_err();
    assert!(matches!(taken, AdminError::Taken { .. }), "the same name: {taken}");
    let invalid = import("no key", None).await.unwrap_err();
    assert!(matches!(invalid, AdminError::Invalid(_)), "{invalid}");
    admin.revoke_key(TEST_KEYS[0].thumbprint).await.unwrap();
    let refused = import(TEST_KEYS[0].pem, Some("another")).await.unwrap_err();
    assert!(matches!(&refused, AdminError::Refused(why) if why.contains("revoked")), "{refused}");
    // The next test key signs by now; the last is one that the server never takes of itself.
    admin.import_key(TEST_KEYS[7].pem, None, Takeover::InTurn).await.unwrap();
    let second = admin.generate_key(SigningAlg::Rs256).await.unwrap_err();
    assert!(matches!(&second, AdminError::Refused(why) if why.contains("waits already")), "{second}");
}

async fn everything_is_sealed_anew_while_instances_serve(database: Database) {
    let servers = instances(database, 2).await;
    let store = servers[0].app().engine().store.clone();
    let new = KeyEncryptionKey::generate(&Random::system());
    let rows = admin(&servers[0]).rewrap(&new).await.unwrap();
    assert_eq!(rows, 3, "two signing keys and a server secret");
    let audit = store.audit_events(None, 1).await.unwrap();
    assert_eq!(audit[0].kind, "keys_rewrapped");
    for row in store.signing_keys().await.unwrap() {
        SigningKey::open(row.alg, &row.kid, &row.sealed, &new).unwrap();
    }
    for row in store.server_secrets().await.unwrap() {
        ServerSecret::open(row.id, &row.sealed, &new).unwrap();
    }
    // The instances go on with the keys that they have open, and change none.
    let before = known(&servers[0], SigningAlg::Rs256).await;
    for hours in 1..=6 {
        servers[0].clock().advance(60 * MINUTE);
        for server in &servers {
            let token = machine_token(server, NOTES).await;
            Verifier::fetch(server).await.verify(&token).unwrap();
            assert!(server.app().engine().tend_keys().await.is_ok(), "hour {hours}");
        }
    }
    assert_eq!(known(&servers[0], SigningAlg::Rs256).await, before);
    assert!(store.signing_keys().await.unwrap().iter().all(|key| key.state == SigningKeyState::Active));
    let again = admin(&servers[1]).generate_key(SigningAlg::Rs256).await.unwrap_err();
    assert!(matches!(again, AdminError::Overtaken { .. }), "{again}");
}

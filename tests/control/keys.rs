//! Which keys an issuer has: its own, those that it rotates to, and an attacker's.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Issuer, World};

const POOL: usize = 8;
const DAY: u64 = 86_400;

/// The name of the key that signed a token, as its header says.
fn kid(token: &Value) -> String {
    token["header"]["kid"].as_str().unwrap().to_owned()
}

async fn signing_kid(issuer: &Issuer<'_>) -> String {
    kid(&issuer.post("/tokens", json!({})).await)
}

#[tokio::test]
async fn living_issuers_have_different_keys_however_many_there_were_before() {
    let world = World::start().await;
    let mut living = Vec::new();
    // With the one at the root they are eight.
    for _ in 1..POOL {
        living.push(world.issuer(json!({})).await);
        // One that comes and goes.
        let short = world.issuer(json!({})).await;
        assert_eq!(short.ask(Method::DELETE, "", None).await.0, 204);
    }
    let (_, all) = world.ask(Method::GET, "/issuers", None).await;
    let keys: BTreeSet<&str> =
        all["issuers"].as_array().unwrap().iter().map(|one| one["keys"][0].as_str().unwrap()).collect();
    assert_eq!(keys.len(), POOL);
    // More than there are keys share them, and none has more than its part.
    for _ in 0..POOL {
        living.push(world.issuer(json!({})).await);
    }
    let mut uses = std::collections::BTreeMap::new();
    for issuer in &living {
        *uses.entry(signing_kid(issuer).await).or_insert(0) += 1;
    }
    assert!(uses.values().all(|uses| *uses <= 2), "{uses:?}");
}

#[tokio::test]
async fn a_key_of_an_issuer_is_new_to_it_and_an_attackers_is_never_its_own() {
    let world = World::start().await;
    for spec in [json!({}), json!({ "seed": 3 }), json!({ "keys": "fresh" })] {
        let issuer = world.issuer(spec.clone()).await;
        let mut own = BTreeSet::from([signing_kid(&issuer).await]);
        let mut strange = BTreeSet::new();
        for action in ["rotate", "lose", "revoke", "publish_late"].iter().cycle().take(9) {
            let attacked = issuer.post("/tokens", json!({ "defect": "unknown-key" })).await;
            strange.insert(kid(&attacked));
            let keys = issuer.post("/keys", json!({ "action": action })).await;
            assert!(own.insert(keys["signing"].as_str().unwrap().to_owned()), "{spec} {action}: had before");
        }
        assert_eq!(own.len(), 10);
        assert!(own.is_disjoint(&strange), "{spec}");
    }
}

/// Half a year and more, in which keys rotate by themselves; what is published and issued on the way.
async fn half_a_year(issuer: &Issuer<'_>) -> Vec<Value> {
    let mut seen = Vec::new();
    for days in [200, 2, 100, 2, 0] {
        issuer.post("/clock/advance", json!({ "seconds": days * DAY })).await;
        let (_, jwks) = issuer.get(issuer.text("jwks_uri")).await;
        seen.extend([jwks, issuer.post("/tokens", json!({})).await["token"].clone()]);
    }
    issuer.post("/keys", json!({ "action": "rotate" })).await;
    seen.push(issuer.post("/zoo", json!({})).await);
    seen
}

#[tokio::test]
async fn keys_rotate_the_same_for_the_same_seed() {
    let world = World::start().await;
    let spec = json!({ "name": "golden", "seed": 11 });
    let mut histories = Vec::new();
    for _ in 0..2 {
        let issuer = world.issuer(spec.clone()).await;
        histories.push(half_a_year(&issuer).await);
        assert_eq!(issuer.ask(Method::DELETE, "", None).await.0, 204);
        // What others have decides nothing.
        world.issuer(json!({})).await;
    }
    assert_eq!(histories[0], histories[1]);
    let signing = |history: &[Value]| {
        let tokens = history.iter().filter_map(Value::as_str);
        tokens.map(|token| token.split('.').next().unwrap().to_owned()).collect::<BTreeSet<_>>().len()
    };
    assert!(signing(&histories[0]) > 2, "it has rotated twice on the way");
}

#[tokio::test]
async fn a_state_that_is_put_back_rotates_to_the_same_key_again() {
    let world = World::start().await;
    let issuer = world.issuer(json!({ "seed": 2 })).await;
    issuer.post("/snapshots", json!({ "name": "before" })).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        keys.push(issuer.post("/keys", json!({ "action": "rotate" })).await);
        issuer.post("/snapshots/before/restore", json!({})).await;
    }
    assert_eq!(keys[0], keys[1]);
}

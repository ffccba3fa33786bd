//! `gatelet key`, beside a running server.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::network::json;
use crate::program::{Dev, directory, gatelet, refusal};
use crate::{NotRun, cases};

cases![
    keys_are_cared_for_beside_a_running_server,
    the_key_encryption_key_is_changed_and_the_old_one_opens_nothing
];

/// Runs `gatelet key … --data data`; what it prints.
fn key(here: &Path, arguments: &[&str]) -> String {
    let output = gatelet(here, &[&["key"], arguments, &["--data", "data"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn key_json(here: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&key(here, &[arguments, &["--json"]].concat())).unwrap()
}

/// The names of the keys that a server publishes.
fn published(dev: &Dev) -> Vec<String> {
    let keys = json(dev.port(), "/oauth/jwks");
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the server publishes these keys, in this order.
fn publishes(dev: &Dev, expected: &[&str]) {
    let end = Instant::now() + Duration::from_secs(10);
    while published(dev) != expected {
        assert!(Instant::now() < end, "{:?}, not {expected:?}", published(dev));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn keys_are_cared_for_beside_a_running_server() -> Result<(), NotRun> {
    let here = directory("keys");
    let dev = Dev::start(&here, "data");
    let first = published(&dev).remove(0);
    let next = key_json(&here, &["rotate"]);
    let next_kid = next["kid"].as_str().unwrap();
    assert_eq!(next["state"], "next", "it was not published before");
    publishes(&dev, &[&first, next_kid]);
    let pem = key(&here, &["export", next_kid]);
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"));
    let revoked = key_json(&here, &["revoke", &first]);
    assert_eq!((&revoked["revoked"], &revoked["signs_now"]), (&first.as_str().into(), &next_kid.into()));
    publishes(&dev, &[next_kid]);
    let listed = key_json(&here, &["list"]);
    let state = |kid: &str| {
        let keys = listed["keys"].as_array().unwrap();
        keys.iter().find(|key| key["kid"] == kid).map(|key| key["state"].as_str().unwrap())
    };
    assert_eq!((state(&first), state(next_kid)), (Some("revoked"), Some("active")));
    let elliptic = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokens/testdata/p256.pem");
    let imported = key_json(&here, &["import", elliptic.to_str().unwrap(), "--kid", "mine"]);
    assert_eq!((&imported["kid"], &imported["state"]), (&"mine".into(), &"active".into()));
    publishes(&dev, &[next_kid, "mine"]);
    let refused = refusal(&here, &["key", "import", "Nowhere.pem", "--data", "data"]);
    assert!(refused.contains("Nowhere.pem"), "{refused}");
    dev.stop();
    Ok(())
}

fn the_key_encryption_key_is_changed_and_the_old_one_opens_nothing() -> Result<(), NotRun> {
    let here = directory("rewrap");
    let dev = Dev::start(&here, "data");
    let before = published(&dev);
    let done = key_json(&here, &["rewrap", "--new-key-file", "new-key"]);
    assert_eq!(done["rewrapped"], 2, "a signing key and a server secret");
    assert_eq!(published(&dev), before, "the server goes on");
    dev.stop();
    let refused = refusal(&here, &["dev", "--listen", "127.0.0.1:0", "--data", "data"]);
    assert!(refused.contains("sealed under another key-encryption key"), "{refused}");
    std::fs::rename(here.join("new-key"), here.join("data/keys/key-encryption-key")).unwrap();
    let dev = Dev::start(&here, "data");
    assert_eq!(published(&dev), before);
    dev.stop();
    Ok(())
}

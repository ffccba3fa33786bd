//! `gatelet key`, beside a running server.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

use crate::commands::{done, ran, refused};
use crate::network::json;
use crate::program::{Dev, directory, gatelet, refusal};
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![
    keys_are_cared_for_beside_a_running_server,
    the_key_encryption_key_is_changed_and_the_old_one_opens_nothing,
    a_key_that_is_brought_in_before_the_first_start_signs_from_the_beginning,
    a_server_starts_with_the_key_that_was_brought_in,
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

fn a_key_that_is_brought_in_before_the_first_start_signs_from_the_beginning() -> Result<(), NotRun> {
    let here = directory("first-key");
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/test-rs256-1.pem");
    std::fs::write(here.join("none.pem"), "no key").unwrap();
    refused(&here, 2, &["key", "import", "none.pem", "--data", "data"]);
    assert!(!here.join("data").exists(), "nothing is made for what is no key");
    let imported = key_json(&here, &["import", pem.to_str().unwrap(), "--kid", "from-elsewhere"]);
    assert_eq!((&imported["kid"], &imported["state"]), (&"from-elsewhere".into(), &"active".into()));
    let dev = Dev::start(&here, "data");
    assert_eq!(published(&dev), ["from-elsewhere"], "the first start makes none besides");
    let token = ran(&here, &["token", "issue", "--user", "alice", "--data", "data"]).stdout;
    let header = base64url(token.split('.').next().unwrap());
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["kid"], "from-elsewhere");
    dev.stop();
    Ok(())
}

fn base64url(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// RFC 7468 §10.
fn pem(der: &[u8]) -> String {
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn a_server_starts_with_the_key_that_was_brought_in() -> Result<(), NotRun> {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let here = directory("first-key-of-a-server");
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    std::fs::write(here.join("old.pem"), pem(der.as_ref())).unwrap();
    std::fs::write(here.join("gatelet.toml"), "public_url = \"http://localhost:1\"\n").unwrap();
    refused(&here, 5, &["key", "list"]);
    done(&here, &["key", "import", "old.pem", "--kid", "old"]);
    let kids = |port| {
        let keys = json(port, "/oauth/jwks");
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let serve = Serve::start(&here);
        assert_eq!(kids(serve.port), ["old"]);
        serve.stop();
    }
    Ok(())
}

//! `gatelet key` where a configuration is in force, beside the running server.

use std::path::Path;
use std::time::{Duration, Instant};

use gatelet::tokens::TEST_KEYS;
use serde_json::{Value, json};

use crate::commands::{done, form_request, refused, token_request};
use crate::network::json;
use crate::program::{directory, refusal};
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![
    everything_is_sealed_under_another_key_and_tokens_stay_good,
    what_a_revoked_key_signed_is_inactive,
    the_published_test_keys_are_not_brought_in,
];

const SECRET: &str = "secret0of0more0than0128bits0aaaaaaaa";
/// A machine, and the server that asks about its tokens.
const WORLD: &str = r#"
key_file = "key"
[log]
level = "error"
[[resources]]
uri = "https://mcp.example.com/mcp"
scopes = [{ name = "mcp:read" }]
[[clients]]
id = "robot"
secret_file = "secret"
machine_scopes = ["mcp:read"]
[[clients]]
id = "notes"
secret_file = "secret"
introspects = ["https://mcp.example.com/mcp"]
"#;

/// A server with its key-encryption key in the file `key`.
pub(crate) fn server(here: &Path) -> Serve {
    std::fs::write(here.join("secret"), SECRET).unwrap();
    std::fs::write(here.join("key"), "Z2F0ZWxldDogMzIgYnl0ZXMgb2YgdGhpcyB0ZXN0ISE").unwrap();
    private(&here.join("key"));
    Serve::start_with(here, WORLD)
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn token(port: u16) -> String {
    let form = format!("grant_type=client_credentials&client_id=robot&client_secret={SECRET}");
    let (status, body) = token_request(port, &form);
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// What the endpoint says about a token to the server that it is for.
fn asked(port: u16, token: &str) -> Value {
    let form = format!("token={token}&client_id=notes&client_secret={SECRET}");
    let (status, body) = form_request(port, "introspect", &form);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn is_active(port: u16, token: &str) -> bool {
    asked(port, token)["active"] == true
}

fn published(port: u16) -> Vec<String> {
    let keys = json(port, "/oauth/jwks");
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn everything_is_sealed_under_another_key_and_tokens_stay_good() -> Result<(), NotRun> {
    let here = directory("serve-rewrap");
    let serve = server(&here);
    let (port, before) = (serve.port, token(serve.port));
    assert!(is_active(port, &before));
    let rewrapped = done(&here, &["key", "rewrap", "--new-key-file", "new-key"]);
    assert_eq!(rewrapped["rewrapped"], 2, "a signing key and a server secret");
    // The server goes on with the keys that it has open.
    assert!(is_active(port, &before) && is_active(port, &token(port)));
    serve.stop();
    let said = refusal(&here, &["serve"]);
    assert!(said.contains("sealed under another key-encryption key"), "{said}");
    let configuration = std::fs::read_to_string(here.join("gatelet.toml")).unwrap();
    let configuration = configuration.replace("key_file = \"key\"", "key_file = \"new-key\"");
    std::fs::write(here.join("gatelet.toml"), configuration).unwrap();
    let serve = Serve::start_again(&here, port);
    assert_eq!(published(port), [kid(&before)], "the keys themselves are the same");
    let after = token(port);
    assert!(is_active(port, &before) && is_active(port, &after));
    assert_eq!(kid(&after), kid(&before));
    serve.stop();
    Ok(())
}

fn what_a_revoked_key_signed_is_inactive() -> Result<(), NotRun> {
    // RFC 7662 §4; RFC 7517 §4.5
    let here = directory("serve-revoke");
    let serve = server(&here);
    let (port, leaked) = (serve.port, token(serve.port));
    assert_eq!(published(port), [kid(&leaked)]);
    assert!(is_active(port, &leaked));
    let revoked = done(&here, &["key", "revoke", &kid(&leaked)]);
    let successor = revoked["signs_now"].as_str().unwrap();
    // The server learns of it within a second.
    let end = Instant::now() + Duration::from_secs(10);
    while published(port) != [successor] {
        assert!(Instant::now() < end, "{:?}, not {successor}", published(port));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(asked(port, &leaked), json!({"active": false}));
    let fresh = token(port);
    assert_eq!(kid(&fresh), successor);
    assert!(is_active(port, &fresh));
    serve.stop();
    Ok(())
}

fn the_published_test_keys_are_not_brought_in() -> Result<(), NotRun> {
    // Whoever has read the repository could sign.
    let here = directory("serve-import");
    let serve = server(&here);
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
    let before = published(serve.port);
    let refused = |number: usize, further: &[&str]| {
        let file = keys.join(format!("test-rs256-{number}.pem"));
        let said = refused(&here, 4, &[&["key", "import", file.to_str().unwrap()], further].concat());
        assert!(said.contains("one of the test keys that everybody can read"), "{number}: {said}");
    };
    for number in 1..=TEST_KEYS.len() {
        refused(number, &[]);
    }
    // Another name hides nothing.
    refused(1, &["--kid", "mine"]);
    refused(1, &["--activate"]);
    let listed = done(&here, &["key", "list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(published(serve.port), before);
    // Any other key is let in, and waits.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokens/testdata/p256.pem");
    let imported = done(&here, &["key", "import", own.to_str().unwrap(), "--kid", "mine"]);
    assert_eq!((&imported["kid"], &imported["alg"]), (&json!("mine"), &json!("ES256")));
    serve.stop();
    Ok(())
}

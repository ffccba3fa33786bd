//! `gatelet initial-token` beside a running server: who may register clients, how many and for what.

use serde_json::{Value, json};

use crate::commands::{done, ran, refused};
use crate::network::post;
use crate::program::{Dev, directory};
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![
    a_token_registers_as_many_clients_as_it_says_and_is_shown_once,
    a_token_that_makes_no_sense_is_not_made,
    a_declared_token_ends_when_the_configuration_says_so,
];

/// Registers a client with a token; the status, and what is answered.
fn register(port: u16, token: &str, metadata: &Value) -> (u16, Value) {
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let body = metadata.to_string();
    let (status, answer) = post(port, "/oauth/register", ("application/json", &body), &authorization);
    (status, serde_json::from_str(&answer).unwrap())
}

fn app() -> Value {
    json!({"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"})
}

fn a_token_registers_as_many_clients_as_it_says_and_is_shown_once() -> Result<(), NotRun> {
    // RFC 7591 §3
    let here = directory("initial-tokens");
    let dev = Dev::start(&here, ".gatelet");
    let issue = ["initial-token", "issue", "ci", "--uses", "1", "--expires-in", "7d", "--scope", "mcp:read"];
    let issued = done(&here, &[&issue[..], &["--client-credentials"]].concat());
    let text = issued["initial_access_token"].as_str().unwrap();
    assert!(text.starts_with("gtl_ia_"), "{issued}");
    assert_eq!((&issued["uses"], &issued["max_uses"], &issued["good"]), (&0.into(), &1.into(), &true.into()));
    assert_eq!((&issued["scopes"], &issued["client_credentials"]), (&json!(["mcp:read"]), &true.into()));
    assert_eq!(register(dev.port(), text, &json!({"grant_types": ["client_credentials"]})).0, 201);
    assert_eq!(register(dev.port(), text, &app()).1["error"], "invalid_token");
    let spent = done(&here, &["initial-token", "show", "ci"]);
    assert_eq!((&spent["uses"], &spent["good"]), (&1.into(), &false.into()));
    assert_ne!(spent["last_used_at"], Value::Null);
    assert_eq!(done(&here, &["initial-token", "list"])["initial_tokens"], json!([spent]));
    for shown in [&["initial-token", "list"][..], &["initial-token", "show", "ci", "--json"]] {
        assert!(!ran(&here, shown).stdout.contains(text), "its text is told once");
    }

    let open = done(&here, &["initial-token", "issue", "open"]);
    let text = open["initial_access_token"].as_str().unwrap();
    assert_eq!((&open["max_uses"], &open["expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(register(dev.port(), text, &app()).0, 201);
    assert_eq!(done(&here, &["initial-token", "revoke", "open"])["revoked"], "open");
    assert_eq!(register(dev.port(), text, &app()).1["error"], "invalid_token");
    let events = done(&here, &["audit", "list", "--kind", "initial_access_token_revoked"]);
    assert_eq!(events["events"][0]["detail"], "open, by command line");
    dev.stop();
    Ok(())
}

fn a_token_that_makes_no_sense_is_not_made() -> Result<(), NotRun> {
    let here = directory("initial-token-refusals");
    Dev::start(&here, ".gatelet").stop();
    let issue = |further: &[&'static str]| [&["initial-token", "issue"], further].concat();
    for further in [
        &[""][..],
        &["ci", "--uses", "0"],
        &["ci", "--uses", "many"],
        &["ci", "--expires-in", "0s"],
        &["ci", "--expires-in", "soon"],
        &["ci", "--client-credentials"],
        &["ci", "--scope", "mcp:fly"],
    ] {
        refused(&here, 2, &issue(further));
    }
    assert_eq!(done(&here, &["initial-token", "list"])["initial_tokens"], json!([]));
    done(&here, &issue(&["ci", "--scope", "mcp:read openid"]));
    refused(&here, 4, &issue(&["ci"]));
    refused(&here, 3, &["initial-token", "show", "cd"]);
    refused(&here, 3, &["initial-token", "revoke", "cd"]);
    Ok(())
}

fn a_declared_token_ends_when_the_configuration_says_so() -> Result<(), NotRun> {
    // RFC 7591 §3
    let here = directory("declared-initial-tokens");
    let text = "0123456789abcdef0123456789ABCDEFx";
    std::fs::write(here.join("token"), text).unwrap();
    let declared = |name: &str, expires_at: &str| {
        format!(
            "[[registration.tokens]]\nname = \"{name}\"\nsecret_file = \"token\"\nexpires_at = {expires_at}\n"
        )
    };
    let serve = Serve::start_with(&here, &declared("ci", "2001-01-01T00:00:00Z"));
    assert_eq!(register(serve.port, text, &app()).1["error"], "invalid_token");
    let shown = done(&here, &["initial-token", "show", "ci"]);
    assert_eq!((&shown["origin"], &shown["good"]), (&"config".into(), &false.into()));
    assert_eq!(shown["expires_at"], "2001-01-01T00:00:00Z");
    assert!(
        refused(&here, 4, &["initial-token", "revoke", "ci"]).contains("belongs to the configuration file")
    );
    serve.stop();
    let serve = Serve::start_with(&here, &declared("ci", "2999-01-01T00:00:00Z"));
    assert_eq!(register(serve.port, text, &app()).0, 201);
    serve.stop();
    Ok(())
}

//! Who may introspect tokens.

use super::{Pretended, errors};
use crate::protocol::IntrospectionMode;

const RESOURCE: &str =
    "[[resources]]\nuri = \"https://mcp.example.com/mcp\"\naliases = [\"https://mcp.example.com\"]\n";

#[test]
fn open_introspection_is_for_loopback() {
    // RFC 7662 §4
    let refused = "introspection: `open` lets everybody who reaches this server ask about tokens";
    assert!(errors("introspection = \"open\"").starts_with(&format!("f:2: {refused}")));
    let loopback = "public_url = \"http://localhost:8710\"\nintrospection = \"open\"\n";
    let heard = format!("{loopback}listen = [\"127.0.0.1:8710\", \"192.0.2.1:8710\"]");
    assert!(Pretended::config(&heard).errors(&[]).contains(refused));
    let config = Pretended::config(loopback).load(&[]).unwrap();
    assert_eq!(config.policy.introspection, IntrospectionMode::Open);
    assert_eq!(super::good("").policy.introspection, IntrospectionMode::Authenticated);
    let found = errors("introspection = \"off\"");
    assert_eq!(found, "f:2: introspection: must be one of `authenticated`, `open`");
}

#[test]
fn a_client_that_introspects_proves_who_it_is() {
    // RFC 7662 §2.1
    let public = "[[clients]]\nid = \"a\"\nredirect_uris = [\"https://a.example/cb\"]\n";
    let found = errors(&format!("{RESOURCE}{public}introspects = [\"https://mcp.example.com/mcp\"]"));
    assert_eq!(
        found,
        "f:8: clients[0].introspects: is for a client that proves who it is; this one has neither a secret nor keys"
    );
}

#[test]
fn a_client_is_the_server_of_resources_that_are_declared() {
    let server = format!("{RESOURCE}[[clients]]\nid = \"notes\"\nsecret_file = \"s\"\n");
    let load = |text: String| {
        let pretended = Pretended::config(&format!("{}{server}{text}", super::URL));
        let pretended = pretended.file("/etc/s", "0123456789abcdef0123456789abcdef");
        pretended.load(&[]).map_err(|errors| errors.to_string())
    };
    // By whichever of its names, what is kept is the resource's own.
    let config = load("introspects = [\"https://mcp.example.com/\"]".to_owned()).unwrap();
    let kept: Vec<_> =
        config.declared.clients[0].client.introspects.iter().map(ToString::to_string).collect();
    assert_eq!(kept, ["https://mcp.example.com/mcp"]);
    let found = load("introspects = [\"https://other.example/mcp\"]".to_owned()).unwrap_err();
    assert!(found.contains("clients[0].introspects[0]: there is no resource `https://other.example/mcp`"));
}

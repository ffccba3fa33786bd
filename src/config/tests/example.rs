//! What `gatelet config example` prints is a configuration.

use super::super::read::Section as _;
use super::super::{clients, example, people, read, server};
use super::{Pretended, errors, warnings};
use crate::protocol::Lifetimes;

/// The example with every `#` that is followed by configuration taken away.
fn uncommented(example: &str) -> String {
    let lines = example.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_uncommented_is_a_good_configuration_that_sets_every_key() {
    let text = uncommented(&example());
    let config = Pretended::config(&text)
        .file("/run/secrets/notes-app", "0123456789abcdef0123456789abcdef\n")
        .file("/run/secrets/registration-ci", "0123456789abcdef0123456789abcdef\n")
        .load(&[])
        .unwrap();
    assert_eq!(warnings(&config), [""; 0]);
    assert_eq!(config.policy.lifetimes, Lifetimes::default(), "the example says that it shows the defaults");
    assert_eq!(config.policy.scopes_supported.to_string(), "notes:read notes:write offline_access");
    let declared = &config.declared;
    let counts =
        [declared.tenants.len(), declared.roles.len(), declared.users.len(), declared.resources.len()];
    assert_eq!(counts, [1; 4]);
    assert_eq!(declared.clients[0].secrets.len(), 1);
    for (section, keys) in [
        ("", server::RawConfig::KEYS),
        ("users", people::RawUser::KEYS),
        ("clients", clients::RawClient::KEYS),
    ] {
        for key in keys.keys.iter().filter(|key| matches!(key.example, read::Example::Value(_))) {
            assert!(text.contains(&format!("\n{} = ", key.name)), "{section}.{}", key.name);
            assert!(!key.doc.is_empty(), "{section}.{} is not documented", key.name);
        }
    }
}

#[test]
fn every_alternative_in_the_example_is_a_key() {
    let example = example();
    let alternatives: Vec<_> = example.lines().filter_map(|line| line.strip_prefix("# Or: ")).collect();
    assert_eq!(alternatives.len(), 13);
    for line in alternatives {
        let section = if line.contains("alice") {
            "[[users]]"
        } else if ["notes-app", "jwks"].iter().any(|word| line.contains(word)) {
            "[[clients]]"
        } else {
            ""
        };
        let errors = errors(&format!("{section}\n{line}\n"));
        assert!(!errors.contains("unknown key") && !errors.contains("must be a"), "{line}: {errors}");
    }
}

//! Secrets in files, from programs and in the environment.

use super::super::{ConfigSecret, DeclaredPassword, KeySource};
use super::{Pretended, URL, warnings};
use crate::protocol::{ClientAuthMethod, GrantType, Timestamp};

#[test]
fn secrets_come_from_files_programs_and_variables() {
    let text = format!(
        "{URL}database_url_command = [\"pass\", \"db\"]\nkey_file = \"kek\"\n\
         [[tenants]]\nid = \"t\"\n\
         [[users]]\nusername = \"a\"\npassword_file = \"/run/pw\"\nmemberships = [{{ tenant = \"t\" }}]\n\
         [[clients]]\nid = \"my-app\"\nprevious_secret_file = \"old\"\n"
    );
    let config = Pretended::config(&text)
        .program("pass db", Ok("postgres://u:hunter2@db/x\n"))
        .file("/etc/kek", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
        .file("/run/pw", " correct horse \r\n")
        .exposed("/etc/old", "0123456789abcdef\n")
        .load(&[("GATELET_CLIENT_MY_APP_SECRET", "0123456789abcdef0123456789abcdef")])
        .unwrap();
    assert_eq!(config.database_url.expose_secret(), "postgres://u:hunter2@db/x");
    assert_eq!(config.key, KeySource::File("/etc/kek".into()));
    let password = DeclaredPassword::Plain(ConfigSecret::new(" correct horse "));
    assert_eq!(config.declared.users[0].password, Some(password));
    let client = &config.declared.clients[0];
    let secrets: Vec<_> = client.secrets.iter().map(ConfigSecret::expose_secret).collect();
    assert_eq!(secrets, ["0123456789abcdef0123456789abcdef", "0123456789abcdef"], "the current one first");
    assert_eq!(client.client.auth_methods, [ClientAuthMethod::ClientSecretBasic]);
    assert_eq!(client.client.grant_types, [GrantType::ClientCredentials]);
    for secret in ["hunter2", "0123456789abcdef", "correct horse"] {
        assert!(!format!("{config:?}").contains(secret), "{secret}");
    }
}

#[test]
fn weak_and_exposed_secrets_earn_warnings() {
    let text = format!(
        "{URL}database_url = \"postgres://u:hunter2@db/x\"\n[[clients]]\nid = \"c\"\nsecret_file = \"weak\"\n\
         [[users]]\nusername = \"a\"\n"
    );
    let pretended = Pretended::default()
        .exposed("/etc/gatelet.toml", &text)
        .exposed("/etc/weak", "0123456789abcdef0123456789abcde");
    assert_eq!(
        warnings(&pretended.load(&[]).unwrap()),
        [
            "f:2: database_url: holds a password, and others may read this file; use database_url_file",
            "f:3: clients[0]: can obtain nothing for itself: neither machine_scopes nor machine nor audience says what",
            "f:5: clients[0].secret_file: others than its owner may open /etc/weak; run `chmod 600 /etc/weak`",
            "f:5: clients[0].secret_file: has less than 128 bits and can be guessed; `openssl rand -hex 32` prints a \
             good one",
            "f:6: users[0]: has no password here, and cannot log in unless the database knows one; `gatelet user password` sets one",
            "f:6: users[0]: belongs to no tenant, and so can use nothing",
        ]
    );
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let pretended = Pretended::config(&format!("{URL}key_file = \"kek\""))
        .exposed("/etc/kek", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let expected = "f:2: key_file: others than its owner may open /etc/kek; run `chmod 600 /etc/kek`";
    assert_eq!(pretended.errors(&[]), expected);
}

#[test]
fn a_variable_that_two_clients_could_mean_is_refused() {
    let client = |id: &str| format!("[[clients]]\nid = \"{id}\"\nredirect_uris = [\"https://a/cb\"]\n");
    let strong = "0123456789abcdef0123456789abcdef";
    for (first, second, name) in [
        ("my-app", "my_app", "GATELET_CLIENT_MY_APP_SECRET"),
        ("a", "a.previous", "GATELET_CLIENT_A_PREVIOUS_SECRET"),
    ] {
        let pretended = Pretended::config(&format!("{URL}{}{}", client(first), client(second)));
        let expected = format!("{name}: would be a secret of both `{first}` and `{second}`");
        assert!(pretended.errors(&[(name, strong)]).ends_with(&expected));
        assert!(pretended.load(&[]).is_ok(), "nobody is confused while no variable is set");
    }
}

/// A resource that knows `a`, and a token with more than it needs.
const TOKEN: &str = "[registration]\nmode = \"token\"\n[[resources]]\nuri = \"https://m.example\"\nscopes = [{ name = \"a\" }]\n\
    [[registration.tokens]]\nname = \"ci\"\nsecret_file = \"ci\"\n";

#[test]
fn a_registration_token_is_declared_with_its_limits() {
    // RFC 7591 §3
    let more = "scopes = [\"a\"]\nclient_credentials = true\nmax_uses = 3\nexpires_at = 2027-01-31T00:00:00Z";
    let text = "0123456789abcdef0123456789ABCDEFx";
    let pretended = Pretended::config(&format!("{URL}{TOKEN}{more}")).file("/etc/ci", text);
    let config = pretended.load(&[]).unwrap();
    assert_eq!(config.policy.registration, crate::protocol::RegistrationMode::Token);
    let [token] = &config.declared.registration_tokens[..] else { panic!("one token") };
    assert_eq!((token.name.as_str(), token.secret.expose_secret()), ("ci", text));
    assert_eq!(token.scopes.as_ref().map(ToString::to_string).as_deref(), Some("a"));
    assert_eq!((token.machines, token.max_uses), (true, Some(3)));
    assert_eq!(token.expires_at, Some(Timestamp::from_seconds(1_801_353_600)));
    assert!(!format!("{config:?}").contains(text));
    let bare = Pretended::config(&format!("{URL}{TOKEN}")).file("/etc/ci", text).load(&[]).unwrap();
    let token = &bare.declared.registration_tokens[0];
    assert_eq!((&token.scopes, token.machines, token.max_uses, token.expires_at), (&None, false, None, None));
    let quoted = format!("{URL}{TOKEN}expires_at = \"2027-01-31T01:00:00+01:00\"");
    let quoted = Pretended::config(&quoted).file("/etc/ci", text).load(&[]).unwrap();
    assert_eq!(
        quoted.declared.registration_tokens[0].expires_at,
        Some(Timestamp::from_seconds(1_801_353_600))
    );
}

#[test]
fn a_registration_token_that_could_be_guessed_or_gives_nothing_is_refused() {
    // RFC 6750 §5.2
    let good = "0123456789abcdef0123456789ABCDEFx";
    for (more, text, message) in [
        ("", "hunter2hunter2", "has less than 128 bits and can be guessed"),
        ("", "0123456789abcdef 0123456789ABCDEFx", "a bearer token is made of letters"),
        ("", "gtl_ia_0123456789abcdef0123456789ABCDEFx", "what begins with gtl_"),
        ("max_uses = 0", good, "must be between 1 and 4294967295"),
        ("client_credentials = true", good, "needs scopes"),
        ("expires_at = 2027-01-31T00:00:00", good, "write a moment as"),
        ("expires_at = \"next year\"", good, "write a moment as"),
        ("expires_at = 7", good, "must be a text"),
        ("[[registration.tokens]]\nname = \"ci\"\nsecret_file = \"ci\"", good, "each stands once"),
        ("[[registration.tokens]]\nname = \"b\"", good, "needs secret_file or secret_command"),
    ] {
        let pretended = Pretended::config(&format!("{URL}{TOKEN}{more}")).file("/etc/ci", text);
        let errors = pretended.load(&[]).unwrap_err().to_string();
        assert!(errors.contains(message) && errors.contains("registration.tokens["), "{errors}");
    }
}

//! Variables of the environment.

use super::super::{ConfigSecret, KeySource, LogConfig, LogFormat, LogLevel};
use super::{Pretended, URL};

#[test]
fn the_environment_stands_above_the_file() {
    let config = Pretended::config(&format!(
        "{URL}listen = [\"127.0.0.1:1\"]\nkey_file = \"k\"\n[lifetimes]\naccess_token = \"5m\"\ncode = \"30s\""
    ))
    .load(&[
        ("GATELET_PUBLIC_URL", "https://other.example"),
        ("GATELET_LISTEN", "0.0.0.0:80, [::]:80"),
        ("GATELET_LIFETIMES__ACCESS_TOKEN", "10m"),
        ("GATELET_LOGIN__MAX_PARALLEL", "3"),
        ("GATELET_LOG__FORMAT", "json"),
        ("GATELET_DATABASE_URL", "postgres://u:hunter2@db/gatelet"),
        ("GATELET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.policy.issuer.as_str(), "https://other.example/oauth");
    assert_eq!(config.listen, ["0.0.0.0:80".parse().unwrap(), "[::]:80".parse().unwrap()]);
    assert_eq!(config.policy.lifetimes.access_token.as_secs(), 600);
    assert_eq!(config.policy.lifetimes.code.as_secs(), 30);
    assert_eq!(config.login.max_parallel.unwrap().get(), 3);
    assert_eq!(config.log, LogConfig { format: LogFormat::Json, level: LogLevel::Info });
    assert_eq!(config.database_url.expose_secret(), "postgres://u:hunter2@db/gatelet");
    assert_eq!(
        config.key,
        KeySource::Given(ConfigSecret::new("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
    );
    assert!(
        !format!("{config:?}").contains("hunter2")
            && !format!("{config:?}").contains("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    );
}

#[test]
fn bad_variables_are_told_by_their_names() {
    let file =
        Pretended::config(&format!("{URL}[[clients]]\nid = \"my-app\"\nredirect_uris = [\"https://a/cb\"]"));
    for (name, value, expected) in [
        ("GATELET_PUBLIC_ULR", "x", "unknown variable; did you mean GATELET_PUBLIC_URL?"),
        ("GATELET_ZZZZ", "x", "unknown variable; `gatelet config example` tells the keys"),
        (
            "GATELET_LISTEN",
            "80",
            "must be an IP address and a port, such as `127.0.0.1:8710`, `[::1]:8710` or `0.0.0.0:8710`",
        ),
        ("GATELET_LISTEN", "", "is empty; unset it instead"),
        ("GATELET_LIFETIMES__CODE", "1h", "is longer than the bound of 10m"),
        ("GATELET_LOGIN__MAX_PARALLEL", "many", "must be a whole number from zero up"),
        ("GATELET_KEY_COMMAND", "x", "unknown variable; did you mean GATELET_KEY?"),
        ("GATELET_USERS", "x", "unknown variable; `gatelet config example` tells the keys"),
        (
            "GATELET_CLIENT_MYAPP_SECRET",
            "x",
            "no client in the configuration has this name; there may be GATELET_CLIENT_MY_APP_SECRET",
        ),
        ("GATELET_CLIENT_MY_APP_SECRET", "1234567", "a client's secret has at least 8 characters"),
    ] {
        assert_eq!(file.errors(&[(name, value)]), format!("{name}: {expected}"));
    }
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_our_name_are_left_alone() {
    let file = Pretended::config(URL);
    let set = [
        ("GATELET_SERVICE_HOST", "10.0.0.1"),
        ("GATELET_SERVICE_PORT", "8710"),
        ("GATELET_SERVICE_PORT_HTTP", "8710"),
        ("GATELET_PORT", "tcp://10.0.0.1:8710"),
        ("GATELET_PORT_8710_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(file.load(&set).is_ok());
    assert!(file.errors(&[("GATELET_PORT", "8710")]).starts_with("GATELET_PORT: unknown variable"));
}

#[test]
fn entries_of_lists_come_from_variables_by_number() {
    let numbered: Vec<(String, String)> = (0..12)
        .flat_map(|number| {
            let variable = |key: &str| format!("GATELET_CLIENTS__{number}__{key}");
            [
                (variable("ID"), format!("app-{number}")),
                (variable("REDIRECT_URIS"), "https://a.example/cb, http://127.0.0.1/cb".to_owned()),
            ]
        })
        .collect();
    let mut variables: Vec<(&str, &str)> =
        numbered.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    variables.extend([
        ("GATELET_RESOURCES__0__URI", "https://m.example"),
        ("GATELET_RESOURCES__0__SCOPES__0__NAME", "read"),
        ("GATELET_RESOURCES__0__SCOPES__1__NAME", "write"),
        ("GATELET_RESOURCES__0__DEFAULT_SCOPES", "read"),
    ]);
    let declared = Pretended::config(URL).load(&variables).unwrap().declared;
    let ids: Vec<_> = declared.clients.iter().map(|declared| declared.client.id.to_string()).collect();
    assert_eq!(ids, (0..12).map(|number| format!("app-{number}")).collect::<Vec<_>>());
    assert_eq!(declared.clients[11].client.redirect_uris.len(), 2);
    assert_eq!(declared.resources[0].default_scopes.to_string(), "read");
    // What the file says of an entry stays where no variable says otherwise.
    let file = Pretended::config(&format!("{URL}[[tenants]]\nid = \"acme\"\nname = \"Acme\"\n"));
    let over =
        file.load(&[("GATELET_TENANTS__0__ID", "globex"), ("GATELET_TENANTS__1__ID", "initech")]).unwrap();
    let tenants: Vec<_> = over.declared.tenants.iter().map(|t| (t.id.as_str(), t.name.as_str())).collect();
    assert_eq!(tenants, [("globex", "Acme"), ("initech", "initech")]);
}

#[test]
fn entries_that_variables_describe_badly_are_told_by_their_names() {
    let unknown = "unknown variable; `gatelet config example` tells the keys";
    for (name, value, expected) in [
        ("GATELET_TENANTS__1__ID", "acme", "has none before it; entries are counted from 0"),
        ("GATELET_TENANTS__0__NAME", "Acme", "tenants[0].id: missing"),
        ("GATELET_TENANTS__0__ID", "a b", "must be 1 to 64 letters, digits, `-`, `_` and `.`"),
        ("GATELET_TENANTS__X__ID", "acme", unknown),
        ("GATELET_TENANTS__1000__ID", "acme", unknown),
        ("GATELET_TENANTS__0", "acme", unknown),
        ("GATELET_TENANTS__0__ID__0", "acme", unknown),
        ("GATELET_USERS__0__PASSWORD_COMMAND", "x", unknown),
    ] {
        assert_eq!(Pretended::config(URL).errors(&[(name, value)]), format!("{name}: {expected}"));
    }
}

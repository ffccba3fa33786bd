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

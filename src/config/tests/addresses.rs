//! Where the server says that it is, and where it listens.

use super::{Pretended, warnings};

fn load(public_url: &str, issuer: &str, listen: &str) -> Result<super::Config, String> {
    let key = |name: &str, value: &str| match value {
        "" => "\n".to_owned(),
        value => format!("{name} = {value}\n"),
    };
    let text = [key("public_url", public_url), key("issuer", issuer), key("listen", listen)].concat();
    let config = Pretended::config(&text).load(&[]);
    config.map_err(|errors| errors.to_string().replace("/etc/gatelet.toml", "f"))
}

#[test]
fn the_issuer_lies_under_the_public_url_which_may_have_a_path() {
    for (public_url, issuer, expected_issuer, home) in [
        ("https://id.example", "", "https://id.example/oauth", "https://id.example/"),
        ("https://id.example/", "", "https://id.example/oauth", "https://id.example/"),
        ("https://id.example/auth", "", "https://id.example/auth/oauth", "https://id.example/auth/"),
        ("https://id.example/auth/", "", "https://id.example/auth/oauth", "https://id.example/auth/"),
        ("https://id.example/login", "", "https://id.example/login/oauth", "https://id.example/login/"),
        (
            "https://id.example/auth",
            "https://id.example/auth",
            "https://id.example/auth",
            "https://id.example/auth/",
        ),
        (
            "https://id.example/auth",
            "https://id.example/auth/t/a/",
            "https://id.example/auth/t/a/",
            "https://id.example/auth/",
        ),
        ("", "https://id.example/auth/oauth", "https://id.example/auth/oauth", "https://id.example/"),
    ] {
        let quoted = |text: &str| if text.is_empty() { String::new() } else { format!("{text:?}") };
        let config = load(&quoted(public_url), &quoted(issuer), "").unwrap();
        assert_eq!(config.policy.issuer.as_str(), expected_issuer);
        assert_eq!(config.policy.issuer.public_url().page_url("/"), home);
        assert_eq!(warnings(&config), [""; 0]);
    }
}

#[test]
fn addresses_that_cannot_be_right_are_refused_with_what_to_write() {
    const PLAIN_HTTP: &str = "plain http is for localhost, 127.0.0.1 and [::1] alone; from elsewhere passwords and \
        tokens would cross the network in the open: let a reverse proxy or a tunnel speak https, and write its \
        https:// address";
    let rewritten = |normal: &str| {
        format!("is compared byte for byte, and many programs would rewrite it; write {normal}")
    };
    let bare = |normal: &str| format!("must have no user name, no query and no fragment; write {normal}");
    for (issuer, expected) in [
        ("https://other.example/oauth", "begins with https://other.example, but public_url is https://id.example/auth".to_owned()),
        ("https://id.example/oauth", "lies outside of public_url, https://id.example/auth; write https://id.example/auth/oauth, or move public_url".to_owned()),
        ("https://id.example/auth/consent", "/auth/consent is the address of a page of this server; write https://id.example/auth/oauth, or another path".to_owned()),
        ("http://id.example/auth/oauth", PLAIN_HTTP.to_owned()),
        ("http://192.168.1.5:8710/oauth", PLAIN_HTTP.to_owned()),
        ("https://id.example:443/auth/oauth", rewritten("https://id.example/auth/oauth")),
        ("https://ID.example/auth/oauth", rewritten("https://id.example/auth/oauth")),
        ("https://id.example/auth/oauth?tenant=a", bare("https://id.example/auth/oauth")),
        ("https://id.example/auth/oauth#", bare("https://id.example/auth/oauth")),
        ("https://me:secret@id.example/auth/oauth", bare("https://id.example/auth/oauth")),
        ("https://id.example/auth/o auth", "its path must be made of letters, digits and -._~ between single slashes".to_owned()),
        ("id.example/auth/oauth", "must be an absolute URL, such as https://id.example.com".to_owned()),
    ] {
        let said = load("\"https://id.example/auth\"", &format!("{issuer:?}"), "").unwrap_err();
        assert_eq!(said, format!("f:2: issuer: {expected}"), "{issuer}");
    }
    for (public_url, expected) in [
        ("https://id.example/auth?", bare("https://id.example/auth")),
        ("HTTPS://id.example", rewritten("https://id.example")),
        ("http://gatelet:8710", PLAIN_HTTP.to_owned()),
    ] {
        assert_eq!(
            load(&format!("{public_url:?}"), "", "").unwrap_err(),
            format!("f:1: public_url: {expected}")
        );
    }
    // Both at once, each by itself.
    let both = load("\"https://ID.example\"", "\"http://id.example\"", "").unwrap_err();
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn an_address_at_which_nobody_listens_earns_a_warning() {
    const LOOPBACK: &str =
        "f:1: public_url: plain http on loopback: only programs on this machine can use this server";
    for (public_url, listen, expected) in [
        ("https://id.example", "[\"0.0.0.0:80\"]", &[][..]),
        ("http://localhost:8710", "", &[LOOPBACK]),
        (
            "http://localhost:8710",
            "[\"127.0.0.1:9000\"]",
            &[
                LOOPBACK,
                "f:1: public_url: nothing listens at http://localhost:8710, only at 127.0.0.1:9000; make port and \
                 address the same, unless something forwards the one to the other",
            ],
        ),
        (
            "http://localhost:8710",
            "[\"0.0.0.0:8710\"]",
            &[
                "f:1: public_url: listens for other machines at 0.0.0.0:8710, but to each of them http://localhost:8710 \
               is itself; give the https address by which all of them reach this server",
            ],
        ),
    ] {
        let config = load(&format!("{public_url:?}"), "", listen).unwrap();
        assert_eq!(warnings(&config), expected, "{public_url} {listen}");
    }
}

//! Bad configurations, and what is said of them.

use super::{Pretended, URL, errors};

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let text = r#"public_url = "https://id.example:443"
listn = ["127.0.0.1:1"]
listen = ["localhost:80", 5]
[lifetimes]
access_token = "2h"
[[clients]]
id = "a"
redirect_uris = ["http://a.example/cb"]
[[clients]]
id = "a"
redirect_uris = ["https://a.example/cb", "javascript:x"]
"#;
    let expected = "\
f:1: public_url: is compared byte for byte, and many programs would rewrite it; write https://id.example
f:2: listn: unknown key; did you mean `listen`?
f:3: listen[1]: must be a text, not of type integer
f:3: listen[0]: must be an IP address and a port, such as `127.0.0.1:8710`, `[::1]:8710` or `0.0.0.0:8710`
f:5: lifetimes.access_token: is longer than the bound of 1h
f:8: clients[0].redirect_uris[0]: http is for 127.0.0.1, [::1] and localhost only; use https
f:10: clients[1].id: the same id as clients[0].id; each stands once
f:11: clients[1].redirect_uris[1]: the scheme must be https, http on loopback, or an application's own in \
reverse-domain form";
    assert_eq!(
        Pretended::config(text).errors(&[("GATELET_TOKEN", "x")]).rsplit_once('\n').unwrap().0,
        expected
    );
}

#[test]
fn server_keys_that_do_not_fit_together_are_refused_in_words() {
    for (text, expected) in [
        (
            "database_url = \"mysql://x\"",
            "f:2: database_url: must be `sqlite:<path of a file>` or `postgres://<user>@<host>/<database>`",
        ),
        (
            "database_url = \"sqlite::memory:\"",
            "f:2: database_url: must be `sqlite:<path of a file>` or `postgres://<user>@<host>/<database>`",
        ),
        (
            "key_file = \"gatelet.toml\"",
            "f:2: key_file: a key-encryption key is 32 random bytes in base64, as `openssl rand -base64 32` prints them",
        ),
        (
            "hosts = [\"id.internal:80\"]",
            "f:2: hosts[0]: must be a host name without port, such as `id.internal`",
        ),
        (
            "trusted_proxies = [\"10.0.0.1/8\"]",
            "f:2: trusted_proxies[0]: must be an IP address or a range of them, such as `10.0.0.5`, `10.0.0.0/8` or \
             `fd00::/8`",
        ),
        (
            "[registration]\nrate = \"0/1m\"",
            "f:3: registration.rate: write a rate as a number and a time of at most `1d`, such as `100/1m`",
        ),
        (
            "[registration]\ntotal_rate = \"5/2d\"",
            "f:3: registration.total_rate: write a rate as a number and a time of at most `1d`, such as `100/1m`",
        ),
        ("[registration]\nmax_unused = 0", "f:3: registration.max_unused: must be between 1 and 100000"),
        ("[lifetimes]\naudit = \"3651d\"", "f:3: lifetimes.audit: is longer than the bound of 3650d"),
        ("listen = []", "f:2: listen: names no address to listen on"),
        (
            "default_resource = \"https://mcp.example\"",
            "f:2: default_resource: there is no resource `https://mcp.example`",
        ),
        ("public_url = \"https://x\"", "f:2: duplicate key"),
        ("issuer = \"\"", "f:2: issuer: is empty; leave the key out instead"),
        ("[login]\nmax_parallel = 0", "f:3: login.max_parallel: must be between 1 and 256"),
        ("[login]\nmax_parallel = -1", "f:3: login.max_parallel: must be a whole number from zero up"),
        ("[log]\nformat = \"xml\"", "f:3: log.format: must be one of `text`, `json`"),
        (
            "[lifetimes]\ncode = \"90\"",
            "f:3: lifetimes.code: write a duration as a number and a unit of d, h, m or s, such as `15m`, `1h30m` or `30d`",
        ),
        ("[lifetimes]\ncode = \"0s\"", "f:3: lifetimes.code: is shorter than the bound of 1s"),
        ("[lifetimes]\nkey_lead = \"119m\"", "f:3: lifetimes.key_lead: is shorter than the bound of 2h"),
        (
            "[lifetimes]\nkey_active = \"3h\"",
            "f:3: lifetimes.key_active: key_active (3h) is shorter than key_lead (1d)",
        ),
        (
            "[lifetimes]\nrefresh_absolute = \"1d\"",
            "f:3: lifetimes.refresh_absolute: refresh_idle (30d) is longer than refresh_absolute (1d)",
        ),
        ("[registration]\nmode = \"on\"", "f:3: registration.mode: must be one of `open`, `token`, `off`"),
    ] {
        assert_eq!(errors(text), expected, "{text}");
    }
}

#[test]
fn people_and_resources_that_do_not_fit_together_are_refused_in_words() {
    for (text, expected) in [
        (
            "[[tenants]]\nid = \"a b\"",
            "f:3: tenants[0].id: must be 1 to 64 letters, digits, `-`, `_` and `.`",
        ),
        ("[[tenants]]\nname = \"A\"", "f:2: tenants[0].id: missing"),
        ("users = 3", "f:2: users: must be a list of tables, not of type integer"),
        (
            "[[users]]\nusername = \"a\"\n[[users]]\nusername = \"A\"",
            "f:5: users[1].username: the same username as users[0].username; each stands once",
        ),
        (
            "[[users]]\nusername = \"a\"\nmemberships = [{ tenant = \"acme\" }]",
            "f:4: users[0].memberships[0].tenant: there is no tenant `acme`",
        ),
        ("[[users]]\nusername = \"a\"\nemail = \"a\"", "f:4: users[0].email: is no mail address"),
        (
            "[[users]]\nusername = \"a\"\npassword_hash = \"$2b$12$x\"",
            "f:4: users[0].password_hash: must be an Argon2id hash in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`",
        ),
        (
            "[[resources]]\nuri = \"https://a/#x\"",
            "f:3: resources[0].uri: a resource is an absolute URI without fragment, at most 2048 characters long",
        ),
        (
            "[[resources]]\nuri = \"https://A/x/\"\n[[resources]]\nuri = \"https://b\"\naliases = [\"https://a:443/x\"]",
            "f:6: resources[1].aliases[0]: the same URI as resources[0].uri; each stands once",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\ndefault_scopes = [\"x\"]",
            "f:4: resources[0].default_scopes[0]: `x` is none of its scopes",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\nscopes = [{ name = \"x\", roles = [\"r\"] }]",
            "f:4: resources[0].scopes[0].roles[0]: there is no role `r`",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\nscopes = [{ name = \"offline_access\" }]",
            "f:4: resources[0].scopes[0].name: offline_access belongs to no resource; it is accepted everywhere",
        ),
        (
            "[[resources]]\nuri = \"https://a\"\naccess_token_ttl = \"61m\"",
            "f:4: resources[0].access_token_ttl: is longer than the bound of 1h",
        ),
    ] {
        assert_eq!(errors(text), expected, "{text}");
    }
}

#[test]
fn a_client_is_not_called_like_a_person() {
    // RFC 9700 §4.15: `sub` of a machine's token is its client_id.
    let text = "[[users]]\nusername = \"alice\"\nid = \"u-1\"\n[[clients]]\nid = \"u-1\"\nredirect_uris = [\"https://a.example/\"]";
    let expected = "f:6: clients[0].id: is the id of a person too; tokens of the two could not be told apart";
    assert_eq!(errors(text), expected);
}

#[test]
fn clients_that_could_not_work_are_refused_in_words() {
    for (client, expected) in [
        (
            "redirect_uris = [\"https://a/cb\"]\ngrant_types = [\"client_credentials\"]",
            "f:5: clients[0].grant_types: has redirect URIs, which only authorization_code uses\nf:5: clients[0].grant_types: client_credentials needs a secret (secret_file, secret_command or its variable) or keys (jwks, jwks_file or jwks_uri)",
        ),
        (
            "",
            "f:2: clients[0]: has neither redirect_uris nor a secret or keys; a public client needs the first, a machine one of the others",
        ),
        (
            "grant_types = [\"authorization_code\"]",
            "f:2: clients[0].redirect_uris: authorization_code needs at least one",
        ),
        (
            "redirect_uris = [\"https://a/cb\"]\nauth_method = \"client_secret_post\"",
            "f:5: clients[0].auth_method: client_secret_post needs a secret: secret_file, secret_command or its variable",
        ),
        (
            "redirect_uris = [\"https://a/cb\"]\nauth_method = \"none\"\nsecret_file = \"long\"",
            "f:5: clients[0].auth_method: is `none`, but the client has a secret",
        ),
        (
            "secret_file = \"long\"\nsecret_command = [\"p\"]",
            "f:5: clients[0].secret_command: clients[0].secret_file says already where this secret is",
        ),
        (
            "secret_file = \"nowhere\"",
            "f:4: clients[0].secret_file: cannot read /etc/nowhere: entity not found",
        ),
        (
            "secret_file = \"empty\"",
            "f:4: clients[0].secret_file: gives no secret: nothing, or something with a NUL character in it",
        ),
        (
            "secret_file = \"short\"",
            "f:4: clients[0].secret_file: a client's secret has at least 8 characters",
        ),
        ("secret_command = [\"p\"]", "f:4: clients[0].secret_command: not there"),
        (
            "secret_command = \"p\"",
            "f:2: clients[0]: has neither redirect_uris nor a secret or keys; a public client needs the first, a machine one of the others\nf:4: clients[0].secret_command: must be a list of a program and its arguments, not of type string",
        ),
        (
            "secret_file = \"long\"\nmachine_scopes = [\"x\"]",
            "f:5: clients[0].machine_scopes[0]: no resource of this client knows `x`",
        ),
        (
            "secret_file = \"long\"\nresource = \"https://mcp.example\"",
            "f:5: clients[0].resource: there is no resource `https://mcp.example`",
        ),
        ("secret_file = \"long\"\ntenant = \"acme\"", "f:5: clients[0].tenant: there is no tenant `acme`"),
        ("secret_file = \"long\"\nuri = \"javascript:x\"", "f:5: clients[0].uri: must be an https URL"),
        (
            "secret_file = \"long\"\nfirst_party = \"yes\"",
            "f:5: clients[0].first_party: must be true or false, not of type string",
        ),
        (
            "previous_secret_file = \"long\"\nredirect_uris = [\"https://a/cb\"]",
            "f:2: clients[0]: has a previous secret, but no secret",
        ),
    ] {
        let found = Pretended::config(&format!("{URL}[[clients]]\nid = \"c\"\n{client}"))
            .file("/etc/long", "0123456789012345678901")
            .file("/etc/short", "secret\n")
            .file("/etc/empty", "\n")
            .errors(&[]);
        assert_eq!(found, expected, "{client}");
    }
}

/// A public key by which a client could sign.
const KEY: &str = r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn clients_whose_keys_or_methods_could_not_work_are_refused_in_words() {
    // RFC 7591 §2; RFC 7517 §5
    for (client, expected) in [
        ("jwks = 'x'", "f:4: clients[0].jwks: is no JSON Web Key Set: a JSON object with a list of `keys`"),
        ("jwks = 'KEY'", "f:4: clients[0].jwks: is a single key; write `{\"keys\": [ … ]}` around it"),
        (
            "jwks = '{\"keys\": [KEY, {\"kty\": \"OKP\", \"d\": \"hunter2\"}]}'",
            "f:4: clients[0].jwks: key 2 is private: whoever can read this could sign as the client; make a new pair, and give \
             the public part",
        ),
        ("jwks_file = \"nowhere\"", "f:4: clients[0].jwks_file: cannot read /etc/nowhere: entity not found"),
        ("jwks_uri = \"http://a.example/jwks\"", "f:4: clients[0].jwks_uri: must be an https URL"),
        ("jwks_uri = \"http://localhost/jwks\"", "f:4: clients[0].jwks_uri: must be an https URL"),
        (
            "jwks = 'SET'\njwks_uri = \"https://a/jwks\"",
            "f:5: clients[0].jwks_uri: clients[0].jwks says already what its keys are",
        ),
        (
            "secret_file = \"long\"\nauth_method = \"private_key_jwt\"",
            "f:5: clients[0].auth_method: private_key_jwt needs keys: jwks, jwks_file or jwks_uri\nf:5: clients[0].auth_method: \
             the client has a secret, which this does not use; add client_secret_basic",
        ),
        (
            "jwks = 'SET'\nauth_method = \"client_secret_post\"",
            "f:5: clients[0].auth_method: client_secret_post needs a secret: secret_file, secret_command or its variable\n\
             f:5: clients[0].auth_method: the client has keys, which this does not use; add private_key_jwt",
        ),
        (
            "jwks = 'SET'\nauth_method = \"none\"\nredirect_uris = [\"https://a/cb\"]",
            "f:5: clients[0].auth_method: is `none`, but the client has keys",
        ),
        (
            "jwks = 'SET'\nauth_method = [\"none\", \"private_key_jwt\"]",
            "f:5: clients[0].auth_method[0]: `none` beside another method: whoever need show nothing need not show that",
        ),
        (
            "jwks = 'SET'\nauth_method = [\"private_key_jwt\", \"private_key_jwt\"]",
            "f:5: clients[0].auth_method[1]: the same method as clients[0].auth_method[0]; each stands once",
        ),
        (
            "jwks = 'SET'\nauth_method = []",
            "f:5: clients[0].auth_method: names no method; `none` is for a client that has nothing to show",
        ),
        (
            "jwks = 'SET'\nauth_method = \"tls_client_auth\"",
            "f:5: clients[0].auth_method: must be one of `none`, `client_secret_basic`, `client_secret_post`, \
             `private_key_jwt`",
        ),
    ] {
        let client = client.replace("SET", &format!("{{\"keys\": [{KEY}]}}")).replace("KEY", KEY);
        let found = Pretended::config(&format!("{URL}[[clients]]\nid = \"c\"\n{client}"))
            .file("/etc/long", "0123456789012345678901")
            .errors(&[]);
        assert_eq!(found, expected, "{client}");
    }
}

#[test]
fn what_a_client_may_obtain_for_itself_has_to_be_there() {
    let resource =
        "[[resources]]\nuri = \"https://m.example/\"\naudience = \"notes\"\nscopes = [{ name = \"a\" }]\n";
    for (client, expected) in [
        ("machine = [{ scopes = [\"a\"] }]", "f:9: clients[0].machine[0].resource: missing"),
        (
            "machine = [{ resource = \"https://n.example\" }]",
            "f:9: clients[0].machine[0].resource: there is no resource `https://n.example`",
        ),
        (
            "machine = [{ resource = \"https://m.example\", scopes = [\"b\"] }]",
            "f:9: clients[0].machine[0].scopes[0]: `b` is none of its scopes",
        ),
        (
            "machine = [{ resource = \"https://m.example\" }, { resource = \"https://m.example/\" }]",
            "f:9: clients[0].machine[1].resource: the same resource as clients[0].machine[0].resource; each stands once",
        ),
        (
            "resource = \"https://m.example\"\naudience = \"c\"",
            "f:10: clients[0].audience: the client has a default resource, so an audience of its own would never be used",
        ),
        (
            "audience = \"notes\"",
            "f:9: clients[0].audience: is the audience of https://m.example/; name that as `resource`",
        ),
        (
            "audience = \"https://M.example\"",
            "f:9: clients[0].audience: is the audience of https://m.example/; name that as `resource`",
        ),
        ("audience = \"a b\"", "f:9: clients[0].audience: must be one word of at most 2048 bytes"),
    ] {
        let found = Pretended::config(&format!(
            "{URL}{resource}[[clients]]\nid = \"c\"\nsecret_file = \"long\"\n{client}"
        ))
        .file("/etc/long", "0123456789012345678901")
        .errors(&[]);
        assert_eq!(found, expected, "{client}");
    }
    let people = "redirect_uris = [\"https://a/cb\"]\nmachine = [{ resource = \"https://m.example\" }]";
    assert_eq!(
        errors(&format!("{resource}[[clients]]\nid = \"c\"\n{people}")),
        "f:9: clients[0].machine[0]: only client_credentials uses them"
    );
}

#[test]
fn claims_that_would_mean_something_else_are_refused_in_words() {
    // RFC 9068 §2.2: what has a fixed meaning keeps it.
    let rule = "must be 1 to 128 printable ASCII characters, and no claim whose meaning is fixed, such as `sub` or `scope`";
    let resource = "[[resources]]\nuri = \"https://a\"\n";
    for (text, expected) in [
        ("[claims]\ntenant = \"sub\"".to_owned(), format!("f:3: claims.tenant: {rule}")),
        ("[claims]\nrole = \"a b\"".to_owned(), format!("f:3: claims.role: {rule}")),
        (
            "[claims]\nrole = \"x\"\ntenant = \"x\"".to_owned(),
            "f:3: claims.role: the same claim as claims.tenant; each stands once".to_owned(),
        ),
        (format!("{resource}claims = [{{ from = \"tenant\" }}]"), "f:4: resources[0].claims[0].name: missing".to_owned()),
        (
            format!("{resource}claims = [{{ name = \"x\", from = \"user.password\" }}]"),
            format!("f:4: resources[0].claims[0].from: {}", crate::protocol::ClaimSource::RULE),
        ),
        (
            format!("{resource}claims = [{{ name = \"aud\", from = \"user.attributes.a\" }}]"),
            format!("f:4: resources[0].claims[0].name: {rule}"),
        ),
        (
            format!("{resource}claims = [{{ name = \"x\", from = \"role\" }}, {{ name = \"x\", from = \"tenant\" }}]"),
            "f:4: resources[0].claims[1].name: the same claim as resources[0].claims[0].name; each stands once".to_owned(),
        ),
        (
            format!("{resource}claims = [{{ name = \"roles\", from = \"user.attributes.a\" }}]"),
            "f:2: resources[0].claims: `roles` is the name of the roles claim of every token; give that another name in \
             [claims], or here by `from = \"roles\"`"
                .to_owned(),
        ),
        (
            "[[users]]\nusername = \"a\"\nattributes = { \"a b\" = \"x\", c = 1, d = [\"x\", 2] }".to_owned(),
            "f:4: users[0].attributes.a b: the name must be 1 to 64 letters, digits, `-`, `_` and `.`\n\
             f:4: users[0].attributes.c: must be a text, not of type integer\n\
             f:4: users[0].attributes.d[1]: must be a text, not of type integer"
                .to_owned(),
        ),
        (
            "[[users]]\nusername = \"a\"\nattributes = \"x\"".to_owned(),
            "f:4: users[0].attributes: must be a table, not of type string".to_owned(),
        ),
    ] {
        assert_eq!(errors(&text), expected, "{text}");
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for text in [
        "key = \"hunter2\"",
        "[[users]]\nusername = \"a\"\npassword = \"hunter2\"",
        "[[users]]\nusername = \"a\"\npassword_hash = \"hunter2\"",
        "[[clients]]\nid = \"a\"\nsecret = \"hunter2\"",
        "database_url = \"hunter2\"",
        "database_url = \"postgres://u:hunter2",
        "database_url = hunter2",
        "key = [\"hunter2\"",
    ] {
        assert!(!errors(text).contains("hunter2"), "{}", errors(text));
    }
    assert_eq!(
        errors("[[clients]]\nid = \"a\"\nredirect_uris = [\"https://a\"]\nsecret = \"hunter2\""),
        "f:5: clients[0].secret: a secret is not written in this file; use `secret_file` or `secret_command`"
    );
    let short = Pretended::config(URL).errors(&[("GATELET_DATABASE_URL", "hunter2")]);
    assert!(!short.contains("hunter2"), "{short}");
}

//! `gatelet client`, `gatelet user` and `gatelet resource`: everything that the configuration can say, by a command.

use std::path::Path;

use gatelet::clock::Clock;
use gatelet::testkit::ClientKey;
use serde_json::{Value, json};

use crate::commands::{done, ran, refused, token_request};
use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![
    a_client_signs_by_keys_that_a_command_gave_it,
    a_client_can_be_told_everything_and_have_it_taken_away,
    what_is_said_of_a_client_decides_what_it_is,
    a_client_that_could_not_work_is_refused_as_in_the_configuration,
    what_is_written_down_about_people_is_in_the_tokens_of_a_resource,
    the_rules_of_a_scope_are_set_one_by_one,
];

const DEMO: &str = "https://mcp.example.com/mcp";

/// Asks for a token by an assertion of the client's key (RFC 7523 §2.2); the status.
fn signed_request(dev: &Dev, client: &str, key: ClientKey, jti: &str) -> u16 {
    let now = Clock::system().now().seconds();
    let claims =
        json!({"iss": client, "sub": client, "aud": dev.issuer(), "exp": now + 60, "iat": now, "jti": jti});
    let assertion = key.sign(&json!({"alg": "RS256", "kid": key.kid()}), &claims);
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let form = format!(
        "grant_type=client_credentials&scope=mcp%3Aread&client_assertion_type={kind}&client_assertion={assertion}"
    );
    token_request(dev.port(), &form).0
}

fn a_client_signs_by_keys_that_a_command_gave_it() -> Result<(), NotRun> {
    // RFC 7591 §2; RFC 7523 §2.2
    let here = directory("client-keys");
    let dev = Dev::start(&here, ".gatelet");
    std::fs::write(here.join("first.json"), ClientKey::FIRST.jwks().to_string()).unwrap();
    std::fs::write(here.join("second.json"), ClientKey::SECOND.jwks().to_string()).unwrap();
    let add = ["client", "add", "signer", "--jwks-file", "first.json", "--machine-scope", "mcp:read"];
    let added = done(&here, &[&add[..], &["--tenant", "acme"]].concat());
    assert_eq!(added["auth_methods"], json!(["private_key_jwt"]));
    assert_eq!(added["grant_types"], json!(["client_credentials"]));
    assert_eq!((&added["jwks"], added.get("client_secret")), (&ClientKey::FIRST.jwks(), None));
    assert_eq!(signed_request(&dev, "signer", ClientKey::FIRST, "a"), 200);
    done(&here, &["client", "change", "signer", "--jwks-file", "second.json"]);
    assert_eq!(signed_request(&dev, "signer", ClientKey::FIRST, "b"), 401);
    assert_eq!(signed_request(&dev, "signer", ClientKey::SECOND, "c"), 200);
    let at = done(&here, &["client", "change", "signer", "--jwks-uri", "https://a.example/jwks.json"]);
    assert_eq!((&at["jwks_uri"], &at["jwks"]), (&"https://a.example/jwks.json".into(), &Value::Null));

    // Whoever needs a secret from now on is given one, and the keys go; and the other way round.
    let changed = done(&here, &["client", "change", "signer", "--auth-method", "client_secret_post"]);
    assert_eq!((&changed["jwks_uri"], &changed["jwks"]), (&Value::Null, &Value::Null));
    let secret = changed["client_secret"].as_str().unwrap();
    let form = format!("grant_type=client_credentials&client_id=signer&client_secret={secret}");
    assert_eq!(token_request(dev.port(), &form).0, 200);
    let back = ["--jwks-file", "first.json", "--auth-method", "private_key_jwt"];
    let changed = done(&here, &[&["client", "change", "signer"][..], &back].concat());
    assert_eq!((&changed["secrets_made_at"], changed.get("client_secret")), (&json!([]), None));
    assert_eq!(token_request(dev.port(), &form).0, 401);
    assert_eq!(signed_request(&dev, "signer", ClientKey::FIRST, "d"), 200);
    dev.stop();
    Ok(())
}

fn add_resource(here: &Path) {
    let add = ["resource", "add", DEMO, "--alias", "https://alias.example.com", "--audience", "notes"];
    done(here, &[&add[..], &["--scope", "notes:read=Read", "--scope", "notes:write=Write"]].concat());
}

fn a_client_can_be_told_everything_and_have_it_taken_away() -> Result<(), NotRun> {
    let here = directory("client-members");
    Dev::start(&here, ".gatelet").stop();
    add_resource(&here);
    // Whichever of its names is said, it is the resource that is meant.
    let alias = "https://alias.example.com";
    let at = format!("{alias} notes:write");
    let members = [
        ("machine-scope", "machine_scopes", "notes:read", json!(["notes:read"]), json!([])),
        ("machine-at", "machine_at", at.as_str(), json!({DEMO: ["notes:write"]}), json!({})),
        ("introspects", "introspects", alias, json!([DEMO]), json!([])),
        ("resource", "resource", alias, DEMO.into(), Value::Null),
        ("tenant", "tenant", "acme", "acme".into(), Value::Null),
        ("people-of", "people_of", "globex", json!(["globex"]), json!([])),
        ("name", "name", "Agent", "Agent".into(), Value::Null),
        ("uri", "uri", "https://agent.example", "https://agent.example".into(), Value::Null),
        ("scope", "scope", "notes:read", "notes:read".into(), Value::Null),
        ("attribute", "attributes", "tier=gold", json!({"tier": "gold"}), json!({"tier": "gold"})),
    ];
    let options = |values: &[&str]| -> Vec<String> {
        members.iter().zip(values).map(|((option, ..), value)| format!("--{option}={value}")).collect()
    };
    let said = options(&members.each_ref().map(|(_, _, value, ..)| *value));
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let told = done(&here, &[&["client", "add", "agent", "--machine"], &said[..]].concat());
    for (_, member, _, value, _) in &members {
        assert_eq!(told[member], *value, "{member}");
    }
    let changed = done(&here, &["client", "change", "agent", "--uri", "https://b.example"]);
    assert_eq!(changed["machine_at"], told["machine_at"], "what is not named stays");
    let empty = options(&[""; 9]);
    let empty: Vec<&str> = empty.iter().map(String::as_str).collect();
    let bare = done(&here, &[&["client", "change", "agent"], &empty[..]].concat());
    for (_, member, _, _, nothing) in &members {
        assert_eq!(bare[member], *nothing, "{member}");
    }
    Ok(())
}

fn what_is_said_of_a_client_decides_what_it_is() -> Result<(), NotRun> {
    let here = directory("client-kinds");
    Dev::start(&here, ".gatelet").stop();
    add_resource(&here);
    let web = ["client", "add", "web", "--confidential", "--redirect-uri", "https://web.example/cb"];
    let further = ["--post-logout-redirect-uri", "https://web.example/", "--audience", "web"];
    let web = done(&here, &[&web[..], &further].concat());
    assert_eq!(web["post_logout_redirect_uris"], json!(["https://web.example/"]));
    assert!(web["audience"] == "web" && web["client_secret"].is_string(), "{web}");
    for only in
        [&["--introspects", DEMO][..], &["--grant", "client_credentials"], &["--machine-scope", "mcp:read"]]
    {
        let machine = done(&here, &[&["client", "add"], only].concat());
        assert_eq!(machine["grant_types"], json!(["client_credentials"]), "nothing else has to be said");
        assert!(machine["client_secret"].is_string(), "{machine}");
    }
    let tagged =
        ["client", "change", "web", "--attribute", "tier=gold", "--attribute", r#"groups:=["staff"]"#];
    assert_eq!(done(&here, &tagged)["attributes"], json!({"tier": "gold", "groups": ["staff"]}));
    let shown = ran(&here, &["client", "show", "web"]).stdout;
    assert!(shown.contains(r#"groups:=["staff"] tier=gold"#), "{shown}");
    let changed = done(&here, &["client", "change", "web", "--attribute", "tier=", "--attribute", "a=b"]);
    assert_eq!(changed["attributes"], json!({"groups": ["staff"], "a": "b"}));
    Ok(())
}

fn a_client_that_could_not_work_is_refused_as_in_the_configuration() -> Result<(), NotRun> {
    let here = directory("client-refusals");
    Dev::start(&here, ".gatelet").stop();
    add_resource(&here);
    std::fs::write(here.join("bad.json"), r#"{"keys": [{"kty": "oct", "k": "x"}]}"#).unwrap();
    let web = ["--redirect-uri", "https://a.example/cb"];
    for (code, said, arguments) in [
        (2, "is symmetric", &["--jwks-file", "bad.json"][..]),
        (2, "none.json", &["--jwks-file", "none.json"]),
        (2, "must be an https URL", &["--jwks-uri", "http://a.example/jwks"]),
        (2, "private_key_jwt needs keys", &["--machine", "--auth-method", "private_key_jwt"]),
        (2, "is the audience of", &["--machine", "--audience", "notes"]),
        (2, "must be one word", &["--machine", "--audience", "a b"]),
        (2, "would never be used", &["--machine", "--audience", "a", "--resource", DEMO]),
        (2, "none of the scopes", &["--machine-at", "https://mcp.example.com/mcp mcp:read"]),
        (2, "no resource of this client knows", &["--machine-scope", "mcp:read", "--resource", DEMO]),
        (2, "only client_credentials uses", &[&web[..], &["--machine-scope", "notes:read"]].concat()),
        (2, "proves who it is", &[&web[..], &["--introspects", DEMO]].concat()),
        (2, "NAME=TEXT", &["--machine", "--attribute", "tier"]),
        (2, "possible values: none, client_secret_basic", &["--auth-method", "magic"]),
        (3, "there is no resource", &["--introspects", "https://nowhere.example"]),
        (3, "there is no resource", &["--machine-at", "https://nowhere.example a"]),
        (3, "there is no tenant", &["--machine", "--people-of", "nowhere"]),
    ] {
        let said_so = refused(&here, code, &[&["client", "add", "c"][..], arguments].concat());
        assert!(said_so.contains(said), "{arguments:?}: {said_so}");
    }
    refused(&here, 3, &["client", "show", "c"]);
    // Nor the other way round.
    done(&here, &["client", "add", "c", "--machine", "--audience", "word"]);
    let taken = ["resource", "change", DEMO, "--audience", "word"];
    assert!(refused(&here, 2, &taken).contains("has an audience of its own"));
    Ok(())
}

fn what_is_written_down_about_people_is_in_the_tokens_of_a_resource() -> Result<(), NotRun> {
    let here = directory("attributes");
    let dev = Dev::start(&here, ".gatelet");
    let add = ["resource", "add", DEMO, "--scope", "notes:read=Read", "--signing-alg", "ES256"];
    let claims = ["--claim", "department=user.attributes.department", "--claim", "org=tenant"];
    let added = done(&here, &[&add[..], &claims].concat());
    assert_eq!(added["claims"], json!({"department": "user.attributes.department", "org": "tenant"}));
    let person = ["user", "add", "bob", "--tenant", "acme", "--attribute", "department=sales"];
    let person = done(&here, &[&person[..], &["--attribute", r#"groups:=["a","b"]"#]].concat());
    assert_eq!(person["attributes"], json!({"department": "sales", "groups": ["a", "b"]}));
    let token = || {
        let issue = ["token", "issue", "--user", "bob", "--resource", DEMO, "--scope", "notes:read"];
        let token = ran(&here, &issue).stdout;
        done(&here, &["token", "inspect", token.trim()])["claims"].clone()
    };
    let claims = token();
    assert_eq!((&claims["department"], &claims["org"]), (&"sales".into(), &"acme".into()));
    assert_eq!(claims.get("tenant"), None, "it has another name here");
    let joined = done(&here, &["user", "join", "bob", "acme=member", "--attribute", "seat=7"]);
    assert_eq!(joined["tenant_attributes"], json!({"acme": {"seat": "7"}}));
    done(
        &here,
        &[
            "resource",
            "change",
            DEMO,
            "--claim",
            "seat=membership.attributes.seat",
            "--claim",
            "department=user.attributes.department",
        ],
    );
    assert_eq!((&token()["seat"], &token()["department"]), (&"7".into(), &"sales".into()));
    let joined = done(&here, &["user", "join", "bob", "acme"]);
    assert_eq!(
        (&joined["tenants"]["acme"], &joined["tenant_attributes"]["acme"]["seat"]),
        (&json!([]), &"7".into())
    );
    let changed = done(&here, &["user", "change", "bob", "--attribute", "department="]);
    assert_eq!(changed["attributes"], json!({"groups": ["a", "b"]}));
    assert_eq!(token().get("department"), None);
    let keys = done(&here, &["key", "list"]);
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["alg"] == "ES256"), "{keys}");
    let taken = refused(&here, 2, &["resource", "change", DEMO, "--claim", "roles=user.name"]);
    assert!(taken.contains("is the name of the roles claim"), "{taken}");
    refused(&here, 2, &["resource", "change", DEMO, "--claim", "sub=user.name"]);
    let bare = done(&here, &["resource", "change", DEMO, "--claim", "", "--signing-alg", "RS256"]);
    assert_eq!((&bare["claims"], &bare["signing_alg"]), (&json!({}), &"RS256".into()));
    dev.stop();
    Ok(())
}

fn the_rules_of_a_scope_are_set_one_by_one() -> Result<(), NotRun> {
    let here = directory("scope-rules");
    let dev = Dev::start(&here, ".gatelet");
    add_resource(&here);
    let rules = "notes:write consent=always max_age=5m access_token_ttl=2m";
    let changed = done(&here, &["resource", "change", DEMO, "--scope-rule", rules]);
    let write = &changed["scopes"][1];
    assert_eq!((&write["consent"], &write["max_age_seconds"]), (&"always".into(), &300.into()));
    assert_eq!(write["access_token_seconds"], 120);
    let lax = ["--scope-rule", "notes:write max_age=0s", "--scope", "notes:write=Change your notes"];
    let changed = done(&here, &[&["resource", "change", DEMO][..], &lax].concat());
    let write = &changed["scopes"][1];
    assert_eq!(
        (&write["description"], &write["max_age_seconds"]),
        (&"Change your notes".into(), &Value::Null)
    );
    assert_eq!((&write["consent"], &write["access_token_seconds"]), (&"always".into(), &120.into()));
    let issue = ["token", "issue", "--user", "alice", "--resource", DEMO, "--scope", "notes:write"];
    let token = ran(&here, &issue).stdout;
    let claims = &done(&here, &["token", "inspect", token.trim()])["claims"];
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
    for rules in [
        "notes:fly max_age=5m",
        "notes:write max_age=59s",
        "notes:write access_token_ttl=2h",
        "notes:write x=y",
    ] {
        refused(&here, 2, &["resource", "change", DEMO, "--scope-rule", rules]);
    }
    let reserved = refused(&here, 2, &["resource", "change", DEMO, "--scope", "openid=Who you are"]);
    assert!(reserved.contains("belongs to no resource"), "{reserved}");
    dev.stop();
    Ok(())
}

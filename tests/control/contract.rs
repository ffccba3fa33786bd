//! The OpenAPI document against the routes, and who may use them.

use std::collections::BTreeSet;

use gatelet::control;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, answer};

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

async fn document(world: &World) -> Value {
    let url = format!("{}/openapi.json", world.gatelet.mode().control_url());
    // Without the key: what it says is in the program for everybody.
    let (status, document) = answer(world.http.get(url)).await;
    assert_eq!(status, 200);
    document
}

#[tokio::test]
async fn the_document_has_the_paths_of_the_router_and_their_methods() {
    let world = World::start().await;
    let document = document(&world).await;
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<String> = paths.keys().map(|path| format!("/control{path}")).collect();
    assert_eq!(documented, control::paths().into_iter().collect());
    for (path, item) in paths {
        let path = path.replace("{name}", "nobody").replace("{id}", "1").replace("{client_id}", "c");
        let path = path.replace("{snapshot}", "s");
        for method in METHODS {
            let (status, _) = world.ask(method.clone(), &path, Some(json!({}))).await;
            let is_documented = item.get(method.as_str().to_lowercase()).is_some();
            assert_eq!(status != 405, is_documented, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    found.insert(to.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document(&World::start().await).await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 15);
    for to in found {
        assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to}");
    }
}

#[tokio::test]
async fn an_issuer_is_told_as_it_is_documented() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    let document = document(&world).await;
    for (schema, value) in [
        ("Issuer", &issuer.view),
        ("Person", &issuer.view["people"][0]),
        ("Client", &issuer.view["clients"][1]),
        ("Resource", &issuer.view["resources"][0]),
        ("Minted", &issuer.post("/tokens", json!({})).await),
        ("Specimen", &issuer.post("/zoo", json!({})).await["specimens"][1]),
        ("Clock", &issuer.put("/clock", json!({ "frozen": true })).await),
        ("Keys", &issuer.post("/keys", json!({ "action": "rotate" })).await),
    ] {
        let schema = &document["components"]["schemas"][schema];
        let known = schema["properties"].as_object().unwrap();
        let value = value.as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(value.contains_key(required.as_str().unwrap()), "{required}");
        }
        for name in value.keys() {
            assert!(known.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn the_control_plane_wants_its_key_and_its_host() {
    let world = World::start().await;
    let url = format!("{}/issuers", world.gatelet.mode().control_url());
    for request in [
        world.http.get(&url),
        world.http.get(&url).bearer_auth("gtl_ck_0000"),
        world.http.post(&url).basic_auth("x", Some(world.gatelet.mode().key())),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key("www-authenticate"), "RFC 6750 §3");
    }
    // A page of another name that leads here (DNS rebinding).
    let request = world.http.get(&url).bearer_auth(world.gatelet.mode().key()).header("host", "evil.example");
    assert_eq!(answer(request).await.0, 403);
}

#[tokio::test]
async fn what_makes_no_sense_is_told_with_its_place() {
    let world = World::start().await;
    for (spec, place) in [
        (json!({ "nme": "x" }), "`nme`"),
        (json!({ "name": "Not/A/Name" }), "name"),
        (json!({ "config": { "users": [{ "usernam": "x" }] } }), "users[0].usernam"),
        (json!({ "config": { "listen": ["0.0.0.0:1"] } }), "config.listen"),
        (json!({ "config": { "clients": [{ "id": "c", "secret_file": "/etc/passwd" }] } }), "secret_file"),
        (json!({ "persona": "nobody" }), "nobody"),
    ] {
        let (status, answer) = world.ask(Method::POST, "/issuers", Some(spec)).await;
        let description = answer["error_description"].as_str().unwrap();
        assert!((400..500).contains(&status) && description.contains(place), "{status}: {description}");
    }
    let first = world.issuer(json!({ "name": "one" })).await;
    let (status, _) = world.ask(Method::POST, "/issuers", Some(json!({ "name": "one" }))).await;
    assert_eq!(status, 409);
    assert_eq!(first.ask(Method::DELETE, "", None).await.0, 204);
    assert_eq!(first.ask(Method::GET, "", None).await.0, 404);
    assert_eq!(first.get(first.text("jwks_uri")).await.0, 404);
    // The one at the root lasts as long as the process.
    assert_eq!(world.ask(Method::DELETE, "/issuers/default", None).await.0, 400);
}

#[tokio::test]
async fn no_path_but_the_documents_own_is_open() {
    let world = World::start().await;
    let issuer = world.issuer(json!({})).await;
    for path in ["clients/openapi.json", "faults/openapi.json"] {
        let url = format!("{}/{path}", issuer.text("control_url"));
        assert_eq!(answer(world.http.delete(url)).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn times_are_times() {
    let world = World::start().await;
    let spec = json!({ "now": i64::MIN, "frozen": false });
    assert_eq!(world.ask(Method::POST, "/issuers", Some(spec)).await.0, 400);
    let issuer = world.issuer(json!({})).await;
    for (method, path, body) in [
        (Method::PUT, "/clock", json!({ "now": -1 })),
        (Method::POST, "/clock/advance", json!({ "seconds": u64::MAX })),
        (Method::POST, "/requests/expect", json!({ "wait": -1 })),
        (Method::GET, "/requests?wait=61", json!({})),
        (Method::GET, "/requests?wait=nan", json!({})),
    ] {
        assert_eq!(issuer.ask(method, path, Some(body)).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn everything_is_refused_in_json() {
    let world = World::start().await;
    let mode = world.gatelet.mode();
    world.issuer(json!({ "name": "one" })).await;
    let long = "x".repeat(3 * 1024 * 1024);
    let one = "/issuers/one";
    for (method, path, body, expected) in [
        (Method::POST, format!("{one}/users"), long.as_str(), 413),
        (Method::GET, "/issuers/%FF".to_owned(), "", 404),
        (Method::DELETE, "/issuers/one/faults/%ff".to_owned(), "", 404),
        (Method::GET, "/issuer".to_owned(), "", 404),
        (Method::GET, String::new(), "", 404),
        (Method::PATCH, one.to_owned(), "{}", 405),
        (Method::POST, format!("{one}/tokens"), "[null]", 400),
        (Method::POST, format!("{one}/tokens"), "{", 400),
        (Method::PUT, format!("{one}/persona"), "", 400),
        (Method::PUT, format!("{one}/clock"), "", 400),
        (Method::PUT, format!("{one}/documents"), r#"{"url":"nowhere","document":{}}"#, 400),
        (Method::PUT, format!("{one}/documents"), r#"{"url":"https://c.example/c","status":200}"#, 400),
        (Method::POST, format!("{one}/faults"), r#"{"endpoint":"*","delay_ms":300001}"#, 400),
        (Method::POST, format!("{one}/requests/expect"), r#"{"status":7}"#, 400),
        (Method::POST, "/issuers".to_owned(), r#"{"documents":{"nowhere":{}}}"#, 400),
    ] {
        let url = format!("{}{path}", mode.control_url());
        let request = world.http.request(method.clone(), url).bearer_auth(mode.key()).body(body.to_owned());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{method} {path}");
        let error: Value = answer.json().await.unwrap();
        assert!(error["error"].is_string() && error["error_description"].is_string(), "{error}");
    }
    // A stranger is not told what there is.
    for path in ["/control", "/control/nothing", "/control/issuers"] {
        let url = mode.control_url().replace("/control", path);
        assert_eq!(answer(world.http.get(url)).await.0, 401, "{path}");
    }
}

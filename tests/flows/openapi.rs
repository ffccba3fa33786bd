//! The OpenAPI document against the routes: neither has an endpoint for programs that the other does not.

use std::collections::BTreeSet;

use gatelet::protocol::RegistrationMode;
use gatelet::testkit::TestServer;
use serde_json::Value;

use crate::cases;
use crate::world::{Database, server, world};

cases![
    the_document_names_every_endpoint_for_programs_and_no_other,
    a_server_without_registration_describes_none,
    the_document_is_about_this_server,
];

/// What is for people, and further addresses of what the document names once.
const NOT_DESCRIBED: &[&str] = &[
    "/",
    "/oauth",
    "/oauth/",
    "/login",
    "/logout",
    "/consent",
    "/assets/{name}",
    "/healthz",
    "/readyz",
    "/.well-known/jwks.json",
    "/oauth/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/oauth",
    "/oauth/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/oauth",
];

async fn document(server: &TestServer) -> Value {
    server.get(&server.endpoint("openapi.json")).await.json
}

/// Path and method of each operation.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
            methods.map(move |method| (path.clone(), method.to_uppercase()))
        })
        .collect()
}

/// Path and method of each route that the document has to name. A method that no route knows is answered with the ones
/// that it does (RFC 9110 §15.5.6).
async fn routes(server: &TestServer) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for path in server.app().paths() {
        if NOT_DESCRIBED.contains(&path.as_str()) {
            continue;
        }
        let url = format!("{}{}", server.origin(), path.replace("{client_id}", "nobody"));
        let answer = server.http().patch(url).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let allowed = answer.headers()["allow"].to_str().unwrap().to_owned();
        let described = path.strip_prefix("/oauth").unwrap_or(&path).to_owned();
        // HEAD comes with GET.
        let methods = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD");
        found.extend(methods.map(|method| (described.clone(), method.to_owned())));
    }
    found
}

async fn the_document_names_every_endpoint_for_programs_and_no_other(database: Database) {
    let server = server(database).await;
    assert_eq!(operations(&document(&server).await), routes(&server).await);
}

async fn a_server_without_registration_describes_none(database: Database) {
    let server = world(database).registration(RegistrationMode::Off).start().await;
    let described = operations(&document(&server).await);
    assert!(described.contains(&("/token".to_owned(), "POST".to_owned())));
    assert!(!described.iter().any(|(path, _)| path.starts_with("/register")), "{described:?}");
}

async fn the_document_is_about_this_server(database: Database) {
    let server = server(database).await;
    let document = document(&server).await;
    assert_eq!(document["servers"][0]["url"], server.issuer());
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

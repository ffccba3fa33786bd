//! The routes of the control plane, on one screen.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refused, json};
use super::asked::{At, Body};
use super::auto::Auto;
use super::capture::Pattern;
use super::decide::DecideSpec;
use super::document::DocumentSpec;
use super::faults::FaultSpec;
use super::guard;
use super::issuer::TestIssuer;
use super::keys::KeySpec;
use super::mint::{self, MintSpec};
use super::personas::PERSONAS;
use super::spec::IssuerSpec;
use super::test_mode::TestMode;
use super::time::{Advance, ClockSetting};

/// The path of the control plane.
const AT: &str = "/control";

/// Where the contract is.
pub(super) const OPENAPI_PATH: &str = "/control/openapi.json";

const OPENAPI: &str = include_str!("openapi.json");

/// Every route, by its path under the control plane's own.
fn table() -> Vec<(&'static str, MethodRouter<TestMode>)> {
    vec![
        ("/openapi.json", get(openapi)),
        ("/personas", get(personas)),
        ("/issuers", get(list_issuers).post(make_issuer)),
        ("/issuers/{name}", get(show_issuer).delete(end_issuer)),
        ("/issuers/{name}/tokens", post(mint_token)),
        ("/issuers/{name}/zoo", get(list_zoo).post(make_zoo)),
        ("/issuers/{name}/revoke", post(revoke)),
        ("/issuers/{name}/authorize", post(decide)),
        ("/issuers/{name}/auto", put(set_auto)),
        ("/issuers/{name}/clock", get(show_clock).put(set_clock)),
        ("/issuers/{name}/clock/advance", post(advance_clock)),
        ("/issuers/{name}/keys", post(change_keys)),
        ("/issuers/{name}/faults", get(list_faults).post(add_fault).delete(clear_faults)),
        ("/issuers/{name}/faults/{id}", delete(remove_fault)),
        ("/issuers/{name}/persona", put(set_persona)),
        ("/issuers/{name}/requests", get(list_requests).delete(forget_requests)),
        ("/issuers/{name}/requests/expect", post(expect_requests)),
        ("/issuers/{name}/snapshots", get(list_snapshots).post(keep)),
        ("/issuers/{name}/snapshots/{snapshot}/restore", post(put_back)),
        ("/issuers/{name}/documents", put(supply).delete(withdraw)),
        ("/issuers/{name}/users", post(add_user)),
        ("/issuers/{name}/clients", post(add_client)),
        ("/issuers/{name}/clients/{client_id}", delete(remove_client)),
        ("/issuers/{name}/resources", post(add_resource)),
        ("/issuers/{name}/tenants", post(add_tenant)),
    ]
}

/// The paths of the control plane, as a router reads them: none of another mode has one of them.
pub fn paths() -> Vec<String> {
    table().into_iter().map(|(path, _)| format!("{AT}{path}")).collect()
}

/// The control plane.
pub(super) fn control(mode: &TestMode) -> Router<TestMode> {
    let add = |router: Router<TestMode>, (path, methods)| router.route(&format!("{AT}{path}"), methods);
    table()
        .into_iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(wrong_method)
        .route_layer(from_fn_with_state(mode.clone(), ended_meanwhile))
        .route_layer(from_fn_with_state(mode.clone(), guard::check))
}

type Mode = State<TestMode>;
type Name = At<String>;

fn found(mode: &TestMode, name: &str) -> Result<Arc<TestIssuer>, Refused> {
    mode.issuer(name).ok_or_else(|| Refused::not_found("issuer", name))
}

fn ok(body: &impl serde::Serialize) -> Answer {
    Ok(json(StatusCode::OK, body))
}

fn created(body: &impl serde::Serialize) -> Answer {
    Ok(json(StatusCode::CREATED, body))
}

fn done() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What fails because its issuer was ended meanwhile is told so: there is none.
async fn ended_meanwhile(State(mode): Mode, request: Request, next: Next) -> Response {
    let name = request.uri().path().strip_prefix("/control/issuers/").and_then(|rest| rest.split('/').next());
    let issuer = name.and_then(|name| mode.issuer(name));
    let answer = next.run(request).await;
    match issuer {
        Some(issuer) => issuer.unless_ended(answer),
        None => answer,
    }
}

async fn wrong_method() -> Refused {
    Refused::other_method()
}

/// Whether a path is the control plane's, whether or not it has a route there.
pub(super) fn is_control(path: &str) -> bool {
    path.strip_prefix(AT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request to a path of the control plane that has no route.
pub(super) fn no_route(mode: &TestMode, request: &Request) -> Response {
    guard::refusal(mode, request).unwrap_or_else(Refused::no_route).into_response()
}

async fn openapi(State(mode): Mode) -> Response {
    let text = OPENAPI.replace("{control_url}", &mode.control_url());
    let text = text.replace("{version}", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn personas() -> Answer {
    ok(&json!({ "personas": PERSONAS }))
}

async fn list_issuers(State(mode): Mode) -> Answer {
    let mut issuers = Vec::new();
    for issuer in mode.issuers() {
        issuers.push(issuer.view().await);
    }
    ok(&json!({ "issuers": issuers }))
}

async fn make_issuer(State(mode): Mode, body: Body) -> Answer {
    let issuer = mode.make(body.read_or_default::<IssuerSpec>()?).await?;
    created(&issuer.view().await)
}

async fn show_issuer(State(mode): Mode, At(name): Name) -> Answer {
    ok(&found(&mode, &name)?.view().await)
}

async fn end_issuer(State(mode): Mode, At(name): Name) -> Answer {
    mode.remove(&name).await?;
    done()
}

async fn mint_token(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    created(&found(&mode, &name)?.mint(&body.read_or_default::<MintSpec>()?).await?)
}

async fn list_zoo(State(mode): Mode, At(name): Name) -> Answer {
    found(&mode, &name)?;
    ok(&json!({ "specimens": mint::listed() }))
}

async fn make_zoo(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let specimens = found(&mode, &name)?.zoo(&body.read_or_default::<MintSpec>()?).await?;
    created(&json!({ "specimens": specimens }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    token: String,
}

async fn revoke(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let Revocation { token } = body.read()?;
    found(&mode, &name)?.revoke(&token).await?;
    done()
}

async fn decide(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let location = found(&mode, &name)?.decide_and_spoil(&body.read::<DecideSpec>()?).await?;
    ok(&json!({ "location": location }))
}

async fn set_auto(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let auto = body.read_or_default::<Option<Auto>>()?;
    found(&mode, &name)?.set_auto(auto);
    done()
}

async fn show_clock(State(mode): Mode, At(name): Name) -> Answer {
    ok(&found(&mode, &name)?.time())
}

async fn set_clock(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    ok(&found(&mode, &name)?.set_time(body.read::<ClockSetting>()?).await?)
}

async fn advance_clock(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let Advance { seconds } = body.read()?;
    ok(&found(&mode, &name)?.advance(Duration::from_secs(seconds)).await?)
}

async fn change_keys(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let KeySpec { action } = body.read()?;
    ok(&found(&mode, &name)?.change_keys(action).await?)
}

async fn list_faults(State(mode): Mode, At(name): Name) -> Answer {
    ok(&json!({ "faults": found(&mode, &name)?.faults() }))
}

async fn add_fault(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let id = found(&mode, &name)?.add_fault(body.read::<FaultSpec>()?)?;
    created(&json!({ "id": id }))
}

async fn clear_faults(State(mode): Mode, At(name): Name) -> Answer {
    found(&mode, &name)?.clear_faults();
    done()
}

async fn remove_fault(State(mode): Mode, At((name, id)): At<(String, String)>) -> Answer {
    let issuer = found(&mode, &name)?;
    match id.parse().is_ok_and(|id| issuer.remove_fault(id)) {
        true => done(),
        false => Err(Refused::not_found("fault", &id)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaChoice {
    persona: Option<String>,
}

async fn set_persona(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let PersonaChoice { persona } = body.read()?;
    found(&mode, &name)?.put_on(persona.as_deref())?;
    done()
}

async fn list_requests(State(mode): Mode, At(name): Name, RawQuery(query): RawQuery) -> Answer {
    let issuer = found(&mode, &name)?;
    let mut pattern = Pattern::default();
    for (name, value) in pairs(query.as_deref()) {
        let bad = || Refused::invalid(format!("{name}: {value:?} is no number"));
        match &*name {
            "after" => pattern.after = value.parse().map_err(|_| bad())?,
            "wait" => pattern.wait = value.parse().map_err(|_| bad())?,
            "endpoint" => pattern.endpoint = Some(value),
            _ => return Err(Refused::invalid(format!("{name}: is no parameter here"))),
        }
    }
    pattern.check()?;
    let requests = issuer.requests(&pattern).await;
    let next = requests.last().map_or(pattern.after, |last| last.n);
    ok(&json!({ "requests": requests, "next": next }))
}

fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

async fn forget_requests(State(mode): Mode, At(name): Name) -> Answer {
    found(&mode, &name)?.forget_requests();
    done()
}

async fn expect_requests(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let requests = found(&mode, &name)?.expect(&body.read::<Pattern>()?).await?;
    ok(&json!({ "requests": requests }))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotName {
    name: Option<String>,
}

async fn list_snapshots(State(mode): Mode, At(name): Name) -> Answer {
    ok(&json!({ "snapshots": found(&mode, &name)?.kept() }))
}

async fn keep(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    let issuer = found(&mode, &name)?;
    let SnapshotName { name } = body.read_or_default()?;
    let name = issuer.keep(name.as_deref()).await?;
    created(&json!({ "name": name }))
}

async fn put_back(State(mode): Mode, At((name, snapshot)): At<(String, String)>) -> Answer {
    found(&mode, &name)?.put_back(&snapshot).await?;
    done()
}

async fn supply(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    found(&mode, &name)?.supply(&body.read::<DocumentSpec>()?)?;
    done()
}

async fn withdraw(State(mode): Mode, At(name): Name, RawQuery(query): RawQuery) -> Answer {
    let issuer = found(&mode, &name)?;
    let url = pairs(query.as_deref()).into_iter().find(|(name, _)| name == "url");
    let (_, url) = url.ok_or_else(|| Refused::invalid("url: is missing"))?;
    issuer.withdraw(&url);
    done()
}

async fn add_user(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    add(&mode, &name, "users", &body).await
}

async fn add_client(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    add(&mode, &name, "clients", &body).await
}

async fn add_resource(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    add(&mode, &name, "resources", &body).await
}

async fn add_tenant(State(mode): Mode, At(name): Name, body: Body) -> Answer {
    add(&mode, &name, "tenants", &body).await
}

async fn add(mode: &TestMode, name: &str, table: &str, body: &Body) -> Answer {
    let issuer = found(mode, name)?;
    issuer.declare(table, body.read::<Map<String, Value>>()?).await?;
    created(&issuer.view().await)
}

async fn remove_client(State(mode): Mode, At((name, client_id)): At<(String, String)>) -> Answer {
    found(&mode, &name)?.remove_client(&client_id).await?;
    done()
}

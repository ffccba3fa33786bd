//! Personas: documented kinds of broken and hostile authorization servers, for whoever writes an MCP client. What
//! released clients do about each is in `docs/personas.md`.

use axum::http::header;
use serde::Serialize;
use serde_json::json;

use super::answer::Refused;
use super::faults::FaultSpec;
use super::issuer::TestIssuer;
use super::keys::KeyAction;
use crate::store::{ClientFilter, Origin};

/// An issuer that is not this one.
const OTHER_ISSUER: &str = "https://other-issuer.example/oauth";
/// Clients that are read at a time.
const PAGE: u32 = 100;

/// A kind of broken or hostile authorization server.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Persona {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What a client has to do about it.
    pub client_must: &'static str,
    /// The text that asks for it.
    pub section: &'static str,
    #[serde(skip)]
    faults: fn() -> Vec<FaultSpec>,
    /// What it does beside, once: before it answers the next request to an endpoint.
    #[serde(skip)]
    happens: Option<Happening>,
}

/// Something that a persona does of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// Signs with another key from the next token request on, and publishes the one before no longer.
    LosesKey,
    /// Forgets, at the next token request, every client that registered itself.
    ForgetsClients,
}

const fn persona(
    name: &'static str,
    section: &'static str,
    [does, client_must]: [&'static str; 2],
    faults: fn() -> Vec<FaultSpec>,
) -> Persona {
    Persona { name, does, client_must, section, faults, happens: None }
}

impl Persona {
    const fn who(self, happening: Happening) -> Self {
        Self { happens: Some(happening), ..self }
    }
}

/// All personas.
pub const PERSONAS: &[Persona] = &[
    persona(
        "mix-up",
        "RFC 9207 §2.4",
        [
            "sends the browser back to the client with the iss of another issuer",
            "refuse the answer, and send the code nowhere",
        ],
        mix_up,
    ),
    persona(
        "missing-iss",
        "RFC 9207 §2.4",
        [
            "announces the iss parameter in its metadata and sends the browser back without it",
            "refuse the answer, and send the code nowhere",
        ],
        missing_iss,
    ),
    persona(
        "wrong-issuer",
        "RFC 8414 §3.3",
        ["names another issuer in its metadata", "not use the metadata: send nobody to log in there"],
        wrong_issuer,
    ),
    persona(
        "malformed-metadata",
        "RFC 8414 §3.2",
        ["breaks off its metadata in the middle", "say so, and send nobody to log in there"],
        malformed_metadata,
    ),
    persona(
        "html-metadata",
        "RFC 8414 §3.2",
        ["answers every request for metadata with 200 and a web page", "say so, and send nobody to log in there"],
        html_metadata,
    ),
    persona(
        "endless-cache",
        "RFC 9111 §4.2",
        [
            "lets its metadata and keys be kept for ten years",
            "get in; and ask again when what it kept fails, such as a key that is not there",
        ],
        endless_cache,
    ),
    persona(
        "keys-rotated-mid-flow",
        "RFC 7517 §5",
        [
            "exchanges its key between the login and the token, and publishes the one before no longer",
            "get in: an access token is opaque to it (RFC 6749 §1.4); a resource server reads the keys again",
        ],
        nothing,
    )
    .who(Happening::LosesKey),
    persona(
        "purged-clients",
        "RFC 7591 §3.2.1",
        [
            "forgets the client that registered itself: from the first token request on it is an invalid_client",
            "register again and start over, of itself or when the person tries again",
        ],
        nothing,
    )
    .who(Happening::ForgetsClients),
    persona(
        "refresh-errors",
        "RFC 6749 §5.2",
        [
            "answers every refresh with invalid_grant",
            "drop the tokens and send the person to log in again",
        ],
        refresh_errors,
    ),
    persona(
        "server-errors",
        "RFC 9110 §10.2.3",
        [
            "answers the first token request with 503 and Retry-After: 1, and works from then on",
            "get in: with the same code after the time it was told, or when the person tries again",
        ],
        server_errors,
    ),
    persona(
        "slow",
        "RFC 9110 §9.2.2",
        ["takes three seconds for every answer", "get in: wait for it, and send no code a second time"],
        slow,
    ),
];

fn for_good(endpoint: &str) -> FaultSpec {
    FaultSpec { endpoint: endpoint.to_owned(), times: None, ..FaultSpec::default() }
}

/// A fault of the answer that a client gets by the browser, wherever the person was last.
fn returning(iss: Option<&str>) -> Vec<FaultSpec> {
    let iss = [("iss".to_owned(), iss.map(str::to_owned))];
    let at = |endpoint| FaultSpec { redirect_set: iss.clone().into(), ..for_good(endpoint) };
    // They may come back from the consent page or the login page too.
    ["authorize", "consent", "login"].map(at).into()
}

fn headers<const N: usize>(headers: [(header::HeaderName, &str); N]) -> FaultSpec {
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), Some(value.to_owned())));
    FaultSpec { headers: headers.into(), ..FaultSpec::default() }
}

fn nothing() -> Vec<FaultSpec> {
    Vec::new()
}

fn mix_up() -> Vec<FaultSpec> {
    returning(Some(OTHER_ISSUER))
}

fn missing_iss() -> Vec<FaultSpec> {
    returning(None)
}

fn wrong_issuer() -> Vec<FaultSpec> {
    let set = [("issuer".to_owned(), OTHER_ISSUER.into())].into_iter().collect();
    vec![FaultSpec { set, ..for_good("metadata") }]
}

fn instead_of_metadata(media_type: &str, body: &str) -> Vec<FaultSpec> {
    let typed = headers([(header::CONTENT_TYPE, media_type)]);
    vec![FaultSpec {
        status: Some(200),
        body: Some(body.to_owned()),
        headers: typed.headers,
        ..for_good("metadata")
    }]
}

fn malformed_metadata() -> Vec<FaultSpec> {
    instead_of_metadata("application/json", r#"{"issuer": "http"#)
}

fn html_metadata() -> Vec<FaultSpec> {
    instead_of_metadata("text/html", "<!doctype html><title>Welcome</title><p>Nothing is to be found here.")
}

fn endless_cache() -> Vec<FaultSpec> {
    let kept = headers([(header::CACHE_CONTROL, "public, max-age=315360000, immutable")]);
    ["metadata", "jwks"]
        .map(|endpoint| FaultSpec { headers: kept.headers.clone(), ..for_good(endpoint) })
        .into()
}

fn refresh_errors() -> Vec<FaultSpec> {
    let typed = headers([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")]);
    let error = json!({ "error": "invalid_grant", "error_description": "the refresh token is not valid" });
    vec![FaultSpec {
        form: [("grant_type".to_owned(), "refresh_token".to_owned())].into(),
        status: Some(400),
        body: Some(error.to_string()),
        headers: typed.headers,
        ..for_good("token")
    }]
}

fn server_errors() -> Vec<FaultSpec> {
    let later = headers([(header::RETRY_AFTER, "1")]);
    vec![FaultSpec { times: Some(1), status: Some(503), headers: later.headers, ..for_good("token") }]
}

fn slow() -> Vec<FaultSpec> {
    vec![FaultSpec { delay_ms: 3000, ..for_good("*") }]
}

/// Whether there is a persona of this name.
pub(super) fn check(name: Option<&str>) -> Result<Option<&'static Persona>, Refused> {
    let find = |name: &str| {
        let found = PERSONAS.iter().find(|persona| persona.name == name);
        found.ok_or_else(|| Refused::not_found("persona", name))
    };
    name.map(find).transpose()
}

impl TestIssuer {
    /// Takes on a persona, or none, in place of the one before.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn put_on(&self, name: Option<&str>) -> Result<(), Refused> {
        let persona = check(name)?;
        self.faults.drop_persona();
        if let Some(persona) = persona {
            for fault in (persona.faults)() {
                self.faults.add(fault, Some(persona.name))?;
            }
        }
        let mut held = self.held();
        held.persona = persona.map(|persona| persona.name.to_owned());
        held.happens = persona.and_then(|persona| persona.happens);
        Ok(())
    }

    /// Lets happen what its persona does before it answers a request to this endpoint.
    ///
    /// # Errors
    /// Faults.
    pub(super) async fn let_happen(&self, endpoint: &str) -> Result<(), Refused> {
        if endpoint != "token" {
            return Ok(());
        }
        let happening = self.held().happens.take();
        match happening {
            Some(Happening::LosesKey) => self.change_keys(KeyAction::Lose).await.map(drop),
            Some(Happening::ForgetsClients) => self.forget_clients().await,
            None => Ok(()),
        }
    }

    async fn forget_clients(&self) -> Result<(), Refused> {
        let admin = self.administrator();
        loop {
            let filter = ClientFilter { origin: Some(Origin::Dynamic), ..ClientFilter::default() };
            let clients = admin.clients(None, filter, PAGE).await?;
            if clients.is_empty() {
                return Ok(());
            }
            for client in clients {
                admin.delete_client(&client.known.thing.id).await?;
            }
        }
    }
}

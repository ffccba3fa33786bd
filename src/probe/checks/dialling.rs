//! Whether the server dials addresses that a token names.

use serde_json::{Map, Value, json};

use crate::probe::control::{Issuer, Sample};
use crate::probe::door::Door;
use crate::probe::listener::KeyListener;
use crate::probe::report::{Check, Rule};
use crate::probe::{ProbeError, Wanted};

const DIALLED: Rule = Rule::new(
    "token/jku-not-dialled",
    "RFC 8725 §3.10",
    "No address that a token names is dialled, whatever becomes of the token.",
    "Ignore `jku` and `x5u`; fetch keys from the configured issuer alone.",
);

const ISSUER: Rule = Rule::new(
    "token/issuer-not-dialled",
    "RFC 9068 §4, RFC 8725 §3.8",
    "Keys are fetched from the configured issuer alone: anybody can be an issuer and name himself in a token.",
    "Compare `iss` with the configured issuer before anything is fetched.",
);

/// Sends tokens that name an address of ours, and looks whether anybody calls there.
pub(super) async fn check(
    issuer: &Issuer,
    door: &Door,
    wanted: &Wanted,
    samples: &[Sample],
) -> Result<[Check; 2], ProbeError> {
    let neither = |reason: &str| Ok([DIALLED.not_checked(reason), ISSUER.not_checked(reason)]);
    if !door.is_loopback() {
        return neither("the probe listens on loopback, which a server elsewhere may not reach");
    }
    let attacker = samples.iter().find(|sample| sample.name == "embedded-jwk");
    let Some(jwk) = attacker.and_then(|sample| header_of(&sample.token)?.get("jwk").cloned()) else {
        return neither("the zoo has no specimen with an attacker's key");
    };
    let listener = KeyListener::start(&jwk).await?;
    let header = json!({ "jku": listener.url(), "x5u": listener.url() });
    let token = issuer.specimen(wanted, "jku", header, json!({})).await?;
    let by_header =
        match header_of(&token).is_some_and(|header| header.get("jku") == Some(&json!(listener.url()))) {
            false => DIALLED.not_checked("the control plane made the token with another jku"),
            true => match caught(door, &listener, &token).await? {
                None => DIALLED.kept(),
                // A server that lets the token in without a look at its key is told so by the specimen itself.
                Some(told) => DIALLED.broken(told),
            },
        };
    let listener = KeyListener::start(&jwk).await?;
    let token =
        issuer.specimen(wanted, "unknown-key", json!({}), json!({ "iss": listener.issuer() })).await?;
    let by_issuer = match caught(door, &listener, &token).await? {
        None => ISSUER.kept(),
        Some(told) if told.starts_with(FETCHED) => ISSUER.broken(told),
        // No text forbids to look.
        Some(told) => ISSUER.advised(told),
    };
    Ok([by_header, by_issuer])
}

/// What is said of a server that did more than dial.
const FETCHED: &str = "fetched the attacker's key and accepted the token";

/// Sends a token, and says what the server did if it called the listener.
async fn caught(door: &Door, listener: &KeyListener, token: &str) -> Result<Option<String>, ProbeError> {
    let answer = match door.knock(token, false).await {
        // Whoever dials may wait for longer than we do.
        Err(ProbeError::Unreachable { why, .. }) if listener.calls() > 0 => {
            return Ok(Some(format!("dialled the address in the token; {why}")));
        }
        answer => answer?,
    };
    Ok(match (listener.calls(), answer.is_success()) {
        (0, _) => None,
        (_, true) => Some(format!("{FETCHED}: {}", answer.told())),
        (_, false) => Some(format!("dialled the address in the token, then answered {}", answer.told())),
    })
}

fn header_of(token: &str) -> Option<Map<String, Value>> {
    use base64::Engine as _;
    let (header, _) = token.split_once('.')?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
    serde_json::from_slice(&bytes).ok()
}

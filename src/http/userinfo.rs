//! `GET` and `POST <issuer>/userinfo` (OpenID Connect Core §5.3).

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::answer::{json_no_store, oauth_error, refusal};
use super::bearer::bearer;
use super::fallback::unreadable_json;
use super::read::{form_body, has_body};
use super::site::Site;
use crate::flow::Refusal;
use crate::protocol::{Endpoint, ErrorCode, OAuthError, Params};

const REALM: &str = "Bearer realm=\"userinfo\"";

pub(super) async fn serve(State(site): State<Site>, request: Request) -> Response {
    let token = match presented(request).await {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    match site.engine().userinfo(&token).await {
        Ok(info) => json_no_store(StatusCode::OK, &info),
        Err(error) => challenged(refusal(Endpoint::Userinfo, &error), Some(&error)),
    }
}

/// The access token, from the header or the form of a POST (RFC 6750 §2.1, §2.2); never from the address, which is kept
/// in logs (RFC 9700 §4.3.2).
async fn presented(request: Request) -> Result<String, Box<Response>> {
    let refused = |error: OAuthError| {
        let answer = oauth_error(Endpoint::Userinfo, &error);
        Box::new(challenged(answer, Some(&error.into())))
    };
    let in_header = bearer(request.headers()).map_err(refused)?;
    let in_form = match request.method() == Method::POST && has_body(&request) {
        true => in_form(request).await?,
        false => None,
    };
    match (in_header, in_form) {
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (Some(_), Some(_)) => {
            let description = "one access token can be sent at a time";
            Err(refused(OAuthError::new(ErrorCode::InvalidRequest, description)))
        }
        (None, None) => {
            let error = OAuthError::new(ErrorCode::InvalidToken, "an access token is required");
            Err(Box::new(challenged(oauth_error(Endpoint::Userinfo, &error), None)))
        }
    }
}

async fn in_form(request: Request) -> Result<Option<String>, Box<Response>> {
    let body = form_body(request).await.map_err(|unreadable| {
        unreadable_json(&unreadable, "the body must be application/x-www-form-urlencoded")
    })?;
    let token = Params::parse(&body)
        .and_then(|params| params.optional("access_token").map(|token| token.map(str::to_owned)));
    Ok(token.map_err(|error| oauth_error(Endpoint::Userinfo, &error))?)
}

/// Says what is wrong with the token as well where such things are said (RFC 6750 §3). Whoever sent none is told
/// nothing but that one is wanted (§3.1).
fn challenged(mut answer: Response, error: Option<&Refusal>) -> Response {
    let challenge = match error {
        Some(Refusal::Refused(error)) => {
            let scope = if error.code() == ErrorCode::InsufficientScope { ", scope=\"openid\"" } else { "" };
            let (code, description) = (error.code(), error.description());
            format!("{REALM}, error=\"{code}\", error_description=\"{description}\"{scope}")
        }
        Some(_) => return answer,
        None => REALM.to_owned(),
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

//! `POST <issuer>/token` (RFC 6749 §3.2).

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{json_no_store, oauth_error, refusal, too_many};
use super::fallback::unreadable_json;
use super::limit::Sender;
use super::read::{authorization, form_body};
use super::site::Site;
use crate::flow::Refusal;
use crate::protocol::{Endpoint, ErrorCode, OAuthError, Params};

pub(super) async fn post(State(site): State<Site>, request: Request) -> Response {
    let Ok(authorization) = authorization(request.headers()) else {
        let error =
            OAuthError::new(ErrorCode::InvalidRequest, "one Authorization header can be sent at a time");
        return oauth_error(Endpoint::Token, &error);
    };
    let sender = Sender::of(&request);
    let body = match form_body(request).await {
        Ok(body) => body,
        Err(unreadable) => {
            return unreadable_json(&unreadable, "the body must be application/x-www-form-urlencoded");
        }
    };
    let params = match Params::parse(&body) {
        Ok(params) => params,
        Err(error) => return oauth_error(Endpoint::Token, &error),
    };
    let now = site.engine().clock.now();
    let guess = site.limits().secret(sender, authorization.as_deref(), &params);
    if let Some(Err(refused)) = guess.as_ref().map(|guess| guess.check(now)) {
        return too_many(Endpoint::Token, refused);
    }
    match site.engine().token(authorization.as_deref(), &params).await {
        Ok(answer) => json_no_store(StatusCode::OK, &answer),
        Err(error) => {
            if let (Refusal::WrongSecret(_), Some(guess)) = (&error, guess) {
                guess.was_wrong(now);
            }
            let mut response = refusal(Endpoint::Token, &error);
            // RFC 6749 §5.2: a client that used the header is told which scheme it is to use.
            if response.status() == StatusCode::UNAUTHORIZED && authorization.is_some() {
                let challenge = HeaderValue::from_static("Basic realm=\"token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

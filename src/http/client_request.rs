//! What the endpoints have in common at which clients authenticate: a form, an `Authorization` header, and the limit on
//! wrong secrets and assertions.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{oauth_error, refusal, too_many};
use super::fallback::unreadable_json;
use super::limit::{Guess, Sender};
use super::read::{authorization, form_body};
use super::site::Site;
use crate::flow::Refusal;
use crate::protocol::{Endpoint, ErrorCode, OAuthError, Params};

/// A request at such an endpoint.
pub(super) struct ClientRequest<'a> {
    /// The `Authorization` header.
    pub(super) authorization: Option<String>,
    /// The form.
    pub(super) params: Params,
    endpoint: Endpoint,
    site: &'a Site,
    guess: Option<Guess<'a>>,
}

impl<'a> ClientRequest<'a> {
    /// Reads a request; answers those that cannot be read or come too often.
    pub(super) async fn read(
        site: &'a Site,
        endpoint: Endpoint,
        request: Request,
    ) -> Result<Self, Box<Response>> {
        let Ok(authorization) = authorization(request.headers()) else {
            let error =
                OAuthError::new(ErrorCode::InvalidRequest, "one Authorization header can be sent at a time");
            return Err(oauth_error(endpoint, &error).into());
        };
        let sender = Sender::of(&request);
        let body = form_body(request).await.map_err(|unreadable| {
            unreadable_json(&unreadable, "the body must be application/x-www-form-urlencoded")
        })?;
        let params = Params::parse(&body).map_err(|error| oauth_error(endpoint, &error))?;
        let guess = site.limits().proof(sender, authorization.as_deref(), &params);
        if let Some(Err(refused)) = guess.as_ref().map(|guess| guess.check(site.engine().clock.now())) {
            return Err(too_many(endpoint, refused).into());
        }
        Ok(Self { authorization, params, endpoint, site, guess })
    }

    /// Answers a refusal, and counts it when it was of a wrong secret or assertion.
    pub(super) fn refused(self, error: &Refusal) -> Response {
        if let (Refusal::WrongProof(_), Some(guess)) = (error, self.guess) {
            guess.was_wrong(self.site.engine().clock.now());
        }
        let mut response = refusal(self.endpoint, error);
        // RFC 6749 §5.2: a client that used the header is told which scheme it is to use.
        if response.status() == StatusCode::UNAUTHORIZED && self.authorization.is_some() {
            let challenge = HeaderValue::from_static(match error.code() {
                // RFC 6750 §3.1: so is one that came with a token.
                Some(ErrorCode::InvalidToken) => "Bearer realm=\"token\", error=\"invalid_token\"",
                _ => "Basic realm=\"token\"",
            });
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

//! Who the person is: id tokens and the userinfo endpoint (OpenID Connect Core §3.1.3.3, §5.3).

use serde_json::Value;

use super::{Engine, Failure, Refusal};
use crate::protocol::introspection::Caller;
use crate::protocol::logout::Hint;
use crate::protocol::step::Expected;
use crate::protocol::{
    ACR_PASSWORD, AuthorizationRequest, ClientId, ErrorCode, Grant, OAuthError, Scope, SigningAlg, Timestamp,
    UserId, UserInfo,
};
use crate::tokens::{IdTokenClaims, TokenKind, at_hash};

impl Engine {
    /// The id token that goes with an access token of `scope`; none when `openid` is not in it. It tells of the login
    /// behind the grant, however long ago that was (OpenID Connect Core §12.2), and repeats the nonce of the request
    /// where there is one to repeat.
    pub(super) async fn id_token(
        &self,
        grant: &Grant,
        scope: &Scope,
        access_token: &str,
        nonce: Option<String>,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        if !scope.is_openid() {
            return Ok(None);
        }
        let claims = IdTokenClaims {
            issuer: self.policy.issuer.to_string(),
            subject: grant.user.to_string(),
            audience: grant.client.clone(),
            issued_at: now,
            expires_at: now.plus(self.policy.lifetimes.access_token),
            auth_time: grant.auth_time,
            nonce,
            acr: Some(ACR_PASSWORD.to_owned()),
            at_hash: at_hash(access_token),
        };
        Ok(Some(self.sign(TokenKind::IdToken, SigningAlg::Rs256, &claims).await?))
    }

    /// What an id token says about whom it is about and who got it, expired or not; nothing for what this server has
    /// not signed as one, or with a key that it no longer knows.
    pub(super) async fn hint(&self, id_token: &str) -> Option<Hint> {
        let claims = self.keys_to_publish().await.authentic(TokenKind::IdToken, id_token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.policy.issuer.as_str()) {
            return None;
        }
        Some(Hint { client: ClientId::parse(text("aud")?)?, user: UserId::parse(text("sub")?)? })
    }

    /// Whom a client means by its `id_token_hint`, which has to be one of its own.
    pub(super) async fn expected(&self, request: &AuthorizationRequest) -> Expected {
        let Some(id_token) = &request.id_token_hint else { return Expected::Anybody };
        let hint = self.hint(id_token).await.filter(|hint| hint.client == request.client.id);
        hint.map_or(Expected::Unknown, |hint| Expected::Person(hint.user))
    }

    /// What the bearer of an access token is told about the person behind it. Which tokens are good is judged in one
    /// place, as introspection does.
    ///
    /// # Errors
    /// `invalid_token` for one that is not ours, has expired or was revoked; `insufficient_scope` for one without
    /// `openid`, such as a machine's (RFC 6750 §3.1).
    pub async fn userinfo(&self, access_token: &str) -> Result<UserInfo, Refusal> {
        let invalid = || OAuthError::new(ErrorCode::InvalidToken, "the access token is not valid");
        let active = self.active_access_token(Caller::Anybody, access_token).await?.ok_or_else(invalid)?;
        let text = |name: &str| active.answer.get(name).and_then(Value::as_str);
        let scope = text("scope").and_then(|scope| Scope::parse(scope).ok()).unwrap_or_default();
        if !scope.is_openid() {
            let error = OAuthError::new(ErrorCode::InsufficientScope, "the access token is without openid");
            return Err(error.into());
        }
        let user = text("sub").and_then(UserId::parse).ok_or_else(invalid)?;
        let account = self.store.account(&user).await?.ok_or_else(invalid)?;
        Ok(UserInfo::of(&account.user, &scope))
    }
}

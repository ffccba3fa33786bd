//! What a client is told about a person (OpenID Connect Core §5.1, §5.3).

use serde::Serialize;

use super::{Issuer, KnownScopes, Resource, ResourceScope, ResourceUri, Scope, ScopeToken, User};

/// The claims that [`UserInfo`] and id tokens can hold: what the discovery document promises.
pub(super) const CLAIMS_SUPPORTED: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "at_hash",
    "name",
    "preferred_username",
    "email",
];

impl Resource {
    /// The server's own resource: what it knows about people, behind the userinfo endpoint (OpenID Connect Core §5.3). Its
    /// scopes are those about the person. It is asked for with `openid`, beside any MCP server or alone; then the
    /// endpoint is the audience of the token (RFC 9068 §3).
    pub fn userinfo(issuer: &Issuer) -> Self {
        let known = |token: ScopeToken, description: &str| ResourceScope {
            description: description.to_owned(),
            ..ResourceScope::new(token)
        };
        Self {
            name: "Your account".to_owned(),
            scopes: KnownScopes::Listed(vec![
                known(ScopeToken::openid(), "Know which account here is yours"),
                known(ScopeToken::profile(), "See your name and your user name"),
                known(ScopeToken::email(), "See your mail address"),
            ]),
            ..Self::unregistered(ResourceUri::of_userinfo(issuer))
        }
    }
}

/// What the userinfo endpoint answers. What is not known is left out; so is `email_verified`, since nobody here has
/// checked whose the address is (OpenID Connect Core §5.1, §5.3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl UserInfo {
    /// What a token with `scope` tells about `user` (OpenID Connect Core §5.4).
    pub fn of(user: &User, scope: &Scope) -> Self {
        let told = scope.identity();
        let (profile, email) = (told.contains(&ScopeToken::profile()), told.contains(&ScopeToken::email()));
        Self {
            sub: user.id.to_string(),
            name: user.name.clone().filter(|_| profile),
            preferred_username: profile.then(|| user.username.clone()),
            email: user.email.clone().filter(|_| email),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::UserId;
    use crate::protocol::fixtures::scope;

    #[test]
    fn what_is_told_can_be_said_in_words() {
        // OpenID Connect Core §17: the person knows what is released about them
        let resource = Resource::userinfo(&Issuer::parse("https://id.example/oauth").unwrap());
        assert_eq!(resource.audience(), "https://id.example/oauth/userinfo");
        for token in scope("openid profile email read offline_access").iter() {
            assert_eq!(resource.describe(token).is_some(), token.is_identity(), "{token}");
        }
    }

    #[test]
    fn each_scope_tells_its_claims_and_no_others() {
        // OpenID Connect Core §5.4
        let mut user = User {
            id: UserId::parse("u1").unwrap(),
            username: "ada".to_owned(),
            name: Some("Ada L.".to_owned()),
            email: Some("ada@example.com".to_owned()),
            suspended_at: None,
        };
        let told = |user: &User, text: &str| serde_json::to_value(UserInfo::of(user, &scope(text))).unwrap();
        let profile = json!({"sub": "u1", "name": "Ada L.", "preferred_username": "ada"});
        assert_eq!(told(&user, "openid"), json!({"sub": "u1"}));
        assert_eq!(told(&user, "openid profile"), profile);
        assert_eq!(told(&user, "openid email"), json!({"sub": "u1", "email": "ada@example.com"}));
        assert_eq!(told(&user, "read profile email"), json!({"sub": "u1"}), "they count with openid only");
        (user.name, user.email) = (None, None);
        let unknown = json!({"sub": "u1", "preferred_username": "ada"});
        assert_eq!(told(&user, "openid profile email"), unknown, "§5.3.2: left out, not null");
    }
}

//! What a client is told about a person (OpenID Connect Core §5.1, §5.3).

use serde::Serialize;

use super::{Scope, ScopeToken, User};

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

/// What a client learns by this scope, in words that continue "It asks to"; nothing for a scope of a resource.
pub fn told_by(token: &ScopeToken) -> Option<&'static str> {
    match token.as_str() {
        "openid" => Some("Know which account here is yours"),
        "profile" => Some("See your name and your user name"),
        "email" => Some("See your mail address"),
        _ => None,
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
        for token in scope("openid profile email read offline_access").iter() {
            assert_eq!(told_by(token).is_some(), token.is_identity(), "{token}");
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

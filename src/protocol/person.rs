//! People and the tenants they belong to.

use super::{BrowserSessionId, RoleName, TenantId, Timestamp, UserId};

/// Fewer characters than this is neither a password nor a client's secret.
pub const SHORTEST_SECRET: usize = 8;

/// The `acr` of a token whose person typed their password, or clicked in its stead in dev mode (RFC 9068 §2.2.1; OpenID
/// Connect Core §2 wants an absolute URI). There is no other way to log in yet.
pub const ACR_PASSWORD: &str = "urn:gatelet:acr:password";

/// A person who can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The `sub` of their tokens; never given to another person.
    pub id: UserId,
    /// What they type to log in.
    pub username: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their mail address.
    pub email: Option<String>,
    /// Since when they may not log in.
    pub suspended_at: Option<Timestamp>,
}

impl User {
    /// The form in which names are compared, so that `Alice` and `alice` are one person.
    pub fn fold(username: &str) -> String {
        username.trim().to_lowercase()
    }

    /// Accepts a login name.
    ///
    /// # Errors
    /// The rule that it breaks, for people.
    pub fn parse_username(text: &str) -> Result<String, &'static str> {
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            return Err("must have letters, no space around them and no control characters");
        }
        if text.chars().count() > 128 {
            return Err("must have at most 128 characters");
        }
        Ok(text.to_owned())
    }

    /// Accepts what looks like a mail address.
    ///
    /// # Errors
    /// The rule that it breaks, for people.
    pub fn parse_email(text: &str) -> Result<String, &'static str> {
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace) =>
            {
                Ok(text.to_owned())
            }
            _ => Err("is no mail address"),
        }
    }

    /// The name to show: the given one, else the login name.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.username)
    }
}

/// A group of people whose data is kept apart from other groups'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// A short word; the `tenant` claim.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
}

/// That a person belongs to a tenant, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub tenant: Tenant,
    /// The roles of the person in it.
    pub roles: Vec<RoleName>,
}

/// A role that members can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name in tokens and configuration.
    pub name: RoleName,
    /// What it means, for people.
    pub description: String,
}

/// A browser in which somebody is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSession {
    /// Its identifier; the cookie holds it with a secret.
    pub id: BrowserSessionId,
    /// Who is logged in.
    pub user: UserId,
    /// When they proved who they are (the `auth_time` claim).
    pub auth_time: Timestamp,
    /// When the browser was last seen.
    pub seen_at: Timestamp,
    /// When the session ends however busy it is.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_surrounding_space() {
        assert_eq!(User::fold(" Alice "), "alice");
        assert_eq!(User::fold("ÄNNE"), "änne");
    }

    #[test]
    fn a_person_without_a_name_is_shown_by_their_login_name() {
        let mut user = User {
            id: UserId::parse("u1").unwrap(),
            username: "alice".to_owned(),
            name: Some("Alice A.".to_owned()),
            email: None,
            suspended_at: None,
        };
        assert_eq!(user.display_name(), "Alice A.");
        user.name = None;
        assert_eq!(user.display_name(), "alice");
    }
}

//! Logging in and consenting without a page.

use serde::{Deserialize, Serialize};
use url::Url;

use super::answer::Refused;
use super::issuer::TestIssuer;
use crate::flow::admin::Answer;
use crate::protocol::{Scope, TenantId};

/// What a person decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// They let the client.
    #[default]
    Allow,
    /// They do not (`access_denied`).
    Deny,
}

/// An authorization request, and how it is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideSpec {
    /// The URL that the client made for the browser.
    pub url: String,
    /// Who answers, by user name; `alice` unless given.
    #[serde(default = "alice")]
    pub user: String,
    /// What they decide.
    #[serde(default)]
    pub decision: Decision,
    /// The scopes that they leave ticked; all unless given.
    pub scopes: Option<Vec<String>>,
    /// The tenant that they choose.
    pub tenant: Option<String>,
}

pub(super) fn alice() -> String {
    "alice".to_owned()
}

impl DecideSpec {
    /// A request that is allowed as it is.
    pub fn allow(url: &str, user: &str) -> Self {
        Self {
            url: url.to_owned(),
            user: user.to_owned(),
            decision: Decision::Allow,
            scopes: None,
            tenant: None,
        }
    }
}

impl TestIssuer {
    /// [`TestIssuer::decide`], and the URL as the faults of the authorization endpoint make it.
    ///
    /// # Errors
    /// As [`TestIssuer::decide`].
    pub async fn decide_and_spoil(&self, spec: &DecideSpec) -> Result<String, Refused> {
        let url = self.decide(spec).await?;
        let faults = self.faults.take("authorize", None, |fault| !fault.redirect_set.is_empty());
        Ok(faults.iter().fold(url, |url, fault| fault.redirected(&url)))
    }

    /// Answers an authorization request in a person's place; the URL to which their browser is sent.
    ///
    /// # Errors
    /// The request is not for this issuer, or a page would say what is wrong.
    pub async fn decide(&self, spec: &DecideSpec) -> Result<String, Refused> {
        let url = Url::parse(&spec.url).map_err(|error| Refused::invalid(format!("url: {error}")))?;
        let expected = self.issuer().endpoint("authorize");
        let addressed = spec.url.split(['?', '#']).next().unwrap_or_default();
        if addressed != expected {
            let why =
                format!("url: {addressed} is not the authorization endpoint of this issuer, {expected}");
            return Err(Refused::invalid(why));
        }
        let scope = spec.scopes.as_ref().map(|scopes| Scope::parse(&scopes.join(" "))).transpose();
        let scope = scope.map_err(|error| Refused::invalid(format!("scopes: {error}")))?;
        let tenant = match &spec.tenant {
            Some(tenant) => {
                let bad = || Refused::invalid(format!("tenant: {tenant:?} is no tenant"));
                Some(TenantId::parse(tenant).ok_or_else(bad)?)
            }
            None => None,
        };
        let allows = spec.decision == Decision::Allow;
        let answer = Answer { user: spec.user.clone(), allows, scope, tenant };
        let query = url.query().unwrap_or_default().to_owned();
        Ok(self.administrator().answer_authorization(query.as_bytes(), &answer).await?)
    }
}

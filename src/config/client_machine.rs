//! What a client may obtain for itself, and where.

use super::check::Check;
use super::clients::{RawClient, unplaced};
use super::read::Example::Value;
use super::read::{Section as _, section};
use super::resources::{known_scopes, resource_reference};
use super::server::required;
use super::values::{Text, Texts};
use crate::protocol::{Client, MachineScopes, Resource, ResourceUri, Scope, ScopeToken};

section! {
    /// What a client may obtain for itself at one resource.
    RawMachine {
        /// Required. The resource.
        resource: Text = Value(r#""https://mcp.example.com/mcp""#),
        /// The scopes. Default: none, which is a token without scopes.
        scopes: Texts = Value(r#"["notes:write"]"#),
    }
}

impl RawClient {
    /// What it asks for when a request names no scope.
    pub(super) fn scope(&self, check: &mut Check<'_>, resources: &[Resource]) -> Option<Scope> {
        let scope = check.each_parsed(&self.scope, ScopeToken::parse);
        if self.audience.is_none() {
            check.warn_of_unknown(&scope, &known_scopes(resources.iter()));
        }
        self.scope.is_some().then(|| unplaced(scope))
    }

    /// What it may obtain wherever that is known. At an audience of its own nobody else knows any scopes.
    pub(super) fn machine_scopes(
        &self,
        check: &mut Check<'_>,
        resources: &[Resource],
        default_resource: Option<&ResourceUri>,
    ) -> Scope {
        let within = resources.iter().filter(|r| default_resource.is_none_or(|uri| r.uri == *uri));
        let known = known_scopes(within);
        unplaced(check.each_parsed(&self.machine_scopes, |text| {
            let token = ScopeToken::parse(text).map_err(|error| error.to_string())?;
            if known.contains(&token) || self.audience.is_some() {
                Ok(token)
            } else {
                Err(format!("no resource of this client knows `{text}`"))
            }
        }))
    }

    /// What it may obtain at single resources.
    pub(super) fn machine(&self, check: &mut Check<'_>, resources: &[Resource]) -> Vec<MachineScopes> {
        let mut places = Vec::new();
        let mut all = Vec::new();
        for raw in &self.machine {
            let Some(text) = required(check, &raw.resource, raw.place(), "resource") else { continue };
            let Some(uri) = resource_reference(check, text, resources) else { continue };
            places.push((uri.to_string(), &text.place));
            let known = known_scopes(resources.iter().filter(|resource| resource.uri == uri));
            let scopes = check.each_parsed(&raw.scopes, |text| {
                let token = ScopeToken::parse(text).map_err(|error| error.to_string())?;
                known
                    .contains(&token)
                    .then_some(token)
                    .ok_or_else(|| format!("`{text}` is none of its scopes"))
            });
            all.push(MachineScopes { resource: uri, scopes: unplaced(scopes) });
        }
        check.refuse_twice("resource", places);
        all
    }

    /// Client credentials that lead nowhere are most likely a mistake.
    pub(super) fn warn_of_nothing(&self, check: &mut Check<'_>) {
        let has_scopes = self.machine_scopes.as_ref().is_some_and(|list| !list.value.is_empty());
        if !has_scopes && self.machine.is_empty() && self.audience.is_none() && self.introspects.is_none() {
            let message =
                "can obtain nothing for itself: neither machine_scopes nor machine nor audience says what";
            check.warning(self.place(), message);
        }
    }

    /// The audience of its own.
    pub(super) fn audience(&self, check: &mut Check<'_>, resources: &[Resource]) -> Option<String> {
        check.parsed(self.audience.as_ref()?, |text| Client::parse_audience(text, resources))
    }
}

/// Tells of audiences that mean another client too.
pub(super) fn warn_of_shared_audiences(check: &mut Check<'_>, raw: &[RawClient]) {
    for (number, client) in raw.iter().enumerate() {
        let Some(written) = &client.audience else { continue };
        let others = raw.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, other)| other);
        let mut names = others.flat_map(|other| other.id.iter().chain(&other.audience));
        if let Some(other) = names.find(|other| other.value == written.value) {
            let message = format!("the same as {}: each accepts the other's tokens", other.place.path);
            check.warning(&written.place, message);
        }
    }
}

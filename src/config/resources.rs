//! `[[resources]]`: the MCP servers that tokens are for.

use std::time::Duration;

use super::check::Check;
use super::claims::{RawClaim, refuse_taken_names, resource_claims};
use super::lifetimes::bounded;
use super::people::{role_references, tenant_reference};
use super::read::Example::Value;
use super::read::{Section as _, section};
use super::server::required;
use super::values::{Text, Texts, Written};
pub(super) use crate::protocol::resource::known_scopes;
use crate::protocol::{
    ClaimNames, KnownScopes, Lifetimes, Resource, ResourceScope, ResourceUri, Role, SigningAlg, Tenant,
};

section! {
    /// An MCP server that accepts tokens of this server.
    RawResource {
        /// Required. Its canonical URI, which clients send as `resource` and which is the audience of its tokens.
        uri: Text = Value(r#""https://mcp.example.com/mcp""#),
        /// Other URIs by which clients name it. A slash at the end makes no difference and needs no alias.
        aliases: Texts = Value(r#"["https://mcp.example.com"]"#),
        /// Its name for people. Default: the URI.
        name: Text = Value(r#""Notes""#),
        /// The `aud` claim that it checks, when that is not its URI.
        audience: Text = Value(r#""notes""#),
        /// What it can permit, in words for the person who is asked, and the roles whose members may permit it
        /// (everybody when there are none).
        scopes: Vec<RawScope> = Value(r#"[
    { name = "notes:read", description = "Read your notes" },
    { name = "notes:write", description = "Change your notes", roles = ["editor"] },
]"#),
        /// What a client gets that asks for nothing in particular. Default: nothing.
        default_scopes: Texts = Value(r#"["notes:read"]"#),
        /// The ids of the tenants whose members may use it. Default: all.
        tenants: Texts = Value(r#"["acme"]"#),
        /// Claims that only its tokens have, or have under another name than `[claims]` says.
        claims: Vec<RawClaim> = Value(r#"[{ name = "department", from = "user.attributes.department" }]"#),
        /// Lifetime of its access tokens, at most `1h`. Default: `lifetimes.access_token`.
        access_token_ttl: Text = Value(r#""5m""#),
        /// What its access tokens are signed with: `"RS256"` (the default, which every verifier knows) or `"ES256"`.
        signing_alg: Text = Value(r#""RS256""#),
    }
}

section! {
    /// One permission.
    RawScope {
        /// Required. Its name in tokens.
        name: Text = Value(r#""notes:read""#),
        /// What it allows, in words. Default: its name.
        description: Text = Value(r#""Read your notes""#),
        /// The roles whose members may give it. Default: everybody may.
        roles: Texts = Value(r#"["editor"]"#),
        /// `always` asks the person each time, whoever the client is and whatever they allowed before. `remembered`, the
        /// default, asks once, and skips the page after that for a client whose place nobody else can take: one that
        /// authenticates with `private_key_jwt`; one that the operator declared or added, when the answer goes to an
        /// https address that is not on loopback; one that is known by its document, when the answer goes to https on
        /// the document's own host. Before others, the page comes with all choices made. All are asked when anything is
        /// new or was left unticked before, when there are several tenants and the request names none, and for
        /// `prompt=consent`.
        consent: Text = Value(r#""always""#),
        /// How long ago the person may have logged in when a token with it is issued, between `1m` and `30d`. Who logged
        /// in before is asked to log in again; a refresh after that gives a token without it. Default: any time.
        max_age: Text = Value(r#""5m""#),
        /// The longest life of an access token with it, at most `1h`. Default: that of the resource.
        access_token_ttl: Text = Value(r#""2m""#),
    }
}

/// The declared resources.
pub(super) fn resources(
    check: &mut Check<'_>,
    raw: &[RawResource],
    tenants: &[Tenant],
    roles: &[Role],
    claims: &ClaimNames,
) -> Vec<Resource> {
    refuse_ambiguous(check, raw);
    let mut resources = Vec::new();
    for raw in raw {
        let Some(resource) = raw.check(check, tenants, roles) else { continue };
        refuse_taken_names(check, claims, &resource, raw.place());
        resources.push(resource);
    }
    resources
}

/// A URI must mean one resource, and an audience should.
fn refuse_ambiguous(check: &mut Check<'_>, raw: &[RawResource]) {
    let uris = raw
        .iter()
        .flat_map(|raw| raw.uri.iter().chain(raw.aliases.iter().flat_map(|aliases| &aliases.value)));
    let keys = uris.filter_map(|uri| Some((ResourceUri::parse(&uri.value).ok()?.lookup_key(), &uri.place)));
    check.refuse_twice("URI", keys);
    let mut audiences: Vec<&Written<String>> = Vec::new();
    for audience in raw.iter().filter_map(|raw| raw.audience.as_ref().or(raw.uri.as_ref())) {
        match audiences.iter().find(|other| other.value == audience.value) {
            Some(other)
                if audience.place.path.ends_with(".audience") || other.place.path.ends_with(".audience") =>
            {
                let message = format!("the same as {}: each accepts the other's tokens", other.place.path);
                check.warning(&audience.place, message);
            }
            _ => audiences.push(audience),
        }
    }
}

/// A reference to a declared resource, by its URI or one of its aliases.
pub(super) fn resource_reference(
    check: &mut Check<'_>,
    text: &Written<String>,
    resources: &[Resource],
) -> Option<ResourceUri> {
    check.parsed(text, |text| {
        let key = ResourceUri::parse(text).map_err(|error| error.to_string())?.lookup_key();
        let known = resources.iter().find(|resource| {
            std::iter::once(&resource.uri).chain(&resource.aliases).any(|uri| uri.lookup_key() == key)
        });
        known.map(|resource| resource.uri.clone()).ok_or_else(|| format!("there is no resource `{text}`"))
    })
}

impl RawResource {
    fn check(&self, check: &mut Check<'_>, tenants: &[Tenant], roles: &[Role]) -> Option<Resource> {
        let scopes: Vec<_> = self.scopes.iter().filter_map(|raw| raw.check(check, roles)).collect();
        let names = self.scopes.iter().filter_map(|raw| raw.name.as_ref());
        check.refuse_twice("name", names.map(|name| (name.value.clone(), &name.place)));
        let default_scopes = check.each_parsed(&self.default_scopes, |text| {
            let known = scopes.iter().find(|scope| scope.token.as_str() == text);
            known.map(|scope| scope.token.clone()).ok_or_else(|| format!("`{text}` is none of its scopes"))
        });
        let tenant_texts = self.tenants.iter().flat_map(|list| &list.value);
        let tenants = tenant_texts.filter_map(|text| tenant_reference(check, text, tenants)).collect();
        let longest = Lifetimes::BOUNDS.access_token;
        let access_token_ttl = bounded(check, &self.access_token_ttl, Duration::from_secs(1), longest);
        let signing_alg = self.signing_alg.as_ref().and_then(|written| {
            check.parsed(written, |text| SigningAlg::parse(text).ok_or("must be \"RS256\" or \"ES256\""))
        });
        let aliases = check.each_parsed(&self.aliases, ResourceUri::parse);
        let written = required(check, &self.uri, self.place(), "uri")?;
        let uri = check.parsed(written, ResourceUri::parse)?;
        for (uri, place) in
            std::iter::once((&uri, &written.place)).chain(aliases.iter().map(|a| (&a.value, &a.place)))
        {
            if uri.as_str().starts_with("http:") && !uri.is_loopback() {
                check.warning(place, "plain http: tokens for it cross the network in the clear");
            }
        }
        Some(Resource {
            name: self.name.as_ref().map_or_else(|| uri.to_string(), |name| name.value.clone()),
            aliases: aliases.into_iter().map(|written| written.value).collect(),
            audience: self.audience.as_ref().map(|audience| audience.value.clone()),
            scopes: KnownScopes::Listed(scopes),
            default_scopes: default_scopes.into_iter().map(|written| written.value).collect(),
            tenants,
            claims: resource_claims(check, &self.claims),
            access_token_ttl,
            signing_alg: signing_alg.unwrap_or_default(),
            ..Resource::unregistered(uri)
        })
    }
}

impl RawScope {
    fn check(&self, check: &mut Check<'_>, roles: &[Role]) -> Option<ResourceScope> {
        let roles = role_references(check, &self.roles, roles);
        let name = required(check, &self.name, self.place(), "name")?;
        let token = check.parsed(name, ResourceScope::parse_token)?;
        let description =
            self.description.as_ref().map_or_else(|| token.to_string(), |text| text.value.clone());
        let asks_each_time = check.word(&self.consent, &[("remembered", false), ("always", true)], false);
        let longest = Lifetimes::BOUNDS;
        let ages = ResourceScope::MAX_AGE;
        Some(ResourceScope {
            token,
            description,
            roles,
            asks_each_time,
            max_age: bounded(check, &self.max_age, *ages.start(), *ages.end()),
            access_token_ttl: bounded(
                check,
                &self.access_token_ttl,
                Duration::from_secs(1),
                longest.access_token,
            ),
        })
    }
}

//! What a client is, as arguments say it.

use std::path::PathBuf;

use clap::Args;

use super::parse::{self, OrNothing, listed, or_nothing};
use crate::app::admin::{Admin, AdminError};
use crate::protocol::{
    Attribute, AttributeName, Client, ClientAuthMethod, ClientChange, ClientKeys, GrantType, MachineScopes,
    RedirectUri, ResourceUri, Scope, ScopeToken, TenantId,
};

/// What a client is. What can be given several times replaces what the client has, and is taken away when it is empty.
#[derive(Args, Clone, Debug)]
pub struct Members {
    /// Its name for people; empty takes it away.
    #[arg(long)]
    pub name: Option<String>,
    /// Its home page; empty takes it away.
    #[arg(long, value_parser = or_nothing(Client::parse_home_page))]
    pub uri: Option<OrNothing<String>>,
    /// Where answers may be sent; can be given several times and replaces those that it has.
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = or_nothing(RedirectUri::parse))]
    pub redirect_uris: Vec<OrNothing<RedirectUri>>,
    /// Where a browser may be sent after a logout; can be given several times and replaces those that it has.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_parser = or_nothing(RedirectUri::parse))]
    pub post_logout_redirect_uris: Vec<OrNothing<RedirectUri>>,
    /// What it may offer for tokens; can be given several times and replaces what it has.
    #[arg(long = "grant", value_name = "TYPE", value_parser = parse::grant_type())]
    pub grants: Vec<GrantType>,
    /// How it authenticates; can be given several times and replaces what it has. Secrets and keys that are used no more
    /// are dropped; a secret that is needed now is drawn.
    #[arg(long = "auth-method", value_name = "METHOD", value_parser = parse::auth_method())]
    pub auth_methods: Vec<ClientAuthMethod>,
    /// A file with its public keys, by which it signs instead of showing a secret (`private_key_jwt`): a JSON Web Key Set.
    #[arg(long, value_name = "PATH", conflicts_with = "jwks_uri")]
    pub jwks_file: Option<PathBuf>,
    /// The https address of its public keys. They are fetched when it first signs, and again when it signs with one that is
    /// not among them.
    #[arg(long, value_name = "URL")]
    pub jwks_uri: Option<String>,
    /// What it asks for when a request names no scope, with spaces between; a default, not a ceiling.
    #[arg(long, value_name = "SCOPES", value_parser = Scope::parse)]
    pub scope: Option<Scope>,
    /// The resource that it means when it names none; empty for none in particular.
    #[arg(long, value_name = "URI", value_parser = or_nothing(ResourceUri::parse))]
    pub resource: Option<OrNothing<ResourceUri>>,
    /// The `aud` claim of its tokens when it names no resource: for a program that checks for its own name, or for an agreed
    /// word; empty takes it away.
    #[arg(long)]
    pub audience: Option<String>,
    /// A scope that it may obtain for itself, at every resource that knows it; can be given several times and replaces those
    /// that it has.
    #[arg(long = "machine-scope", value_name = "SCOPE", value_parser = or_nothing(ScopeToken::parse))]
    pub machine_scopes: Vec<OrNothing<ScopeToken>>,
    /// What it may obtain for itself at a single resource, where that is not `--machine-scope`: `https://mcp.example.com/mcp
    /// notes:write`, in quotation marks. Can be given several times and replaces what it has.
    #[arg(long = "machine-at", value_name = "URI SCOPES", value_parser = or_nothing(parse::machine_scopes))]
    pub machine_at: Vec<OrNothing<MachineScopes>>,
    /// The tenant that its own tokens belong to; empty for none.
    #[arg(long, value_name = "TENANT", value_parser = or_nothing(parse::tenant))]
    pub tenant: Option<OrNothing<TenantId>>,
    /// A tenant in which people may use it [default: that of `--tenant` alone, or every tenant]; can be given several times
    /// and replaces those that it has.
    #[arg(long = "people-of", value_name = "TENANT", value_parser = or_nothing(parse::tenant))]
    pub people_of: Vec<OrNothing<TenantId>>,
    /// A resource that it is the server of: it may introspect tokens for it. Can be given several times and replaces those
    /// that it has.
    #[arg(long, value_name = "URI", value_parser = or_nothing(ResourceUri::parse))]
    pub introspects: Vec<OrNothing<ResourceUri>>,
    /// What claims can be mapped from: `tier=gold`, `groups:=["staff","on-call"]` for a list, `tier=` takes it away. Can be
    /// given several times; those that are not named stay.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = parse::attribute)]
    pub attributes: Vec<(AttributeName, Option<Attribute>)>,
    /// It is the operator's own: people are not asked whether they let it in.
    #[arg(long)]
    pub first_party: bool,
}

impl Members {
    /// Whether it is given keys.
    pub(super) fn has_keys(&self) -> bool {
        self.jwks_file.is_some() || self.jwks_uri.is_some()
    }

    /// Whether it is said to do what a client does for itself, and nothing that one does for people.
    pub(super) fn is_of_machine(&self) -> bool {
        let says_so = self.has_keys()
            || !self.machine_scopes.is_empty()
            || !self.machine_at.is_empty()
            || !self.introspects.is_empty()
            || self.grants.contains(&GrantType::ClientCredentials);
        says_so && self.redirect_uris.is_empty()
    }

    /// The change that they mean.
    pub(super) fn change(&self, admin: &Admin) -> Result<ClientChange, AdminError> {
        let some = |is_named: bool| is_named.then_some(());
        Ok(ClientChange {
            name: self.name.clone(),
            uri: self.uri.clone().map(|uri| uri.0.unwrap_or_default()),
            redirect_uris: listed(&self.redirect_uris),
            post_logout_redirect_uris: listed(&self.post_logout_redirect_uris),
            grant_types: some(!self.grants.is_empty()).map(|()| self.grants.clone()),
            auth_methods: some(!self.auth_methods.is_empty()).map(|()| self.auth_methods.clone()),
            keys: self.keys(admin)?,
            first_secret: None,
            scope: self.scope.clone(),
            default_resource: self.resource.clone().map(|resource| resource.0),
            audience: self.audience.clone(),
            machine_scopes: listed(&self.machine_scopes).map(|scopes| scopes.into_iter().collect()),
            machine: listed(&self.machine_at),
            tenant: self.tenant.clone().map(|tenant| tenant.0),
            tenants: listed(&self.people_of),
            introspects: listed(&self.introspects),
            attributes: self.attributes.iter().cloned().collect(),
            first_party: self.first_party.then_some(true),
        })
    }

    fn keys(&self, admin: &Admin) -> Result<Option<ClientKeys>, AdminError> {
        if let Some(address) = &self.jwks_uri {
            return admin.client_keys_at(address).map(Some);
        }
        let Some(path) = &self.jwks_file else { return Ok(None) };
        let jwks = std::fs::read_to_string(path)
            .map_err(|error| AdminError::Invalid(format!("{}: {error}", path.display())))?;
        admin.client_keys(&jwks).map(Some)
    }
}

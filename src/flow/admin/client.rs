//! Clients.

use super::{Admin, AdminError, Named};
use crate::audit::AuditKind;
use crate::protocol::resource::known_scopes;
use crate::protocol::{
    Client, ClientChange, ClientId, ClientKeys, ClientOrigin, SHORTEST_SECRET, SecretHash, Timestamp,
};
use crate::store::{ClientFilter, KnownClient, WhichSecret};
use crate::tokens::{ClientSecret, Secret, client_key_set};

fn named(id: &ClientId) -> Named<'_> {
    Named { what: "client", id: id.as_str() }
}

/// A client, and its secret if that was made just now: told this once and never again.
pub struct ClientWithSecret {
    /// The client.
    pub client: KnownClient,
    /// The secret that was made.
    pub secret: Option<String>,
}

impl Admin {
    /// At most `limit` clients by identifier, after the one with `after`.
    ///
    /// # Errors
    /// Faults.
    pub async fn clients(
        &self,
        after: Option<&str>,
        filter: ClientFilter,
        limit: u32,
    ) -> Result<Vec<KnownClient>, AdminError> {
        Ok(self.engine.store.known_clients(after, filter, limit).await?)
    }

    /// The client with an identifier.
    ///
    /// # Errors
    /// There is none.
    pub async fn client(&self, id: &ClientId) -> Result<KnownClient, AdminError> {
        self.engine.store.known_client(id).await?.ok_or_else(|| named(id).not_found())
    }

    /// When the live secrets of a client were made, the newer first.
    ///
    /// # Errors
    /// Faults.
    pub async fn client_secret_times(&self, id: &ClientId) -> Result<Vec<Timestamp>, AdminError> {
        Ok(self.engine.store.client_secret_times(id).await?)
    }

    /// Adds a client, which `change` describes, under an identifier that is drawn when absent. One that authenticates by a
    /// secret gets `secret`, or one that is drawn.
    ///
    /// # Errors
    /// The identifier is taken, what it names is not there, or what is said of it makes no sense.
    pub async fn add_client(
        &self,
        id: Option<ClientId>,
        change: &ClientChange,
        secret: Option<String>,
    ) -> Result<ClientWithSecret, AdminError> {
        let id = id.unwrap_or_else(|| ClientId::from(self.engine.fresh_id()));
        if id.as_str().starts_with("https:") || id.as_str().starts_with("http:") {
            return Err(AdminError::Invalid(
                "an identifier that is a URL belongs to the client's document there".to_owned(),
            ));
        }
        let change = self.resolved(change.clone()).await?;
        let mut client = Client::new(id.clone(), ClientOrigin::Admin, self.engine.clock.now());
        change.apply(&mut client).map_err(AdminError::Invalid)?;
        self.require_known(&change, &client).await?;
        let by_secret = client.auth_methods.iter().any(|method| method.is_by_secret());
        if !by_secret && secret.is_some() {
            return Err(AdminError::Invalid("a client without a secret cannot be given one".to_owned()));
        }
        let mut told = None;
        if by_secret {
            let (hash, new) = self.client_secret(secret)?;
            client.secret_hashes.push(hash);
            told = new;
        }
        let event = self.event(AuditKind::Added, "client").client(&id);
        let outcome = self.engine.store.add_client(client, event).await?;
        outcome.won().ok_or_else(|| {
            AdminError::Refused(format!("the identifier {:?} is taken by a client or a person", id.as_str()))
        })?;
        Ok(ClientWithSecret { client: self.client(&id).await?, secret: told })
    }

    /// Changes a client. One that authenticates by a secret from now on gets one that is drawn; one that does not any
    /// more loses those that it had.
    ///
    /// # Errors
    /// It is not there, does not belong to administrators, or as for [`Admin::add_client`].
    pub async fn change_client(
        &self,
        id: &ClientId,
        change: ClientChange,
    ) -> Result<ClientWithSecret, AdminError> {
        let known = self.client(id).await?;
        named(id).changeable(known.known.origin)?;
        let mut change = self.resolved(change).await?;
        let mut wanted = known.known.thing;
        change.apply(&mut wanted).map_err(AdminError::Invalid)?;
        self.require_known(&change, &wanted).await?;
        let mut told = None;
        if wanted.secret_hashes.is_empty() && wanted.auth_methods.iter().any(|method| method.is_by_secret()) {
            let (hash, new) = self.client_secret(None)?;
            (change.first_secret, told) = (Some(hash), new);
        }
        let event = self.event(AuditKind::Changed, "client").client(id);
        let changed = self.engine.store.change_client(id, change, event).await?;
        named(id).changed(changed)?;
        Ok(ClientWithSecret { client: self.client(id).await?, secret: told })
    }

    /// The keys of a client, by value: a JSON Web Key Set.
    ///
    /// # Errors
    /// The client could not sign by them.
    pub fn client_keys(&self, jwks: &str) -> Result<ClientKeys, AdminError> {
        let unsound = |error| AdminError::Invalid(format!("the key set {error}"));
        client_key_set::check(jwks).map_err(unsound)?;
        Ok(ClientKeys::Inline { jwks: jwks.trim().to_owned() })
    }

    /// The keys of a client, at an address. Nothing is looked for there now.
    ///
    /// # Errors
    /// Nothing would ever be fetched from there.
    pub fn client_keys_at(&self, address: &str) -> Result<ClientKeys, AdminError> {
        let loopback = self.engine.policy.issuer.is_loopback();
        ClientKeys::at(address, loopback).ok_or_else(|| {
            AdminError::Invalid(format!("the address of the keys {}", ClientKeys::address_rule(loopback)))
        })
    }

    /// Gives a client a second secret beside the one that it has: `secret`, or one that is drawn.
    ///
    /// # Errors
    /// It is not there, does not belong to administrators, is public, or has two.
    pub async fn add_client_secret(
        &self,
        id: &ClientId,
        secret: Option<String>,
    ) -> Result<ClientWithSecret, AdminError> {
        let known = self.client(id).await?.known;
        named(id).changeable(known.origin)?;
        if !known.thing.auth_methods.iter().any(|method| method.is_by_secret()) {
            return Err(AdminError::Refused(format!("{:?} does not authenticate by a secret", id.as_str())));
        }
        if known.thing.secret_hashes.len() > 1 {
            return Err(AdminError::Refused(format!("{:?} has two secrets; drop one first", id.as_str())));
        }
        let (hash, told) = self.client_secret(secret)?;
        let event = self.event(AuditKind::ClientSecretChanged, "added").client(id);
        let outcome = self.engine.store.add_client_secret(id, hash, event).await?;
        named(id).won(outcome)?;
        Ok(ClientWithSecret { client: self.client(id).await?, secret: told })
    }

    /// Takes one of a client's two secrets away.
    ///
    /// # Errors
    /// It is not there, does not belong to administrators, or has no two.
    pub async fn drop_client_secret(
        &self,
        id: &ClientId,
        which: WhichSecret,
    ) -> Result<KnownClient, AdminError> {
        let known = self.client(id).await?.known;
        named(id).changeable(known.origin)?;
        if known.thing.secret_hashes.len() < 2 {
            return Err(AdminError::Refused(format!(
                "{:?} would have no secret left; add another first, or suspend the client",
                id.as_str()
            )));
        }
        let event = self.event(AuditKind::ClientSecretChanged, "dropped").client(id);
        let outcome = self.engine.store.drop_client_secret(id, which, event).await?;
        named(id).won(outcome)?;
        self.client(id).await
    }

    /// Suspends a client; its grants are revoked.
    ///
    /// # Errors
    /// It is not there, or suspended already.
    pub async fn suspend_client(&self, id: &ClientId) -> Result<KnownClient, AdminError> {
        self.client(id).await?;
        let event = self.event(AuditKind::Suspended, "client").client(id);
        let outcome = self.engine.store.suspend_client(id, event).await?;
        named(id).suspended(outcome)?;
        self.client(id).await
    }

    /// Lets a suspended client act again; grants are not given back.
    ///
    /// # Errors
    /// It is not there, or not suspended.
    pub async fn resume_client(&self, id: &ClientId) -> Result<KnownClient, AdminError> {
        let origin = self.client(id).await?.known.origin;
        let event = self.event(AuditKind::Resumed, "client").client(id);
        let outcome = self.engine.store.resume_client(id, event).await?;
        named(id).resumed(origin, outcome)?;
        self.client(id).await
    }

    /// Deletes a client; its grants are revoked. One that registered itself can do so again: suspend it to keep it out.
    ///
    /// # Errors
    /// It is not there, or belongs to configuration.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), AdminError> {
        match self.client(id).await?.known.origin {
            crate::store::Origin::Dynamic | crate::store::Origin::Document => {}
            declared => named(id).changeable(declared)?,
        }
        let event = self.event(AuditKind::Deleted, "client").client(id);
        let outcome = self.engine.store.delete_client(id, event).await?;
        named(id).won(outcome)
    }

    /// The hash of a secret, and the secret if it was drawn.
    fn client_secret(&self, given: Option<String>) -> Result<(SecretHash, Option<String>), AdminError> {
        let Some(given) = given else {
            let drawn = ClientSecret::generate(&self.engine.random);
            return Ok((self.engine.secrets.hash(&drawn), Some(drawn.expose_secret().to_owned())));
        };
        if !given.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            // RFC 6749 appendix A.2.
            return Err(AdminError::Invalid(
                "a client's secret is made of printable ASCII characters".to_owned(),
            ));
        }
        if given.len() < SHORTEST_SECRET {
            return Err(AdminError::Invalid(format!(
                "a client's secret has at least {SHORTEST_SECRET} characters"
            )));
        }
        Ok((self.engine.secrets.hash(&ClientSecret::from_text(given)), None))
    }

    /// A change in which resources are named by their own URIs, as those are matched.
    async fn resolved(&self, mut change: ClientChange) -> Result<ClientChange, AdminError> {
        let default = change.default_resource.iter_mut().flatten();
        let served = change.introspects.iter_mut().flatten();
        let singles = change.machine.iter_mut().flatten().map(|single| &mut single.resource);
        for uri in default.chain(served).chain(singles) {
            *uri = self.resource(uri).await?.thing.uri;
        }
        Ok(change)
    }

    /// What a change names must be there, or its name would be given a meaning later.
    async fn require_known(&self, change: &ClientChange, client: &Client) -> Result<(), AdminError> {
        for tenant in change.tenant.iter().flatten().chain(change.tenants.iter().flatten()) {
            self.tenant(tenant).await?;
        }
        let resources = self.engine.store.resources().await?;
        if let Some(audience) = change.audience.as_ref().filter(|audience| !audience.is_empty()) {
            Client::parse_audience(audience, &resources)
                .map_err(|why| AdminError::Invalid(format!("the audience {why}")))?;
        }
        for single in change.machine.iter().flatten() {
            let at = resources.iter().filter(|resource| resource.uri == single.resource);
            if let Some(unknown) = single.scopes.difference(&known_scopes(at)).iter().next() {
                let why = format!("{unknown} is none of the scopes of {}", single.resource);
                return Err(AdminError::Invalid(why));
            }
        }
        // At an audience of its own nobody else knows any scopes.
        if client.audience.is_some() {
            return Ok(());
        }
        let default = client.default_resource.as_ref();
        let within = resources.iter().filter(|resource| default.is_none_or(|uri| resource.uri == *uri));
        match client.machine_scopes.difference(&known_scopes(within)).iter().next() {
            Some(unknown) => {
                Err(AdminError::Invalid(format!("no resource of this client knows the scope {unknown}")))
            }
            None => Ok(()),
        }
    }
}

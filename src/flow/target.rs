//! Which resource a request means.

use super::{Engine, Failure};
use crate::protocol::{
    AuthorizationRequest, Client, ErrorCode, Grant, OAuthError, Resource, ResourceUri, Scope,
};

impl Engine {
    /// The resources that an authorization request means: those it names (RFC 8707 §2.1), each once under whichever of its
    /// names, or else the one that [`target`](Self::target) finds; and the server's own when the request is to sign
    /// somebody in.
    ///
    /// # Errors
    /// As [`target`](Self::target), for the first that is not known.
    pub(super) async fn targets(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<Result<Vec<Resource>, OAuthError>, Failure> {
        let AuthorizationRequest { client, resources: named, .. } = request;
        let asked = request.asked_scope();
        let signs_in = asked.is_some_and(|asked| self.policy.admits_sign_in(client, asked));
        let own = signs_in.then(|| Resource::userinfo(&self.policy.issuer));
        let mut resources: Vec<Resource> = Vec::new();
        if named.is_empty() && !(signs_in && is_sign_in_alone(request)) {
            match self.target(client, None).await? {
                Ok(resource) => resources.push(resource),
                Err(error) => return Ok(Err(error)),
            }
        }
        for uri in named {
            match self.target(client, Some(uri)).await? {
                Ok(resource) if resources.iter().any(|known| known.uri == resource.uri) => {}
                Ok(resource) => resources.push(resource),
                Err(error) => return Ok(Err(error)),
            }
        }
        resources.extend(own.filter(|own| resources.iter().all(|known| known.uri != own.uri)));
        Ok(Ok(resources))
    }

    /// The resource that a request by `client` means: the one it names, else the client's default, its own audience,
    /// the server's default, the only one there is. What is configured for this client stands before what is
    /// configured for all.
    ///
    /// # Errors
    /// The inner one is `invalid_target` (RFC 8707 §2) when it is not known here, or nothing says which is meant.
    pub(super) async fn target(
        &self,
        client: &Client,
        named: Option<&ResourceUri>,
    ) -> Result<Result<Resource, OAuthError>, Failure> {
        let own = named.or(client.default_resource.as_ref());
        if let (None, Some(own)) = (own, client.own_resource()) {
            return Ok(Ok(own));
        }
        if let Some(uri) = own.or(self.policy.default_resource.as_ref()) {
            let unknown =
                OAuthError::new(ErrorCode::InvalidTarget, "the resource is not known to this server");
            // A client's own audience is for nobody else.
            let found = match uri.client() {
                Some(other) if other != client.id => None,
                _ => self.resource(uri).await?,
            };
            return Ok(found.ok_or_else(|| unknown.with_detail(uri.to_string())));
        }
        let mut all = self.store.resources().await?;
        Ok(match (all.pop(), all.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(OAuthError::new(
                ErrorCode::InvalidTarget,
                "resource is required: this server serves several",
            )),
        })
    }

    /// The resource that a token request under `grant` means, if it says which and that is still served.
    pub(super) async fn meant(
        &self,
        grant: &Grant,
        named: Option<&ResourceUri>,
    ) -> Result<Option<Resource>, Failure> {
        match grant.meant(named) {
            Some(uri) => self.resource(uri).await,
            None => Ok(None),
        }
    }

    /// The resource with this URI: a registered one, a client's own audience, or a developer's own server where the
    /// policy lets it in.
    pub(super) async fn resource(&self, uri: &ResourceUri) -> Result<Option<Resource>, Failure> {
        if let Some(client) = uri.client() {
            return Ok(self.store.client(&client).await?.and_then(|client| client.own_resource()));
        }
        if *uri == ResourceUri::of_userinfo(&self.policy.issuer) {
            return Ok(Some(Resource::userinfo(&self.policy.issuer)));
        }
        let registered = self.store.resource(uri).await?;
        let admitted = self.policy.loopback_resources && uri.is_loopback();
        Ok(registered.or_else(|| admitted.then(|| Resource::unregistered(uri.clone()))))
    }
}

/// Whether a request that names no resource wants to know who the person is and nothing else: then no MCP server is meant
/// but the one that its client was configured for. A default for everybody is for those who ask for the use of something.
fn is_sign_in_alone(request: &AuthorizationRequest) -> bool {
    let wants_more = request.asked_scope().map(Scope::for_resource).is_some_and(|scope| !scope.is_empty());
    let client = &request.client;
    !wants_more && client.default_resource.is_none() && client.own_resource().is_none()
}

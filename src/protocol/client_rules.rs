//! Whether what an operator says of a client fits together, by the configuration or by a command.

use super::{Client, ClientAuthMethod, ClientId, GrantType, Resource, ResourceUri};

/// Longest audience of a client's own, in bytes.
const LONGEST_AUDIENCE: usize = 2048;

/// What a client has to prove itself by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// A secret.
    pub secret: bool,
    /// Keys.
    pub keys: bool,
}

impl Proofs {
    /// How a client authenticates of which nothing else is said.
    pub fn default_methods(self) -> Vec<ClientAuthMethod> {
        use ClientAuthMethod::{ClientSecretBasic, None, PrivateKeyJwt};
        match (self.secret, self.keys) {
            (false, false) => vec![None],
            (true, false) => vec![ClientSecretBasic],
            (false, true) => vec![PrivateKeyJwt],
            (true, true) => vec![ClientSecretBasic, PrivateKeyJwt],
        }
    }
}

/// What does not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// It may offer nothing for tokens.
    #[error("names no grant type; such a client could do nothing")]
    NoGrantType,
    /// It is to be sent codes, and nobody knows where.
    #[error("authorization_code needs at least one redirect URI")]
    NoRedirectUri,
    /// It has redirect URIs to which nothing is ever sent.
    #[error("has redirect URIs, which only authorization_code uses")]
    UnusedRedirectUris,
    /// It would never get a refresh token.
    #[error("refresh_token needs authorization_code")]
    RefreshWithoutCode,
    /// Its own credentials are none (OAuth 2.1 §4.2).
    #[error("client_credentials needs a client that authenticates, by a secret or by keys")]
    PublicMachine,
    /// It has scopes that it could never ask for.
    #[error("has scopes of its own, which only client_credentials uses")]
    UnusedMachineScopes,
    /// No way to authenticate is left.
    #[error("names no method; `none` is for a client that has nothing to show")]
    NoMethod,
    /// It need prove nothing, or something.
    #[error("`none` beside another method: whoever need show nothing need not show that")]
    NoneBesideAnother,
    /// This method needs a secret.
    #[error("{} needs a secret", .0.as_str())]
    NoSecret(ClientAuthMethod),
    /// `private_key_jwt` needs keys.
    #[error("private_key_jwt needs keys")]
    NoKeys,
    /// Somebody believes that its secret does something.
    #[error("the client has a secret, which this does not use; add client_secret_basic")]
    UnusedSecret,
    /// Somebody believes that its keys do something.
    #[error("the client has keys, which this does not use; add private_key_jwt")]
    UnusedKeys,
    /// Anybody could ask in its name (RFC 7662 §2.1).
    #[error("introspection is for a client that proves who it is; this one has neither a secret nor keys")]
    PublicIntrospection,
    /// Its own audience is never meant.
    #[error("the client has a default resource, so an audience of its own would never be used")]
    UnusedAudience,
    /// Its own audience would have no name.
    #[error("the id is too long for a client with an audience of its own")]
    AudienceOfLongId,
}

impl ClientFault {
    /// Everything that does not fit together in a client that has these proofs.
    pub fn of(client: &Client, proofs: Proofs) -> Vec<Self> {
        let mut faults = Vec::new();
        Self::of_grants(client, proofs, &mut faults);
        Self::of_methods(&client.auth_methods, proofs, &mut faults);
        if !client.introspects.is_empty() && client.is_public() {
            faults.push(Self::PublicIntrospection);
        }
        if client.audience.is_some() {
            if client.default_resource.is_some() {
                faults.push(Self::UnusedAudience);
            }
            if ResourceUri::of_client(&client.id).is_none() {
                faults.push(Self::AudienceOfLongId);
            }
        }
        faults
    }

    fn of_grants(client: &Client, proofs: Proofs, faults: &mut Vec<Self>) {
        let may = |grant_type| client.grant_types.contains(&grant_type);
        let by_code = may(GrantType::AuthorizationCode);
        let is_machine = may(GrantType::ClientCredentials);
        if client.grant_types.is_empty() {
            return faults.push(Self::NoGrantType);
        }
        if by_code && client.redirect_uris.is_empty() {
            faults.push(Self::NoRedirectUri);
        }
        if !by_code && !client.redirect_uris.is_empty() {
            faults.push(Self::UnusedRedirectUris);
        }
        if may(GrantType::RefreshToken) && !by_code {
            faults.push(Self::RefreshWithoutCode);
        }
        // With a secret or keys it is `none` that is wrong.
        if is_machine && client.is_public() && !proofs.secret && !proofs.keys {
            faults.push(Self::PublicMachine);
        }
        if !is_machine && (!client.machine_scopes.is_empty() || !client.machine.is_empty()) {
            faults.push(Self::UnusedMachineScopes);
        }
    }

    fn of_methods(methods: &[ClientAuthMethod], proofs: Proofs, faults: &mut Vec<Self>) {
        if methods.is_empty() {
            return faults.push(Self::NoMethod);
        }
        let by_keys = methods.contains(&ClientAuthMethod::PrivateKeyJwt);
        let by_secret = methods.iter().any(|method| method.is_by_secret());
        if methods.len() > 1 && methods.contains(&ClientAuthMethod::None) {
            return faults.push(Self::NoneBesideAnother);
        }
        if !proofs.secret {
            faults.extend(methods.iter().filter(|method| method.is_by_secret()).map(|m| Self::NoSecret(*m)));
        }
        if by_keys && !proofs.keys {
            faults.push(Self::NoKeys);
        }
        if proofs.secret && !by_secret {
            faults.push(Self::UnusedSecret);
        }
        if proofs.keys && !by_keys {
            faults.push(Self::UnusedKeys);
        }
    }
}

impl Resource {
    /// Whether a token with this audience would be good at it, or seem to be.
    pub fn is_meant_by_audience(&self, audience: &str) -> bool {
        self.audience() == audience || ResourceUri::parse(audience).is_ok_and(|uri| self.is_named_by(&uri))
    }
}

impl Client {
    /// Reads an identifier.
    ///
    /// # Errors
    /// The rule, for people.
    pub fn parse_id(text: &str) -> Result<ClientId, &'static str> {
        ClientId::parse(text).ok_or("must be at most 2048 printable ASCII characters without spaces")
    }

    /// Reads the address of a home page.
    ///
    /// # Errors
    /// The rule, for people.
    pub fn parse_home_page(text: &str) -> Result<String, &'static str> {
        let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        url.map(|_| text.to_owned()).ok_or("must be an https URL")
    }

    /// Reads an audience of a client's own. That of one of the `resources` is no client's: its tokens would be good there
    /// with scopes that the resource never gave.
    ///
    /// # Errors
    /// What speaks against it, for people.
    pub fn parse_audience(text: &str, resources: &[Resource]) -> Result<String, String> {
        if let Some(resource) = resources.iter().find(|resource| resource.is_meant_by_audience(text)) {
            return Err(format!("is the audience of {}; name that as `resource`", resource.uri));
        }
        let is_word =
            text.len() <= LONGEST_AUDIENCE && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        is_word
            .then(|| text.to_owned())
            .ok_or_else(|| format!("must be one word of at most {LONGEST_AUDIENCE} bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, scope};
    use crate::protocol::{ClientOrigin, RedirectUri, Timestamp};
    use ClientAuthMethod as Method;
    use GrantType as Grant;

    const NOTHING: Proofs = Proofs { secret: false, keys: false };
    const SECRET: Proofs = Proofs { secret: true, keys: false };
    const KEYS: Proofs = Proofs { secret: false, keys: true };

    /// A client for people that has nothing to show.
    fn public() -> Client {
        Client {
            grant_types: vec![Grant::AuthorizationCode, Grant::RefreshToken],
            redirect_uris: vec![RedirectUri::parse("https://app.example/cb").unwrap()],
            ..Client::new(ClientId::parse("c").unwrap(), ClientOrigin::Admin, Timestamp::from_seconds(0))
        }
    }

    fn machine(methods: &[Method]) -> Client {
        Client {
            grant_types: vec![Grant::ClientCredentials],
            redirect_uris: Vec::new(),
            auth_methods: methods.to_vec(),
            ..public()
        }
    }

    #[test]
    fn what_fits_together_is_no_fault() {
        let several = [Method::ClientSecretPost, Method::PrivateKeyJwt];
        let uri = fixtures::resource().uri;
        for (client, proofs) in [
            (public(), NOTHING),
            (machine(&[Method::ClientSecretBasic]), SECRET),
            (machine(&[Method::PrivateKeyJwt]), KEYS),
            (machine(&several), Proofs { secret: true, keys: true }),
            (Client { machine_scopes: scope("read"), ..machine(&[Method::ClientSecretPost]) }, SECRET),
            (Client { introspects: vec![uri], ..machine(&[Method::ClientSecretPost]) }, SECRET),
            (Client { audience: Some("word".to_owned()), ..public() }, NOTHING),
        ] {
            assert_eq!(ClientFault::of(&client, proofs), [], "{client:?}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        use ClientFault as Fault;
        let uri = fixtures::resource().uri;
        let with = |methods: &[Method]| Client { auth_methods: methods.to_vec(), ..public() };
        let single = crate::protocol::MachineScopes { resource: uri.clone(), scopes: scope("read") };
        let word = Some("word".to_owned());
        let long = ClientId::parse(&"c".repeat(2048)).unwrap();
        for (client, proofs, fault) in [
            (Client { grant_types: Vec::new(), ..public() }, NOTHING, Fault::NoGrantType),
            (Client { redirect_uris: Vec::new(), ..public() }, NOTHING, Fault::NoRedirectUri),
            (
                Client { grant_types: vec![Grant::ClientCredentials], ..with(&[Method::PrivateKeyJwt]) },
                KEYS,
                Fault::UnusedRedirectUris,
            ),
            (
                Client { grant_types: vec![Grant::RefreshToken], redirect_uris: Vec::new(), ..public() },
                NOTHING,
                Fault::RefreshWithoutCode,
            ),
            (machine(&[Method::None]), NOTHING, Fault::PublicMachine),
            (Client { machine_scopes: scope("read"), ..public() }, NOTHING, Fault::UnusedMachineScopes),
            (Client { machine: vec![single], ..public() }, NOTHING, Fault::UnusedMachineScopes),
            (with(&[]), KEYS, Fault::NoMethod),
            (with(&[Method::None, Method::PrivateKeyJwt]), KEYS, Fault::NoneBesideAnother),
            (with(&[Method::ClientSecretPost]), NOTHING, Fault::NoSecret(Method::ClientSecretPost)),
            (with(&[Method::PrivateKeyJwt]), NOTHING, Fault::NoKeys),
            (public(), SECRET, Fault::UnusedSecret),
            (public(), KEYS, Fault::UnusedKeys),
            (Client { introspects: vec![uri.clone()], ..public() }, NOTHING, Fault::PublicIntrospection),
            (
                Client { audience: word.clone(), default_resource: Some(uri), ..public() },
                NOTHING,
                Fault::UnusedAudience,
            ),
            (Client { audience: word, id: long, ..public() }, NOTHING, Fault::AudienceOfLongId),
        ] {
            assert_eq!(ClientFault::of(&client, proofs), [fault], "{client:?}");
        }
    }

    #[test]
    fn the_audience_of_a_resource_is_no_clients() {
        let resource = Resource { audience: Some("notes".to_owned()), ..fixtures::resource() };
        let names = [resource.uri.to_string(), format!("{}/", resource.uri), "notes".to_owned()];
        for taken in &names {
            assert!(Client::parse_audience(taken, std::slice::from_ref(&resource)).is_err(), "{taken}");
        }
        for text in ["a b", "a\n", &"a".repeat(2049)] {
            assert!(Client::parse_audience(text, &[]).is_err(), "{text}");
        }
        assert_eq!(Client::parse_audience("word", &[resource]).as_deref(), Ok("word"));
    }

    #[test]
    fn a_client_authenticates_by_what_it_has() {
        assert_eq!(NOTHING.default_methods(), [Method::None]);
        assert_eq!(SECRET.default_methods(), [Method::ClientSecretBasic]);
        assert_eq!(KEYS.default_methods(), [Method::PrivateKeyJwt]);
        let both = Proofs { secret: true, keys: true };
        assert_eq!(both.default_methods(), [Method::ClientSecretBasic, Method::PrivateKeyJwt]);
    }

    #[test]
    fn a_home_page_is_somewhere_on_the_web() {
        assert!(Client::parse_home_page("https://a.example/x").is_ok());
        for text in ["javascript:x", "a.example", ""] {
            assert!(Client::parse_home_page(text).is_err(), "{text}");
        }
    }
}

//! Dynamic client registration (RFC 7591): what a client may say about itself.
//!
//! Deprecated in MCP 2026-07-28, and still the only way in that most released clients know. What they really send is
//! taken as it comes where that harms nobody; nothing here lets a client do more than ask people for consent.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client_metadata::{Members, Misfit, digest, is_web_page};
use super::{
    Client, ClientAuthMethod, ClientId, ClientKeys, ClientOrigin, ErrorCode, GrantType, OAuthError,
    RedirectUri, Scope, SecretHash, Timestamp,
};

const MAX_REDIRECT_URIS: usize = 20;

/// Members that only inform: kept and echoed (RFC 7591 §3.2.1).
const INFORMATIVE: &[&str] =
    &["logo_uri", "tos_uri", "policy_uri", "software_id", "software_version", "application_type"];
const INFORMATIVE_URIS: &[&str] = &["logo_uri", "tos_uri", "policy_uri"];

/// A registration that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    name: Option<String>,
    uri: Option<String>,
    about: BTreeMap<String, String>,
    redirect_uris: Vec<RedirectUri>,
    grant_types: Vec<GrantType>,
    auth_method: ClientAuthMethod,
    keys: Option<ClientKeys>,
    scope: Option<Scope>,
}

impl Registration {
    /// Reads the body of a registration request. Unknown members are ignored and `null` is an omitted member.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata`.
    pub fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let members = Members::parse(body).ok_or(invalid_metadata("the body must be a JSON object"))?;
        let uri = members.text("client_uri")?.map(str::to_owned);
        web_page(uri.as_deref(), "client_uri")?;
        let auth_method = auth_method(&members)?;
        Ok(Self {
            name: members.client_name()?,
            uri,
            about: about(&members)?,
            redirect_uris: redirect_uris(&members)?,
            grant_types: members.grant_types()?,
            auth_method,
            keys: keys(&members, auth_method)?,
            scope: members
                .text("scope")?
                .map(Scope::parse)
                .transpose()
                .map_err(|_| invalid_metadata("is malformed").about("scope"))?,
        })
    }

    /// Whether the client is to be given a secret. RFC 7591 §2 makes that the default.
    pub fn needs_secret(&self) -> bool {
        self.auth_method.is_by_secret()
    }

    /// What two identical registrations have in common. Clients that register at every start come to share one row.
    pub fn fingerprint(&self) -> String {
        let uris: Vec<&str> = self.redirect_uris.iter().map(RedirectUri::as_str).collect();
        let grants: Vec<&str> = self.grant_types.iter().map(|grant| grant.as_str()).collect();
        let scope = self.scope.as_ref().map(ToString::to_string);
        let jwks = self.keys.as_ref().and_then(ClientKeys::jwks);
        let method = self.auth_method.as_str();
        digest(&json!([self.name, self.uri, self.about, uris, grants, method, jwks, scope]))
    }

    /// The client that comes of it.
    pub fn into_client(self, id: ClientId, secret: Option<SecretHash>, now: Timestamp) -> Client {
        Client {
            name: self.name,
            uri: self.uri,
            about: self.about,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            auth_methods: vec![self.auth_method],
            keys: self.keys,
            scope: self.scope,
            secret_hashes: secret.into_iter().collect(),
            ..Client::new(id, ClientOrigin::Dynamic, now)
        }
    }
}

/// The answer to a registration (RFC 7591 §3.2.1): everything that was registered, and no member that is `null`.
pub fn client_information(client: &Client, secret: Option<&str>) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("client_id".into(), client.id.as_str().into());
    answer.insert("client_id_issued_at".into(), client.registered_at.seconds().into());
    if let Some(secret) = secret {
        answer.insert("client_secret".into(), secret.into());
        answer.insert("client_secret_expires_at".into(), 0.into());
    }
    let strings = [("client_name", client.name.clone()), ("client_uri", client.uri.clone())];
    let scope = client.scope.as_ref().map(ToString::to_string);
    for (name, value) in strings.into_iter().chain([("scope", scope)]) {
        if let Some(value) = value {
            answer.insert(name.into(), value.into());
        }
    }
    for (name, value) in &client.about {
        answer.insert(name.clone(), value.as_str().into());
    }
    let uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
    answer.insert("redirect_uris".into(), uris.into());
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    answer.insert("grant_types".into(), grants.into());
    answer.insert("response_types".into(), vec!["code"].into());
    if let Some(method) = client.auth_methods.first() {
        answer.insert("token_endpoint_auth_method".into(), method.as_str().into());
    }
    let jwks = client.keys.as_ref().and_then(ClientKeys::jwks);
    if let Some(jwks) = jwks.and_then(|jwks| serde_json::from_str(jwks).ok()) {
        answer.insert("jwks".into(), jwks);
    }
    answer
}

fn invalid_metadata(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, description)
}

impl From<Misfit> for OAuthError {
    fn from(misfit: Misfit) -> Self {
        invalid_metadata(misfit.why).about(misfit.member)
    }
}

fn web_page(text: Option<&str>, name: &'static str) -> Result<(), OAuthError> {
    match text {
        Some(text) if !is_web_page(text) => Err(invalid_metadata("must be an http or https URL").about(name)),
        _ => Ok(()),
    }
}

fn about(members: &Members) -> Result<BTreeMap<String, String>, OAuthError> {
    let mut about = BTreeMap::new();
    for name in INFORMATIVE {
        if let Some(value) = members.text(name)? {
            if INFORMATIVE_URIS.contains(name) {
                web_page(Some(value), name)?;
            }
            about.insert((*name).to_owned(), value.to_owned());
        }
    }
    Ok(about)
}

fn redirect_uris(members: &Members) -> Result<Vec<RedirectUri>, OAuthError> {
    let invalid =
        |description| OAuthError::new(ErrorCode::InvalidRedirectUri, description).about("redirect_uris");
    let texts = members.texts("redirect_uris")?.unwrap_or_default();
    if texts.is_empty() || texts.len() > MAX_REDIRECT_URIS {
        return Err(invalid("must name between one and 20 URIs"));
    }
    let parse = |text: &str| {
        RedirectUri::parse(text).map_err(|error| {
            invalid("must be https, http on loopback, or an application's own scheme in reverse-domain form")
                .with_detail(error.to_string())
        })
    };
    texts.into_iter().map(parse).collect()
}

fn auth_method(members: &Members) -> Result<ClientAuthMethod, OAuthError> {
    match members.text("token_endpoint_auth_method")? {
        None => Ok(ClientAuthMethod::ClientSecretBasic),
        Some(name) => ClientAuthMethod::parse(name)
            .ok_or(invalid_metadata("is not supported").about("token_endpoint_auth_method")),
    }
}

/// The keys of a client that signs, by value: a registration is a stranger's, and nothing is fetched for a stranger.
/// Who wants to rotate keys publishes a client id metadata document, which may name a `jwks_uri`.
fn keys(members: &Members, method: ClientAuthMethod) -> Result<Option<ClientKeys>, OAuthError> {
    if method != ClientAuthMethod::PrivateKeyJwt {
        return Ok(None);
    }
    if members.value("jwks_uri").is_some() {
        let error = invalid_metadata("is for client id metadata documents; register the keys in jwks");
        return Err(error.about("jwks_uri"));
    }
    let jwks = members.jwks()?.ok_or(invalid_metadata("private_key_jwt needs keys").about("jwks"))?;
    Ok(Some(ClientKeys::Inline { jwks }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{at, scope};

    fn parse(body: &Value) -> Result<Registration, OAuthError> {
        Registration::parse(body.to_string().as_bytes())
    }

    fn client(body: &Value) -> Client {
        let hash = Some(SecretHash::from_stored("h".into()));
        parse(body).unwrap().into_client(ClientId::parse("id").unwrap(), hash, at(7))
    }

    fn error(body: &Value) -> (ErrorCode, String) {
        let error = parse(body).unwrap_err();
        (error.code(), error.description())
    }

    #[test]
    fn what_released_clients_send_is_taken() {
        for body in [
            // Cursor
            json!({"client_name": "Cursor", "application_type": "web", "redirect_uris": [
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback"], "token_endpoint_auth_method": "none"}),
            // Visual Studio Code
            json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
                "response_types": ["code"], "token_endpoint_auth_method": "none", "application_type": "native",
                "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                    "http://127.0.0.1/", "http://127.0.0.1:33418/"]}),
            // FastMCP and Gemini CLI
            json!({"client_name": "FastMCP Client", "redirect_uris": ["http://localhost:51234/callback"],
                "token_endpoint_auth_method": "none", "scope": ""}),
            // mcp-remote
            json!({"redirect_uris": ["http://localhost:3335/oauth/callback"], "software_id": "x", "software_version": "1",
                "token_endpoint_auth_method": "none", "made_up": {"deep": [1, null]}}),
            json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_uri": "", "logo_uri": null}),
        ] {
            assert!(parse(&body).is_ok(), "{body}: {:?}", parse(&body));
        }
    }

    #[test]
    fn everything_registered_is_echoed_and_nothing_is_null() {
        // RFC 7591 §3.2.1
        let body = json!({"client_name": "  A ", "client_uri": "https://a.example", "logo_uri": "https://b.example/l.png",
            "scope": "mcp:read", "grant_types": ["authorization_code", "client_credentials"], "contacts": null,
            "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "client_secret_post"});
        let answer = Value::Object(client_information(&client(&body), Some("s")));
        assert_eq!(
            answer,
            json!({"client_id": "id", "client_id_issued_at": 7, "client_secret": "s", "client_secret_expires_at": 0,
                "client_name": "A", "client_uri": "https://a.example", "logo_uri": "https://b.example/l.png",
                "scope": "mcp:read", "grant_types": ["authorization_code"], "response_types": ["code"],
                "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "client_secret_post"})
        );
        let bare = json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none"});
        let answer = Value::Object(client_information(&client(&bare), None));
        assert_eq!(
            answer,
            json!({"client_id": "id", "client_id_issued_at": 7, "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"], "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none"})
        );
    }

    #[test]
    fn everything_that_informs_is_kept_and_nothing_else() {
        // RFC 7591 §2: members that are not understood are ignored
        let informative = json!({"logo_uri": "https://a.example/l", "tos_uri": "http://a.example/t",
            "policy_uri": "https://a.example/p", "software_id": "s", "software_version": "1", "application_type": "web"});
        let mut body = json!({"redirect_uris": ["https://a.example/cb"], "jwks_uri": "https://a.example/j",
            "contacts": ["a@b"], "client_secret": "s"});
        for (name, value) in informative.as_object().unwrap() {
            body[name] = value.clone();
        }
        assert_eq!(serde_json::to_value(client(&body).about).unwrap(), informative);
    }

    #[test]
    fn a_name_is_cut_to_what_a_page_can_show_and_a_blank_one_is_none() {
        let name = |name: &str| {
            client(&json!({"redirect_uris": ["https://a.example/cb"], "client_name": name})).name
        };
        assert_eq!(name(&format!(" {} ", "ä".repeat(201))), Some("ä".repeat(200)));
        assert_eq!(name("  "), None);
    }

    #[test]
    fn a_client_that_names_no_method_gets_a_secret() {
        // RFC 7591 §2
        let uris = ["https://a.example/cb"];
        assert!(parse(&json!({"redirect_uris": uris})).unwrap().needs_secret());
        assert_eq!(
            client(&json!({"redirect_uris": uris})).auth_methods,
            [ClientAuthMethod::ClientSecretBasic]
        );
        assert!(
            !parse(&json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"}))
                .unwrap()
                .needs_secret()
        );
    }

    #[test]
    fn a_client_that_signs_registers_its_keys_by_value() {
        // RFC 7591 §2
        let jwks = json!({"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]});
        let body = |more: &str, value: &Value| json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "private_key_jwt", more: value});
        let good = body("jwks", &jwks);
        assert!(!parse(&good).unwrap().needs_secret());
        let client = client(&good);
        assert_eq!(client.keys, Some(ClientKeys::Inline { jwks: jwks.to_string() }));
        let answer = client_information(&client, None);
        assert_eq!(
            (&answer["jwks"], &answer["token_endpoint_auth_method"]),
            (&jwks, &json!("private_key_jwt"))
        );
        let other = body("jwks", &json!({"keys": []}));
        assert_ne!(parse(&good).unwrap().fingerprint(), parse(&other).unwrap().fingerprint());
        for (bad, about) in [
            (body("x", &jwks), "jwks: private_key_jwt needs keys"),
            (body("jwks", &json!({})), "jwks: must be"),
            (
                body("jwks_uri", &json!("https://a.example/jwks")),
                "jwks_uri: is for client id metadata documents",
            ),
        ] {
            let (code, description) = error(&bad);
            assert_eq!(code, ErrorCode::InvalidClientMetadata);
            assert!(description.starts_with(about), "{description}");
        }
        let unsigned = json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none", "jwks": jwks});
        assert_eq!(self::client(&unsigned).keys, None);
    }

    #[test]
    fn a_self_registered_client_is_nothing_special() {
        let body = json!({"redirect_uris": ["https://a.example/cb"], "first_party": true, "tenant": "acme", "client_id": "x",
            "client_secret": "chosen", "scope": " a  b "});
        let client = client(&body);
        assert_eq!(
            (client.origin, client.first_party, client.id.as_str()),
            (ClientOrigin::Dynamic, false, "id")
        );
        assert_eq!(
            (client.scope, client.machine_scopes, client.tenant),
            (Some(scope("a b")), Scope::default(), None)
        );
        assert_eq!(client.secret_hashes, [SecretHash::from_stored("h".into())]);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_in_its_own_words() {
        // OAuth 2.1 §4.1.2.1
        use ErrorCode::{InvalidClientMetadata, InvalidRedirectUri};
        let uris = json!(["https://a.example/cb"]);
        let many: Vec<String> = (0..21).map(|i| format!("https://a.example/{i}")).collect();
        for (body, code, about) in [
            (json!([]), InvalidClientMetadata, "the body"),
            (json!({}), InvalidRedirectUri, "redirect_uris"),
            (json!({"redirect_uris": []}), InvalidRedirectUri, "redirect_uris"),
            (json!({"redirect_uris": many}), InvalidRedirectUri, "redirect_uris"),
            (json!({"redirect_uris": "https://a.example/cb"}), InvalidClientMetadata, "redirect_uris"),
            (json!({"redirect_uris": [1]}), InvalidClientMetadata, "redirect_uris"),
            (json!({"redirect_uris": ["javascript:alert(1)"]}), InvalidRedirectUri, "redirect_uris"),
            (
                json!({"redirect_uris": ["https://a.example/cb", "http://a.example"]}),
                InvalidRedirectUri,
                "redirect_uris",
            ),
            (json!({"redirect_uris": uris, "client_name": 1}), InvalidClientMetadata, "client_name"),
            (json!({"redirect_uris": uris, "client_name": "a\u{0}"}), InvalidClientMetadata, "client_name"),
            (
                json!({"redirect_uris": uris, "client_name": "x".repeat(2049)}),
                InvalidClientMetadata,
                "client_name",
            ),
            (
                json!({"redirect_uris": uris, "client_uri": "javascript:x"}),
                InvalidClientMetadata,
                "client_uri",
            ),
            (json!({"redirect_uris": uris, "logo_uri": "data:x"}), InvalidClientMetadata, "logo_uri"),
            (json!({"redirect_uris": uris, "tos_uri": "x"}), InvalidClientMetadata, "tos_uri"),
            (json!({"redirect_uris": uris, "policy_uri": "x"}), InvalidClientMetadata, "policy_uri"),
            (json!({"redirect_uris": uris, "scope": "\""}), InvalidClientMetadata, "scope"),
            (json!({"redirect_uris": uris, "scope": ["a"]}), InvalidClientMetadata, "scope"),
            (
                json!({"redirect_uris": uris, "grant_types": ["refresh_token"]}),
                InvalidClientMetadata,
                "grant_types",
            ),
            (
                json!({"redirect_uris": uris, "grant_types": ["client_credentials"]}),
                InvalidClientMetadata,
                "grant_types",
            ),
            (
                json!({"redirect_uris": uris, "response_types": ["token"]}),
                InvalidClientMetadata,
                "response_types",
            ),
            (
                json!({"redirect_uris": uris, "token_endpoint_auth_method": "tls"}),
                InvalidClientMetadata,
                "token_endpoint",
            ),
        ] {
            let (found, description) = error(&body);
            assert_eq!(found, code, "{body}");
            assert!(description.starts_with(about), "{body}: {description}");
        }
        assert_eq!(Registration::parse(b"nonsense").unwrap_err().code(), InvalidClientMetadata);
        assert!(parse(&json!({"redirect_uris": uris, "client_name": "x".repeat(2048)})).is_ok());
        let twenty = &many[..20];
        assert!(parse(&json!({"redirect_uris": twenty})).is_ok());
    }

    #[test]
    fn a_member_of_another_type_is_refused_and_not_guessed_at() {
        for (name, value) in [
            ("client_name", json!("a\nb")),
            ("client_uri", json!(["https://a.example"])),
            ("software_id", json!(1)),
            ("grant_types", json!("authorization_code")),
            ("response_types", json!({"code": true})),
            ("token_endpoint_auth_method", json!(true)),
        ] {
            let mut body = json!({"redirect_uris": ["https://a.example/cb"]});
            body[name] = value;
            let (code, description) = error(&body);
            assert_eq!(code, ErrorCode::InvalidClientMetadata, "{body}");
            assert!(description.starts_with(name), "{body}: {description}");
        }
    }

    #[test]
    fn identical_registrations_share_a_fingerprint_and_others_do_not() {
        let base = json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A"});
        let print = |body: &Value| parse(body).unwrap().fingerprint();
        assert_eq!(
            print(&base),
            print(&json!({"client_name": "A", "redirect_uris": ["https://a.example/cb"], "x": 1}))
        );
        assert_eq!(print(&base).len(), 64);
        for other in [
            json!({"redirect_uris": ["https://a.example/cb"], "client_name": "B"}),
            json!({"redirect_uris": ["https://a.example/cb2"], "client_name": "A"}),
            json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "scope": "a"}),
            json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "token_endpoint_auth_method": "none"}),
        ] {
            assert_ne!(print(&base), print(&other));
        }
    }
}

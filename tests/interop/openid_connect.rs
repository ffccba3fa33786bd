//! The crates `openidconnect` and `oauth2`, as Rust programs use them, each as strict as it can be told to be.

use gatelet::testkit::Browser;
use oauth2::http::{Response, uri::Scheme};
use oauth2::{HttpRequest, HttpResponse, StandardRevocableToken};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreClientRegistrationRequest, CoreGrantType,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, RefreshToken, RevocationUrl, Scope,
    TokenResponse as _,
};
use serde_json::json;
use url::Url;

use crate::dev_server::{DevServer, alice_allows};

const CALLBACK: &str = "http://127.0.0.1:47120/callback";

/// What these crates send their requests by. They revoke over https alone; it is the way to loopback that is plain.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (head, body) = request.into_parts();
    let mut url = Url::parse(&head.uri.to_string()).unwrap();
    if head.uri.scheme() == Some(&Scheme::HTTPS) {
        url.set_scheme("http").unwrap();
    }
    // Redirects would lead a credential elsewhere.
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = client.request(head.method, url).headers(head.headers).body(body).send().await?;
    let mut response = Response::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

fn answered(callback: &str, name: &str) -> String {
    let url = Url::parse(callback).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{name} in {url}")).1.into_owned()
}

#[tokio::test]
async fn openidconnect_registers_logs_in_and_believes_what_it_is_told() {
    // OpenID Connect Core §3.1.3.7: issuer, audience, signature, algorithm, times, nonce and at_hash are checked.
    let server = DevServer::start().await;
    let issuer = IssuerUrl::new(server.issuer()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.expect("discovery");
    let redirect = RedirectUrl::new(CALLBACK.to_owned()).unwrap();
    let registration =
        CoreClientRegistrationRequest::new(vec![redirect.clone()], EmptyAdditionalClientMetadata {})
            .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
            .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretBasic));
    let registered = registration
        .register_async(metadata.registration_endpoint().expect("a registration endpoint"), &send)
        .await
        .expect("registration");
    let secret = registered.client_secret().cloned();
    let client = CoreClient::from_provider_metadata(metadata, registered.client_id().clone(), secret)
        .set_redirect_uri(redirect);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["profile", "email", "mcp:read"].map(|scope| Scope::new(scope.to_owned()));
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(scopes)
        .set_pkce_challenge(challenge)
        .url();
    let mut browser: Browser = server.browser();
    let callback = alice_allows(&mut browser, url.as_str(), &["email", "mcp:read", "profile"]).await;
    assert_eq!(answered(&callback, "state"), *state.secret());
    let code = AuthorizationCode::new(answered(&callback, "code"));
    let request = client.exchange_code(code).expect("a token endpoint").set_pkce_verifier(verifier);
    let tokens = request.request_async(&send).await.expect("tokens");

    let id_token = tokens.id_token().expect("an id token");
    let checks = client.id_token_verifier().set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256]);
    let claims = id_token.claims(&checks, &nonce).expect("an id token that is for this login");
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().unwrap();
        let key = id_token.signing_key(&checks).unwrap();
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
        assert_eq!(actual, *expected);
    }
    let userinfo: CoreUserInfoClaims = client
        .user_info(tokens.access_token().to_owned(), Some(claims.subject().clone()))
        .expect("a userinfo endpoint")
        .request_async(&send)
        .await
        .expect("userinfo about the same person");
    assert_eq!(userinfo.preferred_username().map(|name| name.as_str()), Some("alice"));

    let refresh = tokens.refresh_token().expect("a refresh token");
    let next = client.exchange_refresh_token(refresh).unwrap().request_async(&send).await.expect("refreshed");
    assert_ne!(next.refresh_token().map(RefreshToken::secret), Some(refresh.secret()));
}

#[tokio::test]
async fn oauth2_gets_tokens_for_a_machine_and_takes_them_back() {
    // RFC 6749 §4.4, RFC 7009 §2, RFC 7662 §2
    let server = DevServer::start().await;
    let issuer = server.issuer();
    let (id, secret) = server.machine();
    for way in [AuthType::BasicAuth, AuthType::RequestBody] {
        let revoke = format!("{issuer}/revoke").replacen("http:", "https:", 1);
        let client = oauth2::basic::BasicClient::new(ClientId::new(id.clone()))
            .set_client_secret(ClientSecret::new(secret.clone()))
            .set_auth_type(way)
            .set_token_uri(oauth2::TokenUrl::new(format!("{issuer}/token")).unwrap())
            .set_introspection_url(oauth2::IntrospectionUrl::new(format!("{issuer}/introspect")).unwrap())
            .set_revocation_url(RevocationUrl::new(revoke).unwrap());
        let request = client.exchange_client_credentials().add_scope(Scope::new("mcp:read".to_owned()));
        let tokens = request.request_async(&send).await.expect("a token");
        let access_token = oauth2::TokenResponse::access_token(&tokens);
        let is_active = async || {
            let answer = client.introspect(access_token).request_async(&send).await.expect("introspection");
            oauth2::TokenIntrospectionResponse::active(&answer)
        };
        assert!(is_active().await, "{}", json!({ "client": id }));
        let token = StandardRevocableToken::AccessToken(access_token.clone());
        client.revoke_token(token).unwrap().request_async(&send).await.expect("revocation");
        assert!(!is_active().await);
    }
}

//! Clients that manage their registration (RFC 7592), and initial access tokens (RFC 7591 §3).

use std::time::Duration;

use gatelet::app::admin::InitialTokenWish;
use gatelet::fetch::Supplied;
use gatelet::protocol::{Rate, Rates, RegistrationMode, Scope};
use gatelet::testkit::{ClientKey, JsonAnswer, TestClient, TestServer};
use serde_json::{Value, json};

use crate::cases;
use crate::world::{Database, Watch, consent_page, logged_in, server, tokens, world};

cases![
    a_client_reads_replaces_and_deletes_its_registration,
    a_client_that_others_share_is_managed_by_nobody,
    a_registration_access_token_is_good_for_one_client_alone,
    a_secret_is_given_and_dropped_and_never_chosen,
    what_is_replaced_is_asked_about_anew,
    a_replacement_keeps_the_rules_of_a_registration,
    registration_by_token_is_for_who_has_one,
    a_token_says_for_what_and_how_many,
    a_token_may_let_machines_register,
    who_has_a_token_is_held_to_its_limits_alone,
    keys_at_a_registered_address_are_fetched_for_the_first_assertion,
    a_client_keeps_to_the_algorithm_that_it_registered,
    what_cannot_be_read_there_is_refused_in_json,
];

const CALLBACK: &str = "https://app.example/cb";

fn app() -> Value {
    json!({"client_name": "App", "redirect_uris": [CALLBACK], "scope": "mcp:read mcp:write"})
}

/// A request with a body and a bearer token, or without.
async fn send(server: &TestServer, method: &str, url: &str, token: &str, body: Option<&Value>) -> JsonAnswer {
    let method = method.parse().unwrap();
    let mut request = server.http().request(method, url);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    server.send(request).await
}

/// A registered confidential client, and where and by which token it manages its registration.
struct Managed {
    registered: JsonAnswer,
    uri: String,
    token: String,
}

impl Managed {
    fn of(registered: JsonAnswer) -> Self {
        assert_eq!(registered.status, 201, "{}", registered.body);
        let (uri, token) =
            (registered.text("registration_client_uri"), registered.text("registration_access_token"));
        Self { uri: uri.to_owned(), token: token.to_owned(), registered }
    }

    fn id(&self) -> &str {
        self.registered.text("client_id")
    }

    fn client(&self, server: &TestServer) -> TestClient {
        TestClient::new(server, self.id(), CALLBACK).secret(self.registered.text("client_secret"))
    }

    async fn get(&self, server: &TestServer) -> JsonAnswer {
        send(server, "GET", &self.uri, &self.token, None).await
    }

    async fn put(&self, server: &TestServer, mut body: Value) -> JsonAnswer {
        body["client_id"] = json!(self.id());
        send(server, "PUT", &self.uri, &self.token, Some(&body)).await
    }

    async fn delete(&self, server: &TestServer) -> JsonAnswer {
        send(server, "DELETE", &self.uri, &self.token, None).await
    }
}

async fn managed(server: &TestServer) -> Managed {
    Managed::of(server.register(&app()).await)
}

async fn a_client_reads_replaces_and_deletes_its_registration(database: Database) {
    // RFC 7592 §2.1, §2.2, §2.3, §3
    let server = server(database).await;
    let managed = managed(&server).await;
    assert_eq!(managed.uri, server.endpoint(&format!("register/{}", managed.id())));
    assert!(managed.token.starts_with("gtl_ra_") && managed.token.len() == 7 + 26 + 43, "{}", managed.token);
    let read = managed.get(&server).await;
    assert_eq!((read.status, read.header("cache-control")), (200, "no-store"));
    let mut expected = managed.registered.json.clone();
    for member in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(read.json, expected, "all but the secret, which nobody but the client knows");

    let grant = tokens(&server, &managed.client(&server)).await;
    let put =
        managed.put(&server, json!({"redirect_uris": [CALLBACK], "client_uri": "https://app.example"})).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.text("client_uri"), "https://app.example");
    assert!(put.json.get("client_name").is_none() && put.json.get("scope").is_none(), "{}", put.body);
    assert_eq!(put.text("registration_access_token"), managed.token);
    assert!(put.json.get("client_secret").is_none(), "it keeps the one that it has");
    assert_eq!(managed.get(&server).await.json, put.json);
    let grant = managed.client(&server).refresh(grant.refresh_token()).await.granted();

    let gone = managed.delete(&server).await;
    assert_eq!((gone.status, gone.body.as_str(), gone.header("cache-control")), (204, "", "no-store"));
    let refused = managed.client(&server).refresh(grant.refresh_token()).await;
    assert_eq!(refused.refusal(), (401, "invalid_client"));
    for again in
        [managed.get(&server).await, managed.put(&server, app()).await, managed.delete(&server).await]
    {
        // RFC 7592 §2.1: 401 and not 404, and the token dies with the client
        assert_eq!(again.refusal(), (401, "invalid_token"));
    }
    let page = logged_in(&server, "alice").await.get(&managed.client(&server).authorization(|r| r).url).await;
    assert_eq!(page.page().status, 400);
}

async fn a_client_that_others_share_is_managed_by_nobody(database: Database) {
    // RFC 7592 §5: else the first to say that it is some product could have the answers to all who use it
    let server = server(database).await;
    let public = json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
    let first = server.register(&public).await;
    let second = server.register(&public).await;
    assert_eq!(first.text("client_id"), second.text("client_id"));
    for answer in [&first, &second] {
        for member in ["registration_access_token", "registration_client_uri"] {
            assert!(answer.json.get(member).is_none(), "{}", answer.body);
        }
    }
    let uri = server.endpoint(&format!("register/{}", first.text("client_id")));
    let token = format!("gtl_ra_{}{}", first.text("client_id"), "A".repeat(43));
    assert_eq!(send(&server, "DELETE", &uri, &token, None).await.refusal(), (401, "invalid_token"));
    // Nobody comes to share the row of one that is managed, whatever it says of itself later.
    let managed = managed(&server).await;
    assert_eq!(managed.put(&server, public.clone()).await.status, 200);
    assert_eq!(server.register(&public).await.text("client_id"), first.text("client_id"));
}

async fn a_registration_access_token_is_good_for_one_client_alone(database: Database) {
    // RFC 7592 §2, §5; RFC 6750 §3, §3.1
    let server = server(database).await;
    let (mine, other) = (managed(&server).await, managed(&server).await);
    let mut tampered = mine.token.clone();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'E' } else { 'A' });
    let unknown = server.endpoint("register/unknown");
    let app_uri = server.endpoint("register/app");
    let mut watch = Watch::on(&server).await;
    for (uri, token) in [
        (&mine.uri, other.token.as_str()),
        (&mine.uri, &tampered),
        (&mine.uri, "x"),
        (&mine.uri, ""),
        (&unknown, &mine.token),
        (&app_uri, &mine.token),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let body = (method == "PUT").then(app);
            let answer = send(&server, method, uri, token, body.as_ref()).await;
            assert_eq!(answer.refusal(), (401, "invalid_token"), "{method} {uri} {token}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert_eq!(challenge.contains("error=\"invalid_token\""), !token.is_empty(), "{challenge}");
        }
    }
    // No scheme but Bearer, one header, and no token in a query or a form.
    for (headers, status) in [
        (vec![format!("Basic {}", mine.token)], 401),
        (vec!["Bearer".to_owned()], 401),
        (vec![format!("Bearer {}", mine.token), format!("Bearer {}", mine.token)], 400),
    ] {
        let request = headers
            .iter()
            .fold(server.http().get(&mine.uri), |request, header| request.header("authorization", header));
        assert_eq!(request.send().await.unwrap().status(), status, "{headers:?}");
    }
    let in_query = format!("{}?access_token={}", mine.uri, mine.token);
    assert_eq!(server.get(&in_query).await.status, 401);
    assert!(!watch.has_changed().await);
}

async fn a_secret_is_given_and_dropped_and_never_chosen(database: Database) {
    // RFC 7592 §2.2
    let server = server(database).await;
    let managed = managed(&server).await;
    let old = managed.registered.text("client_secret").to_owned();
    let mut body = app();
    body["client_secret"] = json!("chosen0by0the0caller0of0more0than0128bits");
    assert_eq!(managed.put(&server, body.clone()).await.refusal(), (400, "invalid_client_metadata"));
    body["client_secret"] = json!(old);
    assert_eq!(managed.put(&server, body).await.status, 200);
    let mut public = app();
    public["token_endpoint_auth_method"] = json!("none");
    let answer = managed.put(&server, public).await;
    assert_eq!(answer.text("token_endpoint_auth_method"), "none");
    let with_old = managed.client(&server);
    assert_eq!(with_old.refresh("gtl_rt_x").await.refusal(), (401, "invalid_client"), "the secret is gone");
    let answer = managed.put(&server, app()).await;
    let new = answer.text("client_secret").to_owned();
    assert_eq!(answer.json["client_secret_expires_at"], 0);
    assert_ne!(new, old);
    let client = TestClient::new(&server, managed.id(), CALLBACK).secret(&new);
    tokens(&server, &client).await;
    for member in ["registration_access_token", "client_id_issued_at"] {
        let mut echoed = app();
        echoed[member] = answer.json[member].clone();
        assert_eq!(managed.put(&server, echoed).await.refusal(), (400, "invalid_request"));
    }
    let mut other = app();
    other["client_id"] = json!("another");
    let answer = send(&server, "PUT", &managed.uri, &managed.token, Some(&other)).await;
    assert_eq!(answer.refusal(), (400, "invalid_client_metadata"));
}

async fn what_is_replaced_is_asked_about_anew(database: Database) {
    // RFC 7591 §5
    let server = server(database).await;
    let managed = managed(&server).await;
    tokens(&server, &managed.client(&server)).await;
    let mut moved = app();
    moved["redirect_uris"] = json!(["https://elsewhere.example/cb"]);
    assert_eq!(managed.put(&server, moved).await.status, 200);
    let mut browser = logged_in(&server, "alice").await;
    let old = managed.client(&server).authorization(|request| request.scope("mcp:read"));
    assert_eq!(browser.get(&old.url).await.page().status, 400, "the old address is no longer registered");
    let client = TestClient::new(&server, managed.id(), "https://elsewhere.example/cb");
    let page =
        consent_page(&mut browser, &client.authorization(|request| request.scope("mcp:read")).url).await;
    assert!(page.text().contains("elsewhere.example"), "{}", page.text());
}

async fn a_replacement_keeps_the_rules_of_a_registration(database: Database) {
    // RFC 7592 §2.2; RFC 7591 §3.2.2
    let server = server(database).await;
    let managed = managed(&server).await;
    let before = managed.get(&server).await.json;
    for (member, value, error) in [
        ("redirect_uris", json!(["http://a.example/"]), "invalid_redirect_uri"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("client_uri", json!("javascript:x"), "invalid_client_metadata"),
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
    ] {
        let mut body = app();
        body[member] = value;
        assert_eq!(managed.put(&server, body).await.refusal(), (400, error), "{member}");
    }
    assert_eq!(managed.get(&server).await.json, before);
}

/// An initial access token as an administrator makes it.
async fn initial(
    server: &TestServer,
    name: &str,
    describe: impl FnOnce(InitialTokenWish) -> InitialTokenWish,
) -> String {
    let wish = InitialTokenWish { name: name.to_owned(), ..InitialTokenWish::default() };
    server.app().engine().administrator("test").issue_initial_token(describe(wish)).await.unwrap().1
}

async fn register_with(server: &TestServer, token: &str, metadata: &Value) -> JsonAnswer {
    send(server, "POST", &server.endpoint("register"), token, Some(metadata)).await
}

async fn registration_by_token_is_for_who_has_one(database: Database) {
    // RFC 7591 §3; RFC 6750 §3
    let server = world(database).registration(RegistrationMode::Token).start().await;
    let metadata = server.get(&server.url("/.well-known/oauth-authorization-server/oauth")).await;
    assert_eq!(metadata.text("registration_endpoint"), server.endpoint("register"));
    let without = server.register(&app()).await;
    assert_eq!(without.refusal(), (401, "invalid_token"));
    assert_eq!(without.header("www-authenticate"), "Bearer realm=\"register\"");
    let good = initial(&server, "ci", |wish| wish).await;
    assert!(good.starts_with("gtl_ia_"), "{good}");
    for wrong in ["x", "gtl_ia_x", &good[..good.len() - 1], &good.replace("gtl_ia_", "gtl_ra_")] {
        let answer = register_with(&server, wrong, &app()).await;
        assert_eq!(answer.refusal(), (401, "invalid_token"), "{wrong}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    let managed = Managed::of(register_with(&server, &good, &app()).await);
    tokens(&server, &managed.client(&server)).await;
    // The right to manage one's registration is another than to register.
    assert_eq!(register_with(&server, &managed.token, &app()).await.status, 401);
    assert_eq!(send(&server, "GET", &managed.uri, &good, None).await.status, 401);
}

async fn a_token_says_for_what_and_how_many(database: Database) {
    // RFC 7591 §3
    let server = world(database).registration_scopes(["mcp:read"]).start().await;
    let scopes: Scope = Scope::parse("mcp:write").unwrap();
    let soon = Some(Duration::from_secs(100));
    let two = initial(&server, "two", |wish| InitialTokenWish {
        scopes: Some(scopes),
        max_uses: Some(2),
        expires_in: soon,
        ..wish
    })
    .await;
    let public = json!({"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none"});
    let first = Managed::of(register_with(&server, &two, &public).await);
    let client = TestClient::new(&server, first.id(), "http://localhost:1/cb");
    let callback = client
        .authorize(&mut logged_in(&server, "alice").await, "alice", |request| {
            request.scope("mcp:read mcp:write")
        })
        .await;
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:write", "the ceiling is the token's");
    // A malformed registration costs nothing, and a client of this origin shares its row with nobody.
    assert_eq!(register_with(&server, &two, &json!({})).await.status, 400);
    let second = Managed::of(register_with(&server, &two, &public).await);
    assert_ne!(first.id(), second.id());
    assert_eq!(register_with(&server, &two, &public).await.refusal(), (401, "invalid_token"));
    // Also where everybody may register: who sends a token counts on what it allows.
    assert_eq!(server.register(&public).await.status, 201);

    let expiring = initial(&server, "expiring", |wish| InitialTokenWish { expires_in: soon, ..wish }).await;
    assert_eq!(register_with(&server, &expiring, &public).await.status, 201);
    server.clock().advance(Duration::from_secs(100));
    assert_eq!(register_with(&server, &expiring, &public).await.refusal(), (401, "invalid_token"));
}

async fn a_token_may_let_machines_register(database: Database) {
    let server = server(database).await;
    let machine = json!({"client_name": "Robot", "grant_types": ["client_credentials"]});
    let bare = initial(&server, "bare", |wish| wish).await;
    assert_eq!(register_with(&server, &bare, &machine).await.refusal(), (400, "invalid_client_metadata"));
    let scopes = Scope::parse("mcp:read").unwrap();
    let machines = initial(&server, "machines", |wish| InitialTokenWish {
        scopes: Some(scopes),
        machines: true,
        ..wish
    })
    .await;
    let robot = Managed::of(register_with(&server, &machines, &machine).await);
    let tokens = robot.client(&server).client_credentials(None).await.granted();
    assert_eq!(tokens.scope(), "mcp:read");
    assert_eq!(robot.client(&server).client_credentials(Some("mcp:write")).await.status, 400);
    // What a token allowed can be kept and given up, and not taken back.
    assert_eq!(robot.put(&server, machine.clone()).await.status, 200);
    robot.client(&server).client_credentials(None).await.granted();
    assert_eq!(robot.put(&server, app()).await.status, 200);
    assert_eq!(robot.client(&server).client_credentials(None).await.refusal(), (400, "unauthorized_client"));
    assert_eq!(robot.put(&server, machine).await.refusal(), (400, "invalid_client_metadata"));
}

async fn who_has_a_token_is_held_to_its_limits_alone(database: Database) {
    // RFC 7591 §5
    let few = Rate::new(2, Duration::from_secs(3600));
    let rates = Rates { registrations: few, ..Rates::on_loopback() };
    let server = world(database).rates(rates).max_unused_clients(1).start().await;
    let token = initial(&server, "ci", |wish| wish).await;
    for _ in 0..4 {
        assert_eq!(register_with(&server, &token, &app()).await.status, 201);
    }
    // Wrong tokens count as what they are: attempts of a stranger.
    for status in [401, 401, 429] {
        assert_eq!(register_with(&server, "wrong", &app()).await.status, status);
    }
    assert_eq!(server.register(&app()).await.status, 429);
    assert_eq!(register_with(&server, &token, &app()).await.status, 201);
}

const KEYS: &str = "https://app.example/jwks.json";

async fn keys_at_a_registered_address_are_fetched_for_the_first_assertion(database: Database) {
    // RFC 7591 §2, jwks_uri
    let server = server(database).await;
    let mut metadata = app();
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata["jwks_uri"] = json!(KEYS);
    let registered = server.register(&metadata).await;
    assert_eq!((registered.status, registered.text("jwks_uri")), (201, KEYS));
    assert!(server.asked_documents().is_empty(), "nothing is fetched for whoever registers");
    let client =
        TestClient::new(&server, registered.text("client_id"), CALLBACK).signing(ClientKey::FIRST, &server);
    server.supply_document(KEYS, Supplied::document(ClientKey::FIRST.jwks().to_string()));
    // RFC 9700 §4.11: whoever registers could make the server ask anybody anything.
    assert_eq!(client.refresh("nonsense").await.refusal(), (401, "invalid_client"));
    assert!(server.asked_documents().is_empty(), "nor for whoever signs, before a person has let them in");
    let grant = tokens(&server, &client).await;
    client.refresh(grant.refresh_token()).await.granted();
    assert_eq!(server.asked_documents(), [KEYS]);
}

async fn a_client_keeps_to_the_algorithm_that_it_registered(database: Database) {
    // OpenID Connect Registration §2, token_endpoint_auth_signing_alg
    let server = server(database).await;
    let mut metadata = app();
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata["jwks"] = ClientKey::FIRST.jwks();
    for (alg, error) in [("RS256", "invalid_grant"), ("ES256", "invalid_client")] {
        metadata["token_endpoint_auth_signing_alg"] = json!(alg);
        let registered = server.register(&metadata).await;
        assert_eq!(registered.text("token_endpoint_auth_signing_alg"), alg);
        let client = TestClient::new(&server, registered.text("client_id"), CALLBACK);
        // The key signs by RS256; what it signs is no refresh token.
        let answer = client.signing(ClientKey::FIRST, &server).refresh("gtl_rt_x").await;
        assert_eq!(answer.refusal().1, error, "{alg}");
    }
}

async fn what_cannot_be_read_there_is_refused_in_json(database: Database) {
    // RFC 9110 §15.5.6, §15.5.14, §15.5.16; RFC 9700 §2.6
    let server = server(database).await;
    let managed = managed(&server).await;
    for method in ["POST", "PATCH", "BREW"] {
        let answer = send(&server, method, &managed.uri, &managed.token, None).await;
        assert_eq!(answer.refusal(), (405, "invalid_request"), "{method}");
        assert_eq!(answer.header("allow"), "GET,HEAD,PUT,DELETE");
    }
    let put = |media_type: &'static str, body: String| {
        let request = server.http().put(&managed.uri).header("content-type", media_type);
        server.send(request.bearer_auth(&managed.token).body(body))
    };
    assert_eq!(put("text/plain", "{}".to_owned()).await.refusal(), (415, "invalid_request"));
    assert_eq!(put("application/json", " ".repeat(70_000)).await.refusal(), (413, "invalid_request"));
    assert_eq!(put("application/json", "[]".to_owned()).await.refusal(), (400, "invalid_client_metadata"));
    for path in ["register/", "register/a/b", "register/%00", "register/%ff"] {
        let answer = send(&server, "GET", &server.endpoint(path), &managed.token, None).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let preflight = server.http().request("OPTIONS".parse().unwrap(), &managed.uri);
    let preflight = preflight.header("origin", "https://web.example");
    let answer = server.send(preflight.header("access-control-request-method", "PUT")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,PUT,DELETE");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

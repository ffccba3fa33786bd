//! Floods and guessing: what they cost, whom they shut out and for how long.

use std::time::{Duration, Instant};

use gatelet::protocol::{Network, Rate, Rates};
use gatelet::testkit::{Browser, ClientAuth, JsonAnswer, Landing, Page, TestServer};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tokio::task::JoinSet;

use crate::cases;
use crate::world::{
    APP_CALLBACK, Database, ROBOT_SECRET, WEB_SECRET, app, assert_error_page, consent_page, logged_in,
    self_registered, server, tokens, web, world,
};

cases![
    a_thousand_registrations_of_an_integration_test_are_taken,
    registrations_from_one_address_are_limited_and_come_back,
    registrations_are_limited_in_all,
    behind_a_trusted_proxy_each_address_has_its_own_limit,
    a_flood_of_registrations_leaves_bounded_rows_and_a_working_server,
    what_is_suspended_is_not_registered_again,
    a_client_that_is_gone_is_told_how_to_come_back,
    a_name_rests_after_five_wrong_passwords_whether_it_exists_or_not,
    a_resting_name_ends_nothing_that_was_reached,
    of_32_wrong_passwords_at_once_five_are_answered,
    an_address_that_guesses_names_is_stopped,
    a_guessed_secret_shuts_out_the_guesser_and_nobody_else,
    a_dead_grant_is_told_however_often,
    a_flood_of_logins_leaves_a_working_server,
];

fn metadata(number: usize) -> Value {
    json!({"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": "none",
        "client_name": format!("Client {number}")})
}

/// Registers with an address that a proxy names.
async fn register_from(server: &TestServer, address: &str, number: usize) -> (u16, String) {
    let request = server.http().post(server.endpoint("register")).header("X-Forwarded-For", address);
    let answer = request.json(&metadata(number)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn assert_told_to_wait(answer: &JsonAnswer) -> Duration {
    assert_eq!(answer.refusal(), (429, "temporarily_unavailable"), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let seconds: u64 = answer.header("retry-after").parse().expect("whole seconds");
    assert!(seconds >= 1);
    Duration::from_secs(seconds)
}

/// A number that a query gives.
async fn number(server: &TestServer, query: &'static str) -> i64 {
    let url = server.database_url();
    let file = url.strip_prefix("sqlite:").expect("a SQLite database");
    let mut connection = SqliteConnectOptions::new().filename(file).read_only(true).connect().await.unwrap();
    sqlx::query(AssertSqlSafe(query)).fetch_one(&mut connection).await.unwrap().get(0)
}

fn rates(change: impl FnOnce(&mut Rates)) -> Rates {
    let mut rates = Rates::on_loopback();
    change(&mut rates);
    rates
}

const MINUTE: Duration = Duration::from_secs(60);

async fn a_thousand_registrations_of_an_integration_test_are_taken(database: Database) {
    let server = server(database).await;
    for number in 0..1000 {
        assert_eq!(server.register(&metadata(number)).await.status, 201, "{number}");
    }
}

async fn registrations_from_one_address_are_limited_and_come_back(database: Database) {
    // RFC 7591 §5. Malformed ones count too.
    let limited = rates(|rates| rates.registrations = Rate::new(10, MINUTE));
    let server = world(database).rates(limited).start().await;
    for number in 0..10 {
        let expected = if number % 2 == 0 { 201 } else { 400 };
        let body = if number % 2 == 0 { metadata(number) } else { json!({}) };
        assert_eq!(server.register(&body).await.status, expected);
    }
    let refused = server.register(&metadata(10)).await;
    assert_eq!(assert_told_to_wait(&refused), Duration::from_secs(6));
    // Scripts of other origins can read both (OAuth 2.1 §3.2).
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert!(refused.header("access-control-expose-headers").contains("retry-after"));
    // Nobody can choose another address by saying so.
    assert_eq!(register_from(&server, "192.0.2.1", 10).await.0, 429);
    server.clock().advance(Duration::from_secs(6));
    assert_eq!(server.register(&metadata(11)).await.status, 201);
    assert_eq!(server.register(&metadata(12)).await.status, 429);
    server.clock().advance(MINUTE);
    for number in 20..30 {
        assert_eq!(server.register(&metadata(number)).await.status, 201);
    }
}

fn behind_proxy() -> [Network; 1] {
    [Network::parse("127.0.0.0/8").unwrap()]
}

async fn registrations_are_limited_in_all(database: Database) {
    let limited = rates(|rates| {
        rates.registrations = Rate::new(5, MINUTE);
        rates.registrations_in_all = Rate::new(12, MINUTE);
    });
    let server = world(database).rates(limited).trusted_proxies(behind_proxy()).start().await;
    let mut taken = 0;
    for address in 0..10 {
        for number in 0..5 {
            let (status, _) =
                register_from(&server, &format!("192.0.2.{address}"), number + 5 * address).await;
            taken += usize::from(status == 201);
        }
    }
    assert_eq!(taken, 12);
    // One that is over its own limit takes nothing from the rest.
    server.clock().advance(MINUTE);
    for number in 0..50 {
        register_from(&server, "192.0.2.77", 100 + number).await;
    }
    assert_eq!(register_from(&server, "192.0.2.78", 200).await.0, 201);
}

async fn behind_a_trusted_proxy_each_address_has_its_own_limit(database: Database) {
    // RFC 9700 §4.13
    let limited = rates(|rates| rates.registrations = Rate::new(3, MINUTE));
    let server = world(database).rates(limited).trusted_proxies(behind_proxy()).start().await;
    for number in 0..3 {
        // What the sender writes itself stands before what the proxy adds.
        let forged = format!("198.51.100.{number}, 192.0.2.1");
        assert_eq!(register_from(&server, &forged, number).await.0, 201);
    }
    assert_eq!(register_from(&server, "198.51.100.9, 192.0.2.1", 3).await.0, 429);
    assert_eq!(register_from(&server, "192.0.2.2", 3).await.0, 201);
    // One network of IPv6 addresses is one customer.
    for number in 4..7 {
        assert_eq!(register_from(&server, &format!("2001:db8::{number}"), number).await.0, 201);
    }
    assert_eq!(register_from(&server, "2001:db8::ffff:8", 8).await.0, 429);
    assert_eq!(register_from(&server, "2001:db8:0:1::8", 8).await.0, 201);
}

/// The slowest of some machine tokens while something else goes on, and how many there were.
async fn tokens_until(server: &TestServer, done: impl Future<Output = ()>) -> (Duration, usize) {
    let (mut slowest, mut count) = (Duration::ZERO, 0);
    let robot = ClientAuth::Basic("robot".to_owned(), ROBOT_SECRET.to_owned());
    tokio::pin!(done);
    loop {
        let start = Instant::now();
        let asked = async { server.token(&[("grant_type", "client_credentials")], &robot).await.granted() };
        tokio::select! {
            _ = asked => {
                slowest = slowest.max(start.elapsed());
                count += 1;
            }
            () = &mut done => return (slowest, count),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn a_flood_of_registrations_leaves_bounded_rows_and_a_working_server(database: Database) {
    // Growth by registration: rows stay bounded, others are answered, and it ends with the flood.
    let server = world(database).max_unused_clients(500).start().await;
    let client = self_registered(&server).await;
    let live = tokens(&server, &client).await;
    let statuses = std::sync::Mutex::new(std::collections::BTreeMap::<u16, usize>::new());
    let flood = async {
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let (http, url) = (server.http().clone(), server.endpoint("register"));
            senders.spawn(async move {
                let mut statuses = Vec::new();
                for number in 0..375 {
                    // Every other one with a secret: those never share a row.
                    let mut body = metadata(1000 * sender + number);
                    if number % 2 == 0 {
                        body["token_endpoint_auth_method"] = json!("client_secret_post");
                    }
                    let answer = http.post(&url).json(&body).send().await.unwrap();
                    let status = answer.status().as_u16();
                    assert!(status != 429 || answer.headers().contains_key("retry-after"));
                    statuses.push(status);
                }
                statuses
            });
        }
        for status in senders.join_all().await.into_iter().flatten() {
            *statuses.lock().unwrap().entry(status).or_default() += 1;
        }
    };
    let (slowest, count) = tokens_until(&server, flood).await;
    let statuses = statuses.into_inner().unwrap();
    assert_eq!((statuses.get(&201), statuses.get(&429)), (Some(&500), Some(&2500)), "{statuses:?}");
    assert_eq!(number(&server, "SELECT COUNT(*) FROM clients WHERE origin = 'dynamic'").await, 501);
    assert!(count > 5 && slowest < Duration::from_secs(5), "{count} tokens, the slowest in {slowest:?}");
    // Whoever was let in notices nothing, and ten minutes later everybody can come in again.
    client.refresh(live.refresh_token()).await.granted();
    let refused = server.register(&metadata(9000)).await;
    assert!(assert_told_to_wait(&refused) <= Duration::from_secs(600));
    server.clock().advance(Duration::from_secs(600));
    for number in 9000..9100 {
        assert_eq!(server.register(&metadata(number)).await.status, 201);
    }
    assert_eq!(
        number(&server, "SELECT COUNT(*) FROM clients WHERE used_at IS NULL AND origin = 'dynamic'").await,
        500
    );
    assert_eq!(number(&server, "SELECT COUNT(*) FROM client_secrets s WHERE NOT EXISTS (SELECT 1 FROM clients c WHERE c.id = s.client_id)").await, 0);
}

async fn what_is_suspended_is_not_registered_again(database: Database) {
    let server = server(database).await;
    let first = server.register(&metadata(1)).await;
    suspend(&server, first.text("client_id")).await;
    assert_eq!(server.register(&metadata(1)).await.refusal(), (400, "invalid_client_metadata"));
    assert_eq!(server.register(&metadata(2)).await.status, 201);
}

async fn suspend(server: &TestServer, client: &str) {
    use gatelet::audit::{AuditEvent, AuditKind};
    let audit = AuditEvent::new(server.clock().now(), AuditKind::Suspended);
    let client = gatelet::protocol::ClientId::parse(client).unwrap();
    let outcome = server.app().engine().store.suspend_client(&client, audit).await.unwrap();
    assert!(outcome.is_won());
}

async fn a_client_that_is_gone_is_told_how_to_come_back(database: Database) {
    // RFC 6749 §4.1.2.1: no redirect; the program cannot see the page, so it speaks to the person. RFC 6749 §5.2: at the
    // token endpoint 401 as JSON, by which clients know that they have to register anew.
    let server = server(database).await;
    let (swept, suspended) = (self_registered(&server).await, {
        let registered = server.register(&metadata(1)).await;
        gatelet::testkit::TestClient::new(&server, registered.text("client_id"), "http://localhost:5/cb")
    });
    suspend(&server, suspended.client_id()).await;
    server.clock().advance(Duration::from_secs(8 * 86_400));
    let policy = gatelet::store::SweepPolicy {
        dead_grant_kept: MINUTE,
        unused_client_kept: Duration::from_secs(7 * 86_400),
        audit_kept: MINUTE,
        batch: 100,
    };
    let engine = server.app().engine().clone();
    assert_eq!(engine.store.sweep(engine.clock.now(), policy).await.unwrap().clients, 1);
    let never = gatelet::testkit::TestClient::new(&server, "never-seen", APP_CALLBACK);
    for client in [swept, suspended, never] {
        let request = client.authorization(|request| request);
        for mut browser in [Browser::new(&server), logged_in(&server, "alice").await] {
            let page = browser.get(&request.url).await.page();
            assert_eq!(page.text().matches(client.client_id()).count(), 1, "{}", page.text());
            for words in [
                "remove the connection to the MCP server",
                "Add it again",
                "is not registered, or its registration has ended or was suspended",
                "ask the operator of this server",
            ] {
                assert!(page.text().contains(words), "{}", page.text());
            }
            assert_error_page(
                Landing::Page(Box::new(page)),
                400,
                "This server does not know the application",
            );
        }
        let refused = client.refresh("gtl_rt_whatever").await;
        assert_eq!(refused.refusal(), (401, "invalid_client"));
        assert_eq!(refused.header("cache-control"), "no-store");
    }
}

/// Tries a password on a fresh login page.
async fn tries(server: &TestServer, username: &str, password: &str) -> Page {
    let mut browser = Browser::new(server);
    let page = browser.get("/login").await.page();
    browser.log_in(&page, (username, password)).await.page()
}

async fn a_name_rests_after_five_wrong_passwords_whether_it_exists_or_not(database: Database) {
    // OWASP ASVS 6.3.1, 6.3.8; RFC 6749 §10.10
    let server = server(database).await;
    let mut seen = Vec::new();
    for name in ["alice", "nobody", " ALICE "] {
        server.clock().advance(Duration::from_secs(7200));
        let mut answers = Vec::new();
        for _ in 0..5 {
            let page = tries(&server, name, "wrong").await;
            answers.push((page.status, page.header("retry-after").to_owned(), page.text().to_owned()));
        }
        for wait in [1, 2, 4] {
            // Neither is the right password looked at.
            for password in ["wrong", "wonderland"] {
                let page = tries(&server, name, password).await;
                assert_eq!((page.status, page.header("retry-after")), (429, wait.to_string().as_str()));
                assert!(page.has_form_with("password"));
                answers.push((page.status, page.header("retry-after").to_owned(), page.text().to_owned()));
            }
            server.clock().advance(Duration::from_secs(wait));
            let page = tries(&server, name, "wrong").await;
            answers.push((page.status, page.header("retry-after").to_owned(), page.text().to_owned()));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2], "names are folded before they are counted");
    // Others are not concerned; the right password forgets; and so does time.
    assert_eq!(tries(&server, "bob", "wonderland").await.status, 200);
    server.clock().advance(Duration::from_secs(8));
    assert_eq!(tries(&server, "alice", "wonderland").await.status, 200);
    for _ in 0..4 {
        assert_eq!(tries(&server, "alice", "wrong").await.status, 403);
    }
    assert_eq!(tries(&server, "alice", "wonderland").await.status, 200);
    // A restart forgets nothing.
    for _ in 0..5 {
        assert_eq!(tries(&server, "alice", "wrong").await.status, 403);
    }
    let server = server.restart().await;
    assert_eq!(tries(&server, "alice", "wonderland").await.status, 429);
}

async fn a_resting_name_ends_nothing_that_was_reached(database: Database) {
    // OWASP ASVS 6.1.1: who makes somebody's name rest keeps them from logging in for a while, and from nothing else.
    let server = server(database).await;
    let mut browser = logged_in(&server, "alice").await;
    let live = tokens(&server, &app(&server)).await;
    for _ in 0..5 {
        assert_eq!(tries(&server, "alice", "wrong").await.status, 403);
    }
    assert_eq!(tries(&server, "alice", "wonderland").await.status, 429);
    let request = app(&server).authorization(|request| request.scope("mcp:read").prompt("consent"));
    let page = consent_page(&mut browser, &request.url).await;
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    app(&server).redeem(&callback).await.granted();
    app(&server).refresh(live.refresh_token()).await.granted();
}

async fn of_32_wrong_passwords_at_once_five_are_answered(database: Database) {
    // OWASP ASVS 6.3.1: parallel guesses buy nothing; not even the right one among them is told.
    let server = server(database).await;
    let mut attempts = JoinSet::new();
    for number in 0..32 {
        let mut browser = Browser::new(&server);
        let page = browser.get("/login").await.page();
        attempts.spawn(async move {
            browser.log_in(&page, ("alice", format!("guess {number}").as_str())).await.page().status
        });
    }
    let statuses = attempts.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 27, "{statuses:?}");
}

async fn an_address_that_guesses_names_is_stopped(database: Database) {
    // One password for many names. Whoever sits behind another address is not concerned.
    let limited = rates(|rates| rates.wrong_logins = Rate::new(6, MINUTE));
    let server = world(database).rates(limited).start().await;
    for number in 0..6 {
        assert_eq!(tries(&server, &format!("name{number}"), "Spring2026!").await.status, 403);
    }
    let page = tries(&server, "alice", "wonderland").await;
    assert_eq!((page.status, page.header("retry-after")), (429, "10"));
    server.clock().advance(Duration::from_secs(10));
    for _ in 0..20 {
        assert_eq!(tries(&server, "alice", "wonderland").await.status, 200, "the right one costs nothing");
    }
}

async fn a_guessed_secret_shuts_out_the_guesser_and_nobody_else(database: Database) {
    // OAuth 2.1 §2.4.1
    let server = world(database).trusted_proxies(behind_proxy()).start().await;
    let ask = async |client: &str, secret: &str, address: &str| {
        let request = server.http().post(server.endpoint("token")).header("X-Forwarded-For", address);
        let request = request.basic_auth(client, Some(secret));
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        let json: Value = answer.json().await.unwrap();
        (status, json["error"].as_str().unwrap_or_default().to_owned(), retry_after)
    };
    let (attacker, honest) = ("192.0.2.1", "192.0.2.2");
    for number in 0..20 {
        // Right ones in between change nothing.
        assert_eq!(ask("robot", ROBOT_SECRET, attacker).await.0, 200);
        let (status, error, _) = ask("robot", &format!("guess {number}"), attacker).await;
        assert_eq!((status, error.as_str()), (401, "invalid_client"));
    }
    for secret in ["guess", ROBOT_SECRET] {
        let refused = ask("robot", secret, attacker).await;
        assert_eq!(refused, (429, "temporarily_unavailable".to_owned(), Some("3".to_owned())));
    }
    assert_eq!(ask("robot", ROBOT_SECRET, honest).await.0, 200, "the client itself, elsewhere");
    assert_eq!(ask("web", WEB_SECRET, attacker).await.1, "unauthorized_client", "another client, there");
    server.clock().advance(Duration::from_secs(3));
    assert_eq!(ask("robot", ROBOT_SECRET, attacker).await.0, 200);
    // A client that is gone has to hear it, or it will not register anew.
    for _ in 0..30 {
        assert_eq!(ask("gone", "secret", attacker).await.0, 401);
    }
}

async fn a_dead_grant_is_told_however_often(database: Database) {
    // Clients that retry must hear `invalid_grant` in the end, or they never ask their person again.
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        for _ in 0..50 {
            assert_eq!(client.refresh("gtl_rt_dead").await.refusal(), (400, "invalid_grant"));
        }
    }
}

async fn a_flood_of_logins_leaves_a_working_server(database: Database) {
    // Argon2id takes 19 MiB a password: so many at once as there are cores, and a queue that ends.
    let server = server(database).await;
    let mut browser = Browser::new(&server);
    let form = browser.get("/login").await.page().form_with("password");
    let port = server.origin().rsplit(':').next().unwrap();
    let cookie = format!("gatelet-browser-{port}={}", browser.cookie("gatelet-browser").unwrap());
    let fields = ["csrf", "continue"].map(|name| (name, form.value(name).unwrap().to_owned()));
    let statuses = std::sync::Mutex::new(Vec::new());
    let flood = async {
        let mut attempts = JoinSet::new();
        for number in 0..500 {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            let body = body.extend_pairs(&fields).append_pair("username", &format!("name{number}"));
            let body = body.append_pair("password", "x").finish();
            let request = server.http().post(server.url("/login")).header("cookie", &cookie).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded").timeout(MINUTE);
            attempts.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        *statuses.lock().unwrap() = attempts.join_all().await;
    };
    let (slowest, count) = tokens_until(&server, flood).await;
    let statuses = statuses.into_inner().unwrap();
    let of = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!(of(403) + of(429) + of(503), 500, "{statuses:?}");
    assert!(of(403) >= 50 && of(429) + of(503) > 200, "{} {} {}", of(403), of(429), of(503));
    assert!(count > 3 && slowest < Duration::from_secs(5), "{count} tokens, the slowest in {slowest:?}");
    server.clock().advance(MINUTE);
    assert_eq!(tries(&server, "alice", "wonderland").await.status, 200);
}

//! Nothing crosses a tenant: each person, client and resource in each of two tenants, and every way to a token.

use gatelet::testkit::{Browser, ClientAuth, RequestParams, TestClient, TestResource, TestServer, TestUser};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::cases;
use crate::world::{Database, ROBOT_SECRET, logged_in};

cases![
    codes_and_refresh_tokens_stay_in_the_tenant_of_everybody_involved,
    machines_stay_in_their_tenant,
    who_leaves_a_tenant_or_loses_a_role_loses_it_at_the_next_refresh,
];

const CALLBACK: &str = "http://127.0.0.1/cb";
const TENANTS: [&str; 2] = ["acme", "globex"];

/// People: ann of acme, gus of globex, both of both. Clients and resources: `-acme`, `-globex`, `-both` (listed) and
/// `-any` (bound to none).
async fn two_tenants(database: Database) -> TestServer {
    let mut builder = TestServer::builder()
        .user(TestUser::new("ann").member_of("acme", ["member"]))
        .user(TestUser::new("gus").member_of("globex", ["member"]))
        .user(TestUser::new("both").member_of("acme", ["member"]).member_of("globex", ["member"]));
    for (name, tenants) in bound() {
        let resource = TestResource::new(&uri(name)).scope("use", "Use it");
        builder = builder
            .resource(tenants.iter().fold(resource, |resource, tenant| resource.only_for_tenant(tenant)))
            .public_client(&format!("client-{name}"), [CALLBACK]);
        builder = tenants.iter().fold(builder, |builder, tenant| builder.client_only_for_tenant(tenant));
    }
    for tenant in TENANTS {
        builder = builder.machine_client(&format!("robot-{tenant}"), ROBOT_SECRET, ["use"], Some(tenant));
    }
    builder = builder.machine_client("robot-none", ROBOT_SECRET, ["use"], None);
    match database {
        Database::Sqlite => builder.start().await,
        Database::Postgres(url) => builder.database_url(&url).start().await,
    }
}

fn bound() -> [(&'static str, &'static [&'static str]); 4] {
    [("acme", &TENANTS[..1]), ("globex", &TENANTS[1..]), ("both", &TENANTS), ("any", &[])]
}

fn uri(name: &str) -> String {
    format!("https://{name}.example/mcp")
}

fn admits(tenants: &[&str], tenant: &str) -> bool {
    tenants.is_empty() || tenants.contains(&tenant)
}

async fn codes_and_refresh_tokens_stay_in_the_tenant_of_everybody_involved(database: Database) {
    // OWASP ASVS 8.4.1
    let server = two_tenants(database).await;
    let (mut given, mut refused) = (0, 0);
    for (user, homes) in [("ann", &TENANTS[..1]), ("gus", &TENANTS[1..]), ("both", &TENANTS[..])] {
        let mut browser = logged_in(&server, user).await;
        for (client_name, client_tenants) in bound() {
            let client = TestClient::new(&server, &format!("client-{client_name}"), CALLBACK);
            for (resource, resource_tenants) in bound() {
                for tenant in TENANTS {
                    let ask = |request: RequestParams| {
                        request.scope("use").resource(&uri(resource)).param("tenant", tenant)
                    };
                    let is_open = homes.contains(&tenant)
                        && admits(client_tenants, tenant)
                        && admits(resource_tenants, tenant);
                    let case = format!("{user} {client_name} {resource} in {tenant}");
                    let request = client.authorization(ask);
                    let left = decide(&mut browser, &request.url, tenant).await;
                    let callback = request.callback(&left);
                    if !is_open {
                        assert_eq!(callback.error(), "access_denied", "{case}");
                        refused += 1;
                        continue;
                    }
                    let first = client.redeem(&callback).await.granted();
                    let second = client.refresh(first.refresh_token()).await.granted();
                    for answer in [&first, &second] {
                        let claims = server.verify(answer.access_token()).await;
                        assert_eq!(
                            (&claims["tenant"], &claims["sub"]),
                            (&tenant.into(), &user.into()),
                            "{case}"
                        );
                        assert_eq!(claims["aud"], uri(resource), "{case}");
                    }
                    for (other, _) in bound().iter().filter(|(other, _)| *other != resource) {
                        let elsewhere = [
                            ("grant_type", "refresh_token"),
                            ("refresh_token", second.refresh_token()),
                            ("resource", &uri(other)),
                        ];
                        let answer = client.token(&elsewhere).await;
                        assert_eq!(answer.refusal(), (400, "invalid_target"), "{case}, then {other}");
                    }
                    given += 1;
                }
            }
        }
    }
    // Of two tenants each, acme and any open three of four; a person of one tenant meets 9 open pairs, of both 18.
    assert_eq!((given, refused), (36, 60));
}

/// Agrees to whatever is asked, in `tenant` whether the page offers it or not.
async fn decide(browser: &mut Browser, url: &str, tenant: &str) -> String {
    let page = match browser.get(url).await {
        gatelet::testkit::Landing::Left(url) => return url,
        gatelet::testkit::Landing::Page(page) => page,
    };
    let form = page.form_with("decision");
    let has_choice = form.options("tenant").iter().any(|(id, _)| *id == tenant);
    let form = if has_choice { form.choose("tenant", tenant) } else { forced(form, tenant) };
    browser.submit_with(form, "decision", "allow").await.left()
}

/// What an attacker does to a page that offers one tenant, or others.
fn forced(form: gatelet::testkit::Form, tenant: &str) -> gatelet::testkit::Form {
    if form.options("tenant").is_empty() {
        form.fill("tenant", tenant)
    } else {
        panic!("whoever may choose is offered {tenant}: {form:?}")
    }
}

async fn machines_stay_in_their_tenant(database: Database) {
    // OWASP ASVS 8.4.1
    let server = two_tenants(database).await;
    for (robot, home) in [("acme", Some("acme")), ("globex", Some("globex")), ("none", None)] {
        let auth = ClientAuth::Basic(format!("robot-{robot}"), ROBOT_SECRET.to_owned());
        for (resource, tenants) in bound() {
            let resource_uri = uri(resource);
            let pairs =
                [("grant_type", "client_credentials"), ("resource", &*resource_uri), ("tenant", TENANTS[1])];
            let answer = server.token(&pairs, &auth).await;
            if home.map_or(tenants.is_empty(), |home| admits(tenants, home)) {
                let claims = server.verify(answer.granted().access_token()).await;
                assert_eq!(
                    claims.get("tenant").and_then(|tenant| tenant.as_str()),
                    home,
                    "{robot} {resource}"
                );
            } else {
                assert_eq!(answer.refusal(), (400, "invalid_target"), "{robot} {resource}");
            }
        }
    }
}

async fn who_leaves_a_tenant_or_loses_a_role_loses_it_at_the_next_refresh(database: Database) {
    // OWASP ASVS 8.3.2
    let server = crate::world::server(database).await;
    let client = crate::world::app(&server);
    let ask = |request: RequestParams| request.scope("mcp:read mcp:admin").param("tenant", "acme");
    let callback = client.authorize(&mut Browser::new(&server), "bob", ask).await;
    let first = client.redeem(&callback).await.granted();
    assert_eq!(first.scope(), "mcp:read mcp:admin");
    execute(&server, "UPDATE memberships SET roles = '[]' WHERE user_id = 'bob' AND tenant_id = 'acme'")
        .await;
    let second = client.refresh(first.refresh_token()).await.granted();
    assert_eq!(second.scope(), "mcp:read", "the role is gone");
    assert!(server.verify(second.access_token()).await.get("roles").is_none(), "what is empty is left out");
    execute(&server, "DELETE FROM memberships WHERE user_id = 'bob' AND tenant_id = 'acme'").await;
    assert_eq!(client.refresh(second.refresh_token()).await.refusal(), (400, "invalid_grant"));
}

/// Changes what configuration declared, as an edited file and a restart would.
async fn execute(server: &TestServer, sql: &'static str) {
    let url = server.database_url();
    let file = url.strip_prefix("sqlite:").expect("a SQLite database");
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    assert_eq!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected(), 1);
}

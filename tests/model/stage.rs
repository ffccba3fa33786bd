//! The server, with people, tenants and clients for many histories: each history has its own, and the clock only goes
//! forward.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelet::protocol::{ClientId, Lifetimes, SigningAlg, TenantId, Timestamp, UserId};
use gatelet::testkit::{Browser, JsonAnswer, TestClient, TestResource, TestServer, TestUser};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::Database;
use crate::model::{Asker, By, Rules, TENANT_OF};

pub(crate) const NOTES: &str = "https://notes.example/mcp";
pub(crate) const OTHER: &str = "https://other.example/mcp";
const SECRET: &str = "secret0of0more0than0128bits0aaaaaaaa";
const OWN: &str = "http://127.0.0.1/own";
const WEB: &str = "https://web.example/cb";

/// People stay logged in: how long is no part of the model, and logging in costs more than all the rest.
const ONE_LOGIN: i64 = 365 * 86_400;

/// A server and what is left of its seats.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) rules: Rules,
    router: Router,
    browser: Browser,
    free: Option<Seat>,
    next: usize,
    seats: usize,
}

/// Three people, in tenants by [`TENANT_OF`], and two clients: the first is the operator's own and public, the second has a
/// secret, and people are asked about it. None of them is suspended; the people may be logged in.
pub(crate) struct Seat {
    number: usize,
    pub(crate) clients: [TestClient; 2],
    pub(crate) browsers: Vec<Browser>,
}

impl Stage {
    pub(crate) async fn new(database: &Database, rules: Rules, seats: usize) -> Self {
        let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
        let lifetimes = Lifetimes {
            code: seconds(rules.code),
            retry_window: seconds(rules.window),
            refresh_idle: seconds(rules.idle),
            refresh_absolute: seconds(rules.absolute),
            access_token: seconds(rules.access),
            browser_session_idle: seconds(ONE_LOGIN),
            browser_session_absolute: seconds(ONE_LOGIN),
            ..Lifetimes::default()
        };
        let resource = |uri| {
            // Its keys are made in no time.
            let resource = TestResource::new(uri)
                .signing_alg(SigningAlg::Es256)
                .scope("read", "Read")
                .scope("write", "Write");
            resource.default_scope("read").scope("admin", "Delete")
        };
        let mut builder = TestServer::builder();
        builder = builder.lifetimes(lifetimes).resource(resource(NOTES)).resource(resource(OTHER));
        if let Database::Postgres(url) = database {
            builder = builder.database_url(url);
        }
        for seat in 0..seats {
            for (user, tenant) in TENANT_OF.iter().enumerate() {
                let person = TestUser::new(&name("user", seat, user));
                builder = builder.user(person.member_of(&name("tenant", seat, *tenant), ["member"]));
            }
            builder = builder.first_party_client(&name("client", seat, 0), [OWN]);
            builder = builder.confidential_client(&name("client", seat, 1), SECRET, [WEB]);
        }
        for (server, resource) in [("notes", NOTES), ("other", OTHER)] {
            builder = builder.resource_server(server, SECRET, [resource]);
        }
        let server = builder.start().await;
        let (browser, router) = (Browser::new(&server), server.app().router(Router::new()));
        Self { server, rules, router, browser, free: None, next: 0, seats }
    }

    /// Whether a seat is left.
    pub(crate) fn has_seat(&self) -> bool {
        self.free.is_some() || self.next < self.seats
    }

    /// Gives a seat back in which nobody is suspended.
    pub(crate) fn leave(&mut self, seat: Seat) {
        self.free = Some(seat);
    }

    pub(crate) fn seat(&mut self) -> Seat {
        if let Some(seat) = self.free.take() {
            return seat;
        }
        let number = self.next;
        self.next += 1;
        assert!(number < self.seats, "no seat is left");
        let client = |client, uri| TestClient::new(&self.server, &name("client", number, client), uri);
        Seat {
            number,
            clients: [client(0, OWN), client(1, WEB)],
            browsers: vec![self.browser.clone(); TENANT_OF.len()],
        }
    }

    /// Posts a form as a client of this seat or a resource server to an endpoint, without a connection, which would cost as much again.
    pub(crate) async fn post(
        &self,
        seat: &Seat,
        who: Asker,
        endpoint: &str,
        pairs: &[(&str, &str)],
    ) -> JsonAnswer {
        let request = self.request(seat, who, endpoint, pairs);
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        JsonAnswer { status: parts.status.as_u16(), headers: parts.headers, json, body }
    }

    /// Where a logged-in browser is sent by an authorization request, if that is to a client and not to a page.
    pub(crate) async fn sent_on(&self, browser: &Browser, url: &str) -> Option<String> {
        let cookie = format!("gatelet-session-{}", self.server.address().port());
        let cookie = format!("{cookie}={}", browser.cookie(&cookie)?);
        let request = Request::get(url).header(header::HOST, self.server.address().to_string());
        let request = request.header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let to = answer.headers().get(header::LOCATION)?.to_str().unwrap();
        to.starts_with(OWN).then(|| to.to_owned())
    }

    fn request(&self, seat: &Seat, who: Asker, endpoint: &str, pairs: &[(&str, &str)]) -> Request<Body> {
        let (id, is_right) = match who {
            Asker::Server => ("notes", true),
            Asker::OtherServer => ("other", true),
            Asker::Client(By { client, proved }) => (seat.clients[client].client_id(), proved),
        };
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let mut request = Request::post(self.server.endpoint(endpoint))
            .header(header::HOST, self.server.address().to_string())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if who == Asker::Client(By { client: 0, proved: true }) {
            form.append_pair("client_id", id);
        } else {
            let secret = if is_right { SECRET } else { "wrong" };
            let credentials = STANDARD.encode(format!("{id}:{secret}"));
            request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
        }
        request.body(Body::from(form.finish())).unwrap()
    }

    pub(crate) fn now(&self) -> i64 {
        self.server.clock().now().seconds()
    }

    /// Sets the clock to a second that is not past.
    pub(crate) fn wait(&self, until: i64) {
        let clock = self.server.app().engine().clock.clone();
        clock.advance(Timestamp::from_seconds(until).since(clock.now()));
    }
}

impl Seat {
    pub(crate) fn user(&self, user: usize) -> String {
        name("user", self.number, user)
    }

    pub(crate) fn user_id(&self, user: usize) -> UserId {
        UserId::parse(&self.user(user)).unwrap()
    }

    pub(crate) fn client_id(&self, client: usize) -> ClientId {
        ClientId::parse(&name("client", self.number, client)).unwrap()
    }

    pub(crate) fn tenant_id(&self, tenant: usize) -> TenantId {
        TenantId::parse(&name("tenant", self.number, tenant)).unwrap()
    }
}

fn name(kind: &str, seat: usize, number: usize) -> String {
    format!("{kind}{seat}x{number}")
}

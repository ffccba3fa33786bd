//! Every address × everything that a hostile client can do wrong before a parameter means anything: one table, and the
//! answer is always in the terms of whoever asks there.

use std::collections::BTreeSet;

use gatelet::testkit::TestServer;

use crate::cases;
use crate::wire::{Answer, Wire};
use crate::world::{Database, logged_in, server};

cases![
    every_address_of_the_server_is_on_the_list,
    a_method_that_is_not_known_is_refused_with_those_that_are,
    a_body_of_another_kind_is_refused,
    a_body_that_is_too_large_is_refused,
    a_body_that_cannot_be_read_is_refused,
    a_query_that_cannot_be_read_is_refused,
    paths_mean_what_they_say,
    a_header_that_must_be_one_is_one,
    scripts_of_other_origins_read_what_is_open_and_nothing_else,
];

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// What an answer may hold only in another spelling.
const SCRIPT: &str = "<script>alert(1)</script>";

/// Who asks at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Programs of any origin: answered in JSON.
    Programs,
    /// The same, where a token is needed to read anything.
    Bearers,
    /// Servers: in JSON, and never to a script.
    Servers,
    /// People: answered with pages.
    People,
}

/// An address, whom it is for, and the media type of what is posted to it, or nothing where nothing is.
type Route = (&'static str, For, Option<&'static str>);

/// Every address of the server. What is only posted to has no `GET`.
const ROUTES: &[Route] = &[
    ("/oauth/token", For::Programs, Some(FORM)),
    ("/oauth/introspect", For::Servers, Some(FORM)),
    ("/oauth/revoke", For::Programs, Some(FORM)),
    ("/oauth/register", For::Programs, Some(JSON)),
    ("/oauth/openapi.json", For::Programs, None),
    ("/oauth/userinfo", For::Bearers, Some(FORM)),
    ("/oauth/jwks", For::Programs, None),
    ("/oauth/.well-known/jwks.json", For::Programs, None),
    ("/.well-known/jwks.json", For::Programs, None),
    ("/.well-known/oauth-authorization-server", For::Programs, None),
    ("/.well-known/oauth-authorization-server/oauth", For::Programs, None),
    ("/.well-known/openid-configuration", For::Programs, None),
    ("/oauth/.well-known/oauth-authorization-server", For::Programs, None),
    ("/.well-known/openid-configuration/oauth", For::Programs, None),
    ("/oauth/.well-known/openid-configuration", For::Programs, None),
    ("/oauth/authorize", For::People, Some(FORM)),
    ("/oauth/end_session", For::People, Some(FORM)),
    ("/login", For::People, Some(FORM)),
    ("/consent", For::People, Some(FORM)),
    ("/logout", For::People, Some(FORM)),
    ("/", For::People, None),
    ("/oauth", For::People, None),
    ("/oauth/", For::People, None),
    ("/assets/none.css", For::People, None),
    ("/healthz", For::People, None),
    ("/readyz", For::People, None),
];

impl For {
    /// Whether scripts of any origin may ask.
    fn is_open(self) -> bool {
        matches!(self, Self::Programs | Self::Bearers)
    }

    fn allowed(self, posted: Option<&str>) -> &'static str {
        match (self, posted) {
            (Self::Programs | Self::Servers, Some(_)) => "POST",
            (Self::People | Self::Bearers, Some(_)) => "GET,HEAD,POST",
            (_, None) => "GET,HEAD",
        }
    }
}

fn posted() -> impl Iterator<Item = (&'static str, For, &'static str)> {
    ROUTES.iter().filter_map(|(path, whom, kind)| kind.map(|kind| (*path, *whom, kind)))
}

async fn every_address_of_the_server_is_on_the_list(database: Database) {
    let mut paths = server(database).await.app().paths();
    // Says nothing before it has seen a token; `managing` sends hostile requests there.
    assert!(paths.remove("/oauth/register/{client_id}"));
    let listed = ROUTES.iter().map(|(path, ..)| path.replace("none.css", "{name}"));
    assert_eq!(listed.collect::<BTreeSet<_>>(), paths);
}

/// A server, and the session of a person who is logged in: nothing is refused for want of one.
struct Target {
    port: u16,
    cookie: String,
    _server: TestServer,
}

impl Target {
    async fn start(database: Database) -> Self {
        let server = server(database).await;
        let port = server.origin().rsplit_once(':').unwrap().1.parse().unwrap();
        let session = logged_in(&server, "alice").await.cookie("gatelet-session").unwrap().to_owned();
        Self { port, cookie: format!("gatelet-session-{port}={session}"), _server: server }
    }

    /// The answer to a request, if any comes before the connection ends.
    async fn ask(&self, line: &str, headers: &[String], body: &[u8]) -> Option<Answer> {
        let mut wire = Wire::connect(self.port).await;
        let mut head = format!("{line} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", self.port);
        head.extend(headers.iter().map(|header| format!("{header}\r\n")));
        wire.send([head.as_bytes(), b"\r\n", body].concat()).await;
        let said = wire.rest().await;
        (!said.is_empty()).then(|| Answer::of(&said))
    }

    async fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        let headers =
            [format!("Content-Type: {kind}"), format!("Content-Length: {}", body.len()), self.session()];
        self.ask(&format!("POST {path}"), &headers, body).await.expect("an answer")
    }

    fn session(&self) -> String {
        format!("Cookie: {}", self.cookie)
    }
}

/// That an answer has the form that whoever asked understands, is kept by nobody and repeats nothing.
fn assert_formed(answer: &Answer, whom: For, what: &str) {
    assert!(answer.status < 500, "{what}: {answer:?}");
    assert!(!answer.body.contains(SCRIPT) && !answer.head.contains(SCRIPT), "{what}: {answer:?}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}: {answer:?}");
    assert_eq!(answer.header("x-request-id").map(str::len), Some(26), "{what}: {answer:?}");
    if answer.status < 300 && whom.is_open() {
        return;
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer:?}");
    if answer.status == 303 {
        return;
    }
    match whom {
        For::Programs | For::Bearers | For::Servers => {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{what}: {answer:?}");
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert!(body["error"].is_string() && body["error_description"].is_string(), "{what}: {body}");
        }
        For::People => {
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{what}: {answer:?}");
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("frame-ancestors 'none'"), "{what}: {answer:?}");
        }
    }
}

/// That a request was refused with one of these statuses, in the form that its sender understands.
fn assert_refused(answer: &Answer, whom: For, statuses: &[u16], what: &str) {
    assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
    assert_formed(answer, whom, what);
}

async fn a_method_that_is_not_known_is_refused_with_those_that_are(database: Database) {
    // RFC 9110 §15.5.6, §9.3.2; OAuth 2.1 §3.2
    let target = Target::start(database).await;
    for (path, whom, kind) in ROUTES {
        let allowed = whom.allowed(*kind);
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "OPTIONS", "get"] {
            let what = format!("{method} {path}");
            // A preflight request is asked of what is open to scripts, and answered there.
            if allowed.split(',').any(|known| known == method) || (whom.is_open() && method == "OPTIONS") {
                continue;
            }
            let answer = target.ask(&what, &[], b"").await.expect("an answer");
            assert_refused(&answer, *whom, &[405], &what);
            assert_eq!(answer.header("allow"), Some(allowed), "{what}");
            assert!(
                *whom != For::People || answer.body.contains(&format!("<bdi>{allowed}</bdi>")),
                "{what}: {answer:?}"
            );
        }
        let head = target.ask(&format!("HEAD {path}"), &[], b"").await.expect("an answer");
        assert!(head.status < 500 && head.body.is_empty(), "{path}: {head:?}");
        assert_eq!(head.status == 405, allowed == "POST", "{path}: {head:?}");
    }
}

async fn a_body_of_another_kind_is_refused(database: Database) {
    // RFC 9110 §15.5.16, §8.3
    let target = Target::start(database).await;
    for (path, whom, kind) in posted() {
        let other = if kind == FORM { JSON } else { FORM };
        let twice = format!("{kind}\r\nContent-Type: {kind}");
        for sent in
            ["text/plain", "multipart/form-data; boundary=x", other, "", "/", SCRIPT, "\u{e9}", &twice]
        {
            let answer = target.post(path, sent, b"a=b").await;
            assert_refused(&answer, whom, &[415], &format!("{path} {sent}"));
        }
        let headers = ["Content-Length: 3".to_owned(), target.session()];
        let answer = target.ask(&format!("POST {path}"), &headers, b"a=b").await.expect("an answer");
        assert_refused(&answer, whom, &[415], &format!("{path} without a media type"));
        for sent in [format!("{kind}; charset=utf-8"), kind.to_uppercase(), format!("{kind} ;x")] {
            let answer = target.post(path, &sent, b"a=b").await;
            assert_ne!(answer.status, 415, "{path} {sent}");
            assert_formed(&answer, whom, &format!("{path} {sent}"));
        }
    }
}

async fn a_body_that_is_too_large_is_refused(database: Database) {
    // RFC 9110 §15.5.14
    let target = Target::start(database).await;
    for (path, whom, kind) in posted() {
        let media = format!("Content-Type: {kind}");
        let large = vec![b'x'; 70_000];
        assert_refused(&target.post(path, kind, &large).await, whom, &[413], path);
        for length in ["65537", "18446744073709551613"] {
            let headers = [media.clone(), format!("Content-Length: {length}"), target.session()];
            let answer = target.ask(&format!("POST {path}"), &headers, b"").await.expect("an answer");
            assert_refused(&answer, whom, &[413], &format!("{path} of {length}"));
        }
        let headers = [media.clone(), "Transfer-Encoding: chunked".to_owned(), target.session()];
        let chunks = [format!("{:x}\r\n", large.len()).as_bytes(), &large[..], b"\r\n0\r\n\r\n"].concat();
        let answer = target.ask(&format!("POST {path}"), &headers, &chunks).await.expect("an answer");
        assert_refused(&answer, whom, &[413], &format!("{path} in chunks"));
        let fits = target.post(path, kind, &large[..65_536]).await;
        assert_ne!(fits.status, 413, "{path}");
        assert_formed(&fits, whom, path);
    }
}

/// How nonsense is refused. Of a logout everything can be left out, so nonsense is one that says nothing: the browser is
/// told to come again without it.
fn statuses(path: &str) -> &'static [u16] {
    if path == "/oauth/end_session" { &[303, 400] } else { &[400, 401, 403] }
}

async fn a_body_that_cannot_be_read_is_refused(database: Database) {
    // OAuth 2.1 §3.1, §3.2; OWASP ASVS 15.3.7, 16.4.1
    let target = Target::start(database).await;
    for (path, whom, kind) in posted() {
        for body in [
            &b""[..],
            b"&&&",
            b"=",
            b"\xff\xfe",
            b"grant_type=\xc3\x28",
            b"grant_type=%ff",
            b"grant_type=a%00b",
            b"client_id=a\0b",
            b"client_id=%",
            b"client_id=%zz&grant_type=%4",
            b"client_id=\x01\x1b[31m\x7f",
            b"username=%1b[2J%0d%0aX: y&csrf=%0a&continue=%0d&interaction=%0a&decision=allow",
            b"grant_type=refresh_token&grant_type=refresh_token&csrf=a&csrf=a&decision=deny&decision=allow",
            b"client_id=a&client_id=b&redirect_uri=<script>alert(1)</script>&redirect_uri=x",
            b"client_id=<script>alert(1)</script>&grant_type=<script>alert(1)</script>",
            b"{",
            b"null",
            b"[]",
            b"{\"redirect_uris\": null}",
            b"{\"redirect_uris\": [\"https://a.example/\\u0000\"]}",
            b"{\"redirect_uris\": [\"https://a.example/\"], \"client_name\": \"a\\u0000b\"}",
            b"{\"redirect_uris\": [\"https://a.example/\"], \"client_name\": \"a\\u001b[31mb\"}",
            b"{\"redirect_uris\": [\"<script>alert(1)</script>\"], \"client_name\": \"\\ud800\"}",
        ] {
            let answer = target.post(path, kind, body).await;
            let what = format!("{path} {}", String::from_utf8_lossy(body));
            assert_refused(&answer, whom, statuses(path), &what);
        }
        let deep = "[".repeat(60_000);
        assert_refused(&target.post(path, kind, deep.as_bytes()).await, whom, statuses(path), path);
        // A length that is never reached.
        let headers = [format!("Content-Type: {kind}"), "Content-Length: 100".to_owned(), target.session()];
        let mut wire = Wire::connect(target.port).await;
        let head = headers.iter().map(|header| format!("{header}\r\n")).collect::<String>();
        wire.send(format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\ncsrf=a")).await;
        let said = wire.finish().await;
        if !said.is_empty() {
            assert_refused(&Answer::of(&said), whom, &[400], &format!("{path} cut short"));
        }
    }
}

async fn a_query_that_cannot_be_read_is_refused(database: Database) {
    let target = Target::start(database).await;
    for (path, whom, _) in ROUTES.iter().filter(|(_, whom, kind)| whom.allowed(*kind) != "POST") {
        for query in [
            "",
            "&&&",
            "=",
            "%",
            "%zz",
            "%ff=%ff",
            "continue=%00",
            "interaction=%00",
            "client_id=%00",
            "client_id=%ff&redirect_uri=%ff",
            "continue=a&continue=b",
            "interaction=a&interaction=b",
            "client_id=a&client_id=b",
            "client_id=%3Cscript%3Ealert(1)%3C/script%3E",
            "client_id=app&redirect_uri=%3Cscript%3Ealert(1)%3C/script%3E",
            "client_id=%1b[31m%0d%0aSet-Cookie:%20a=b&redirect_uri=%0d%0aX:%20y",
            "x=\u{e9}",
            "continue=%3Cscript%3Ealert(1)%3C/script%3E",
            "interaction=../../x",
            "state=%0d%0a",
        ] {
            let what = format!("GET {path}?{query}");
            let answer = target.ask(&what, &[target.session()], b"").await.expect("an answer");
            // A word about health, and metadata, have no parameters.
            if matches!(*path, "/healthz" | "/readyz") || *whom == For::Programs {
                assert_eq!(answer.status, 200, "{what}: {answer:?}");
                continue;
            }
            assert_formed(&answer, *whom, &what);
            if matches!(*path, "/oauth/authorize" | "/consent") {
                assert_eq!(answer.status, 400, "{what}: {answer:?}");
            }
            assert!(!answer.head.contains("\r\nX: y") && !answer.head.contains("a=b"), "{what}: {answer:?}");
        }
    }
}

async fn paths_mean_what_they_say(database: Database) {
    // RFC 3986 §6.2.2: nobody here removes dots, folds case or decodes before comparing, so nobody can be led astray.
    let target = Target::start(database).await;
    for (path, ..) in ROUTES.iter().filter(|(path, ..)| path.len() > 1 && !path.ends_with('/')) {
        let (directory, name) = path.rsplit_once('/').unwrap();
        for tricky in [
            format!("/{path}"),
            format!("/.{path}"),
            format!("/x/..{path}"),
            format!("{directory}/./{name}"),
            format!("{directory}//{name}"),
            format!("{directory}/%2e/{name}"),
            format!("{directory}/%2f{name}"),
            format!("{path}//"),
            format!("{path}/."),
            format!("{path}/.."),
            format!("{path}%00"),
            format!("{path}%2f"),
            format!("{path}%0d%0aX:%20y"),
            format!("{path};a=b"),
            format!("{path}."),
            path.to_uppercase(),
            format!("{path}/{}", "%3Cscript%3E"),
            format!("{path}/x'\"<script>alert(1)</script>"),
        ] {
            let what = format!("GET {tricky}");
            let answer = target.ask(&what, &[], b"").await.expect("an answer");
            // Angle brackets are not allowed in a path at all.
            if answer.status == 400 && tricky.contains('<') {
                assert_eq!(answer.body, "");
                continue;
            }
            let whom = match answer.header("content-type") {
                Some("application/json") => For::Programs,
                _ => For::People,
            };
            // Below it are clients, known or not: who asks for one has to show a token (RFC 7592 §2.1).
            let is_client = tricky.strip_prefix("/oauth/register/").is_some_and(|id| !id.contains('/'));
            let status = if is_client { 401 } else { 404 };
            assert_refused(&answer, whom, &[status], &what);
        }
        if *path != "/oauth" {
            let answer = target.ask(&format!("GET {path}/"), &[], b"").await.expect("an answer");
            assert_eq!(answer.status, 404, "{path}/");
        }
    }
    for target_form in ["OPTIONS *", "CONNECT localhost:80", "GET *"] {
        let answer = target.ask(target_form, &[], b"").await.expect("an answer");
        assert!((400..500).contains(&answer.status), "{target_form}: {answer:?}");
    }
}

async fn a_header_that_must_be_one_is_one(database: Database) {
    // OAuth 2.1 §2.4, §3.2: one client authentication, one body.
    let target = Target::start(database).await;
    let body = b"grant_type=client_credentials";
    let rest = [format!("Content-Type: {FORM}"), format!("Content-Length: {}", body.len())];
    for authorization in [
        "Basic cm9ib3Q6eA==\r\nAuthorization: Basic cm9ib3Q6eA==",
        "Basic",
        "Basic !",
        "Basic Og==",
        "Basic /w==",
        "Basic AAA6AAA=",
        "Bearer x",
        "",
        "Basic cm9ib3Q=",
        "Basic cm9ib3Q6eA== x",
        "\u{e9}",
    ] {
        let headers = [&[format!("Authorization: {authorization}")], &rest[..]].concat();
        let answer = target.ask("POST /oauth/token", &headers, body).await.expect("an answer");
        assert_refused(&answer, For::Programs, &[400, 401], authorization);
    }
    let cookies = "; ".repeat(2000);
    for cookie in ["\u{e9}", "=", ";;;", "gatelet-session=", &cookies] {
        let answer = target.ask("GET /", &[format!("Cookie: {cookie}")], b"").await.expect("an answer");
        assert_eq!(answer.status, 200, "{cookie:?}");
    }
}

async fn scripts_of_other_origins_read_what_is_open_and_nothing_else(database: Database) {
    // OAuth 2.1 §3.1, RFC 9700 §2.6; OWASP ASVS 3.4.2
    let target = Target::start(database).await;
    for (path, whom, _) in ROUTES {
        let origin = "Origin: https://evil.example".to_owned();
        let wish = "Access-Control-Request-Method: POST".to_owned();
        for (method, headers) in
            [("GET", vec![origin.clone()]), ("POST", vec![origin.clone()]), ("OPTIONS", vec![origin, wish])]
        {
            let what = format!("{method} {path}");
            let answer = target.ask(&what, &headers, b"").await.expect("an answer");
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{what}: {answer:?}");
            let open = answer.header("access-control-allow-origin");
            assert_eq!(open, whom.is_open().then_some("*"), "{what}: {answer:?}");
            if !whom.is_open() {
                assert!(!answer.head.contains("access-control-"), "{what}: {answer:?}");
            }
        }
    }
}

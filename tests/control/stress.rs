//! Everything at once: issuers made, changed, put back and ended while they are asked. A few seconds of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::process::{ends_within, started};
use crate::world::{CALLBACK, CHALLENGE};

const WORKERS: usize = 8;
const ROUNDS: usize = 6;
/// Fewer than workers, so that they meet.
const NAMES: usize = 4;
/// An answer that takes longer than that has met a deadlock.
const PATIENCE: Duration = Duration::from_secs(60);

/// The control plane of a process.
struct Control {
    url: String,
    key: String,
    http: reqwest::Client,
}

impl Control {
    async fn ask(&self, method: Method, path: &str, body: Value) -> u16 {
        let request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(status < 500, "{method} {path}: {status} {text}");
        status
    }

    /// What tests and the servers that they test do to an issuer, one after the other; it may be gone at any moment.
    async fn use_issuer(&self, name: &str, n: usize) {
        let issuer = format!("/issuers/{name}");
        let own = self.url.replace("/control", &format!("/t/{name}/oauth"));
        let url = format!(
            "{own}/authorize?response_type=code&client_id=test-app&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}\
             &code_challenge_method=S256&state=s"
        );
        let action = ["rotate", "revoke", "lose"][n % 3];
        for (method, path, body) in [
            (Method::POST, "/tokens", json!({})),
            (
                Method::POST,
                "/users",
                json!({ "username": format!("user-{n}"), "memberships": [{ "tenant": "acme" }] }),
            ),
            (Method::POST, "/snapshots", json!({ "name": format!("kept-{}", n % 3) })),
            (Method::POST, "/keys", json!({ "action": action })),
            (Method::POST, "/authorize", json!({ "url": url })),
            (Method::POST, "/snapshots/kept-0/restore", json!({})),
            (Method::POST, "/clock/advance", json!({ "seconds": 3600 })),
            (Method::GET, "", json!({})),
            (Method::POST, "/zoo", json!({})),
        ] {
            self.ask(method, &format!("{issuer}{path}"), body).await;
            for url in [format!("{own}/jwks"), format!("{own}/.well-known/openid-configuration")] {
                let status = self.http.get(&url).send().await.unwrap().status();
                assert!(status == 200 || status == 404, "{url}: {status}");
            }
            let form =
                "grant_type=client_credentials&client_id=test-machine&client_secret=test-machine-secret";
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let request = self.http.post(format!("{own}/token")).header(kind.0, kind.1).body(form);
            let status = request.send().await.unwrap().status().as_u16();
            assert!(status < 500, "token of {name}: {status}");
        }
    }

    async fn work(&self, worker: usize) {
        for round in 0..ROUNDS {
            let n = worker + round;
            let name = format!("shared-{}", n % NAMES);
            self.ask(Method::POST, "/issuers", json!({ "name": name })).await;
            self.use_issuer(&name, n).await;
            if n.is_multiple_of(3) {
                self.ask(Method::DELETE, &format!("/issuers/{name}"), json!({})).await;
            }
        }
    }
}

/// The directory in which a process keeps its databases.
fn directory(process: u32) -> PathBuf {
    let prefix = format!("gatelet-test-{process}-");
    let places = [Path::new("/dev/shm").to_owned(), std::env::temp_dir()];
    let entries = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
    let mut found = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    found.next().unwrap().path()
}

fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    entries.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn issuers_come_go_and_change_while_they_are_asked() {
    let (mut child, ready) = started(&[]);
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let control = Arc::new(Control { url: text("control_url"), key: text("control_key"), http });
    let databases = directory(child.id());
    let before = files(&databases);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let control = Arc::clone(&control);
        workers.spawn(async move { control.work(worker).await });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    for n in 0..NAMES {
        control.ask(Method::DELETE, &format!("/issuers/shared-{n}"), json!({})).await;
    }
    // Whatever an exchanged server has left goes within a moment of the end.
    let is_clean = || files(&databases).iter().all(|name| before.contains(name) || name.starts_with("0."));
    for _ in 0..100 {
        if is_clean() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(is_clean(), "{:?}", files(&databases));
    assert_eq!(control.ask(Method::POST, "/issuers", json!({ "name": "shared-0" })).await, 201);
    drop(child.stdin.take());
    assert!(ends_within(&mut child, Duration::from_secs(20)));
    assert!(!databases.exists());
}

#[tokio::test]
async fn a_state_that_is_kept_again_and_again_takes_the_place_of_one() {
    let (mut child, ready) = started(&[]);
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let control = Control { url: text("control_url"), key: text("control_key"), http };
    control.ask(Method::POST, "/issuers", json!({ "name": "one" })).await;
    for _ in 0..10 {
        assert_eq!(control.ask(Method::POST, "/issuers/one/snapshots", json!({ "name": "kept" })).await, 201);
    }
    let kept = files(&directory(child.id())).into_iter().filter(|name| name.ends_with(".snapshot")).count();
    assert_eq!(kept, 1);
    drop(child.stdin.take());
    assert!(ends_within(&mut child, Duration::from_secs(10)));
}

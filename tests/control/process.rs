//! `gatelet test` as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gatelet");

fn gatelet(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("test").args(arguments);
    piped(command)
}

fn piped(mut command: Command) -> Command {
    command.env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The process, and the line that it said.
pub(crate) fn started(arguments: &[&str]) -> (Child, Value) {
    spawned(gatelet(arguments))
}

fn spawned(mut command: Command) -> (Child, Value) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

pub(crate) fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[tokio::test]
async fn it_says_in_one_line_where_it_is_and_ends_with_its_standard_input() {
    let (mut child, ready) = started(&[]);
    for member in
        ["version", "control_url", "control_key", "issuer", "jwks_uri", "people", "clients", "resources"]
    {
        assert!(!ready[member].is_null(), "{member}: {ready}");
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let metadata: Value =
        http.get(ready["metadata_url"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], ready["issuer"]);
    let url = format!("{}/issuers", ready["control_url"].as_str().unwrap());
    let made = http.post(url).bearer_auth(ready["control_key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(made.status(), 201);
    drop(child.stdin.take());
    assert!(ends_within(&mut child, Duration::from_secs(10)));
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line and no more");
}

#[test]
fn it_stays_when_it_is_told_to_and_takes_the_key_that_it_is_given() {
    let (mut child, ready) = started(&["--stay", "--control-key", "a-key-of-the-tests"]);
    assert_eq!(ready["control_key"], "a-key-of-the-tests");
    drop(child.stdin.take());
    assert!(!ends_within(&mut child, Duration::from_millis(500)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_is_on_loopback_alone_unless_it_is_exposed_and_wants_a_key_that_is_one() {
    for arguments in
        [["--listen", "0.0.0.0:0"], ["--origin", "https://id.example"], ["--control-key", "short"]]
    {
        let output = gatelet(&arguments).stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn an_exposed_one_says_so_on_its_pages_and_goes_by_the_names_that_it_was_given() {
    let (mut child, ready) = started(&["--listen", "0.0.0.0:0", "--expose", "--host", "Gatelet"]);
    let issuer = ready["issuer"].as_str().unwrap();
    assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer}");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http.get(ready["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("This server can be reached from the network."), "{page}");
    let control = format!("{}/issuers", ready["control_url"].as_str().unwrap());
    let metadata = ready["metadata_url"].as_str().unwrap();
    let key = ready["control_key"].as_str().unwrap();
    for (host, status) in [("gatelet:8720", 200), ("gatelet", 200), ("rebound.example", 403)] {
        for url in [control.as_str(), metadata] {
            let answer = http.get(url).header("host", host).bearer_auth(key).send().await.unwrap();
            assert_eq!(answer.status(), status, "{host} {url}");
        }
    }
    drop(child.stdin.take());
    assert!(ends_within(&mut child, Duration::from_secs(10)));
}

#[cfg(unix)]
#[tokio::test]
async fn it_may_open_as_many_files_as_the_system_lets_it() {
    // Systems start programs with a few; sixty issuers take some three hundred.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -S -n 64 && exec \"$0\" test", PROGRAM]);
    let (mut child, ready) = spawned(piped(command));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/issuers", ready["control_url"].as_str().unwrap());
    let key = ready["control_key"].as_str().unwrap();
    for n in 0..60 {
        let made = http.post(&url).bearer_auth(key).send().await.unwrap();
        assert_eq!(made.status(), 201, "{n}");
    }
    drop(child.stdin.take());
    assert!(ends_within(&mut child, Duration::from_secs(10)));
}

#[tokio::test]
async fn who_waits_for_a_request_does_not_hold_up_the_end() {
    let (mut child, ready) = started(&[]);
    let (control, key) =
        (ready["issuer_control_url"].as_str().unwrap(), ready["control_key"].as_str().unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let waiting = http.get(format!("{control}/requests?wait=60&endpoint=token")).bearer_auth(key).send();
    let waiting = tokio::spawn(waiting);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished());
    drop(child.stdin.take());
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(ends_within(&mut child, Duration::from_secs(3)));
}

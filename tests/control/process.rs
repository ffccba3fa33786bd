//! `gatelet test` as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn gatelet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
    command.arg("test").args(arguments).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The process, and the line that it said.
pub(crate) fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = gatelet(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn ends_within(child: &mut Child, limit: Duration) -> bool {
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
fn it_listens_on_loopback_alone_and_wants_a_key_that_is_one() {
    for arguments in [["--listen", "0.0.0.0:0"], ["--control-key", "short"]] {
        let output = gatelet(&arguments).stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    }
}

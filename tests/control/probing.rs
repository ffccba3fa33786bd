//! `gatelet probe` as a process: what it says, and with which status it ends.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use crate::process::started;

fn probe(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
    command.args(["probe", url]).args(arguments).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Its status, what it prints, and what it says on standard error.
async fn probed(url: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = tokio::process::Command::from(probe(url, arguments));
    let done = tokio::time::timeout(Duration::from_secs(60), command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// An address for the issuer of a probe.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Serves this at /mcp; its URL.
async fn served(mcp: axum::routing::MethodRouter) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", mcp)).await });
    url
}

fn welcome() -> Response {
    axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })).into_response()
}

#[tokio::test]
async fn what_cannot_be_probed_is_status_2_and_a_sentence() {
    let own = free();
    let own = ["--listen", own.as_str(), "--timeout", "1"];
    let nowhere = format!("http://{}/mcp", free());
    let broken = served(post(async || StatusCode::INTERNAL_SERVER_ERROR)).await;
    let page = served(post(async || "<html>")).await;
    let hanging = served(post(async || {
        std::future::pending::<()>().await;
        welcome()
    }))
    .await;
    for (url, told) in [
        (&nowhere, "nothing can be reached there"),
        (&broken, "a good token got 500 Internal Server Error; that is a fault of the server's own"),
        (&page, "does not answer as an MCP server does"),
        (&hanging, "no answer in time"),
    ] {
        let (status, stdout, stderr) = probed(url, &own).await;
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(url.as_str()), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
    for (arguments, told) in [
        (&["--", "false"][..], "ended before"),
        (&[][..], "which issuer does the server trust?"),
        (&["--tool", "write_note"][..], "NAME=SCOPE"),
        (&["--report", "word=x"][..], "word"),
    ] {
        let (status, _, stderr) = probed(&nowhere, arguments).await;
        assert_eq!(status, Some(2), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
}

#[tokio::test]
async fn findings_are_status_1_and_reports_are_written_wherever_they_are_wanted() {
    let folder = std::env::temp_dir().join(format!("gatelet-probe-reports-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (own, junit) = (free(), format!("junit={}", file("junit.xml")));
    let sarif = format!("sarif={}", file("sarif.json"));
    let url = served(post(async || welcome())).await;
    let arguments = ["--listen", &own, "--key-patience", "0", "--report", &junit, "--report", &sarif];
    let (status, stdout, stderr) = probed(&url, &arguments).await;
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stdout.starts_with("MCP server  http://"), "{stdout}");
    assert!(std::fs::read_to_string(file("junit.xml")).unwrap().starts_with("<?xml "));
    let sarif: Value = serde_json::from_slice(&std::fs::read(file("sarif.json")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    std::fs::remove_dir_all(&folder).unwrap();
    let missing = format!("json={}", file("report.json"));
    let (status, _, stderr) =
        probed(&url, &["--listen", &own, "--key-patience", "0", "--report", &missing]).await;
    assert_eq!(status, Some(2), "a report that is not there is no report");
    assert!(stderr.contains("report.json"), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_issuer_of_somebody_else_is_put_back_when_the_probe_is_ended_by_a_signal() {
    let (mut test, ready) = started(&[]);
    let text = |member: &str| ready[member].as_str().unwrap().to_owned();
    let jwks = async || reqwest::get(text("jwks_uri")).await.unwrap().text().await.unwrap();
    let before = jwks().await;
    // It accepts everything, so that the probe waits for the end of a key that was withdrawn.
    let url = served(post(async || welcome())).await;
    let control =
        ["--control", &text("control_url"), "--control-key", &text("control_key"), "--key-patience", "60"];
    for signal in ["-INT", "-TERM"] {
        let mut process = tokio::process::Command::from(probe(&url, &control)).spawn().unwrap();
        while jwks().await == before {
            assert!(process.try_wait().unwrap().is_none(), "it ended before it exchanged the keys");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let id = process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(20), process.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(2), "{signal}");
        assert_eq!(jwks().await, before, "{signal}");
    }
    drop(test.stdin.take());
    test.wait().unwrap();
}

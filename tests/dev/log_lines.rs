//! What strangers send, as the log tells it.

use crate::network::{connect, rest, send};
use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![a_line_of_the_log_is_ours_whatever_was_sent];

fn a_line_of_the_log_is_ours_whatever_was_sent() -> Result<(), NotRun> {
    // OWASP ASVS 16.4.1: no line can be forged and no terminal driven by what is logged.
    let dev = Dev::start(&directory("log-lines"), "data");
    let form = "application/x-www-form-urlencoded";
    // ESC, BEL, CR, LF, NEL, a C1 control and a line separator, plain and as `%XX`.
    let plain = "\u{1b}[31m\u{7}\u{85}\u{9b}2J\u{2028}WARN";
    let encoded = "%1b[31m%07%0d%0aFORGED%c2%85%c2%9b2J%e2%80%a8WARN";
    let credentials = "G1szMW0NCkZPUkdFRDp4";
    let json = r#"{"redirect_uris": ["\u001b[31m\nFORGED"], "client_name": "\u001b]0;x\u0007"}"#;
    for (line, headers, body) in [
        (format!("GET /{encoded}"), format!("Host: {plain}"), String::new()),
        (format!("GET /{encoded}"), "Host: evil.example".to_owned(), String::new()),
        (format!("GET /{plain}"), "Host: localhost".to_owned(), String::new()),
        (format!("GET /oauth/authorize?client_id={encoded}&scope={encoded}"), String::new(), String::new()),
        ("POST /oauth/token".to_owned(), format!("Content-Type: text/plain{plain}"), "x".to_owned()),
        ("POST /oauth/token".to_owned(), format!("Content-Type: {form}"), format!("grant_type={encoded}")),
        (
            "POST /oauth/token".to_owned(),
            format!("Content-Type: {form}\r\nAuthorization: Basic {credentials}"),
            format!("grant_type=client_credentials&scope={encoded}&resource={encoded}"),
        ),
        (
            "POST /oauth/token".to_owned(),
            format!("Content-Type: {form}"),
            format!("grant_type=refresh_token&client_id={encoded}&refresh_token={encoded}&code={plain}"),
        ),
        ("POST /oauth/register".to_owned(), "Content-Type: application/json".to_owned(), json.to_owned()),
        ("POST /login".to_owned(), format!("Content-Type: {form}\r\nOrigin: {plain}"), encoded.to_owned()),
        (format!("BREW{plain} /"), String::new(), String::new()),
    ] {
        let host = if headers.contains("Host:") { String::new() } else { "Host: localhost\r\n".to_owned() };
        let headers = if headers.is_empty() { headers } else { format!("{headers}\r\n") };
        let stream = connect(dev.port());
        send(
            &stream,
            &format!(
                "{line} HTTP/1.1\r\n{host}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ),
        );
        let answer = rest(&stream);
        assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer}");
    }
    let log = dev.logged();
    assert!(log.contains("evil.example") && log.contains("refused"), "it tells what was refused: {log}");
    for line in log.lines() {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        assert!(!line.trim_start().starts_with("FORGED"), "{line:?}");
    }
    Ok(())
}

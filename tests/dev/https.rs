//! A server that people reach by https, through a proxy that speaks http to it.

use crate::network::{connect, rest, send};
use crate::program::directory;
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![cookies_and_headers_are_those_of_https];

fn cookies_and_headers_are_those_of_https() -> Result<(), NotRun> {
    // OWASP ASVS 3.3.1 to 3.3.4, 3.4.1; RFC 6265bis §4.1.3.2; RFC 6797 §6.1
    let serve = Serve::start_as(&directory("https"), |_| "https://id.example".to_owned());
    for (path, status) in
        [("/login", "200"), ("/oauth/jwks", "200"), ("/nothing", "404"), ("/healthz", "200")]
    {
        let stream = connect(serve.port);
        send(&stream, &format!("GET {path} HTTP/1.1\r\nHost: id.example\r\nConnection: close\r\n\r\n"));
        let answer = rest(&stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{answer}");
        let cookies: Vec<&str> =
            answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect();
        if path == "/login" {
            assert_eq!(cookies.len(), 1, "{answer}");
            let (pair, attributes) = cookies[0].split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!((name, value.len()), ("__Host-gatelet-browser", 32), "{pair}");
            assert_eq!(attributes, " Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure");
        } else {
            assert!(cookies.is_empty(), "{answer}");
        }
    }
    serve.stop();
    Ok(())
}

//! `gatelet serve` from a small configuration, and the example that `gatelet config` prints.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::commands::{done, ran};
use crate::network::json;
use crate::program::{directory, gatelet, refusal, terminate};
use crate::{NotRun, cases};

cases![
    a_small_configuration_serves_discovery_and_keys,
    the_example_says_what_is_missing_and_then_checks,
    a_missing_configuration_is_named,
    tokens_are_not_issued_from_the_command_line_in_serve_mode,
];

/// `gatelet serve` on a free port; killed when dropped.
pub(crate) struct Serve {
    child: Child,
    pub(crate) port: u16,
}

impl Serve {
    /// Starts it with a configuration, and a database `gatelet.db`, in `here`.
    pub(crate) fn start(here: &Path) -> Self {
        Self::start_as(here, |port| format!("http://localhost:{port}"))
    }

    /// Starts it so that people reach it under the URL that is made of its port.
    pub(crate) fn start_as(here: &Path, public_url: impl FnOnce(u16) -> String) -> Self {
        Self::start_at(here, public_url, "")
    }

    /// Starts it with more than the smallest configuration.
    pub(crate) fn start_with(here: &Path, more: &str) -> Self {
        Self::start_at(here, |port| format!("http://localhost:{port}"), more)
    }

    fn start_at(here: &Path, public_url: impl FnOnce(u16) -> String, more: &str) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let public_url = public_url(port);
        let configuration = format!("public_url = \"{public_url}\"\nlisten = [\"127.0.0.1:{port}\"]\n{more}");
        std::fs::write(here.join("gatelet.toml"), configuration).unwrap();
        Self::start_again(here, port)
    }

    /// Starts it with the configuration that is there, for this port.
    pub(crate) fn start_again(here: &Path, port: u16) -> Self {
        let child = gatelet(here, &["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut serve = Self { child, port };
        // It listens before it opens its database, and answers after: the first answer says that it is ready.
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < end && serve.child.try_wait().unwrap().is_none(), "it does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        json(port, "/oauth/jwks");
        serve
    }

    /// Tells it to stop, and expects that it does.
    pub(crate) fn stop(mut self) {
        terminate(&self.child);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn a_small_configuration_serves_discovery_and_keys() -> Result<(), NotRun> {
    let here = directory("serve");
    let serve = Serve::start(&here);
    let metadata = json(serve.port, "/.well-known/oauth-authorization-server/oauth");
    let issuer = format!("http://localhost:{}/oauth", serve.port);
    assert_eq!(metadata["issuer"], issuer.as_str());
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(json(serve.port, "/oauth/jwks")["keys"][0]["alg"], "RS256");
    serve.stop();
    assert!(here.join("keys/key-encryption-key").exists());
    Ok(())
}

fn the_example_says_what_is_missing_and_then_checks() -> Result<(), NotRun> {
    let here = directory("example");
    let example = gatelet(&here, &["config", "example"]).output().unwrap();
    assert!(example.status.success());
    let example = String::from_utf8(example.stdout).unwrap();
    std::fs::write(here.join("gatelet.toml"), &example).unwrap();
    let said = refusal(&here, &["config", "check"]);
    assert!(said.starts_with("error: gatelet.toml: public_url: missing"), "{said}");
    let filled = example.replacen("#public_url =", "public_url =", 1);
    assert_ne!(filled, example);
    std::fs::write(here.join("gatelet.toml"), filled).unwrap();
    let checked = gatelet(&here, &["config", "check"]).output().unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(checked.status.success(), "{said}");
    assert!(String::from_utf8(checked.stdout).unwrap().starts_with("issuer        https://"));
    Ok(())
}

fn tokens_are_not_issued_from_the_command_line_in_serve_mode() -> Result<(), NotRun> {
    let here = directory("serve-commands");
    Serve::start(&here).stop();
    done(&here, &["tenant", "add", "acme"]);
    done(&here, &["user", "add", "alice", "--tenant", "acme"]);
    done(&here, &["resource", "add", "https://mcp.example.com", "--scope", "read=Read"]);
    done(&here, &["client", "add", "app", "--redirect-uri", "http://127.0.0.1/cb"]);
    let issue = ["token", "issue", "--user", "alice", "--client", "app", "--scope", "read"];
    let refused = ran(&here, &issue);
    assert_eq!((refused.code, refused.stdout.as_str()), (4, ""));
    assert!(refused.stderr.contains("in dev mode alone"), "{}", refused.stderr);
    // What administrators added outlives the next start, and what the configuration declares.
    Serve::start(&here).stop();
    assert_eq!(done(&here, &["user", "show", "alice"])["origin"], "admin");
    Ok(())
}

fn a_missing_configuration_is_named() -> Result<(), NotRun> {
    let said = refusal(&directory("no-configuration"), &["serve", "--config", "none.toml"]);
    assert!(said.starts_with("error: none.toml: cannot read the configuration"), "{said}");
    Ok(())
}

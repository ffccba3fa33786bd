//! The MCP server under test as a process of ours.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use super::ProbeError;
use super::answer::Session;
use super::control::Issuer;
use super::mcp::{Call, McpServer, Sent};

/// How long the process may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait for an answer when looking whether it answers.
const LOOK: Duration = Duration::from_secs(15);
/// How long to wait between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(200);

/// A process with its own process group, so that what it started ends with it.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    command: String,
}

impl Child {
    /// Starts the command with `GATELET_ISSUER`, `GATELET_JWKS_URI` and `GATELET_RESOURCE` in its environment. What it
    /// prints goes to standard error. `target` is where the probe will reach it.
    ///
    /// # Errors
    /// There is no such program, it cannot be run, or another answers at `target` already.
    pub async fn start(
        command: &[OsString],
        issuer: &Issuer,
        target: &str,
        resource: &str,
    ) -> Result<Self, ProbeError> {
        if McpServer::at(target, LOOK)?
            .call(Call::Initialize, Sent::Without, &Session::default())
            .await
            .is_ok()
        {
            return Err(ProbeError::Taken(target.to_owned()));
        }
        let program = command.first().cloned().unwrap_or_default();
        let name = program.to_string_lossy().into_owned();
        let mut process = Command::new(&program);
        process
            .args(command.iter().skip(1))
            .env("GATELET_ISSUER", &issuer.issuer)
            .env("GATELET_JWKS_URI", &issuer.jwks_uri)
            .env("GATELET_RESOURCE", resource)
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .kill_on_drop(true);
        #[cfg(unix)]
        process.process_group(0);
        let process =
            process.spawn().map_err(|source| ProbeError::Command { command: name.clone(), source })?;
        Ok(Self { process, command: name })
    }

    /// Waits until something answers at `target`, whatever it says.
    ///
    /// # Errors
    /// The process ends, or nothing answers in time.
    pub async fn wait_for(&mut self, target: &str, patience: Duration) -> Result<(), ProbeError> {
        let server = McpServer::at(target, LOOK)?;
        let end = Instant::now() + patience;
        loop {
            if let Ok(Some(status)) = self.process.try_wait() {
                let (command, url) = (self.command.clone(), target.to_owned());
                return Err(ProbeError::Ended { command, url, status });
            }
            if server.call(Call::Initialize, Sent::Without, &Session::default()).await.is_ok() {
                return Ok(());
            }
            if Instant::now() >= end {
                let (command, url) = (self.command.clone(), target.to_owned());
                return Err(ProbeError::Silent { command, url, seconds: patience.as_secs() });
            }
            sleep(PAUSE).await;
        }
    }

    /// Ends the process and what it started: politely, and after some seconds by force.
    pub async fn end(mut self) {
        for signal in ["-TERM", "-KILL"] {
            if !self.signal(signal).await {
                break;
            }
            if timeout(GRACE, self.process.wait()).await.is_ok() {
                return;
            }
        }
        // Where there are no process groups, or no `kill`.
        let _ = self.process.kill().await;
    }

    /// Sends a signal to the process group; whether that could be done.
    async fn signal(&self, signal: &str) -> bool {
        let Some(id) = self.process.id().filter(|_| cfg!(unix)) else { return false };
        let sent =
            Command::new("kill").args([signal, "--", &format!("-{id}")]).stderr(Stdio::null()).status().await;
        sent.is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn is_alive(id: &str) -> bool {
        let kill = std::process::Command::new("kill").args(["-0", id]).stderr(Stdio::null()).status();
        kill.unwrap().success()
    }

    #[tokio::test]
    async fn what_the_process_started_ends_with_it() {
        let folder = std::env::temp_dir().join(format!("gatelet-probe-child-{}", std::process::id()));
        let script = format!("sleep 600 & echo $! > {}; wait", folder.display());
        let issuer = Issuer::for_tests("http://127.0.0.1:1/oauth");
        let command = ["sh", "-c", &script].map(OsString::from);
        let url = "http://127.0.0.1:1/mcp";
        let child = Child::start(&command, &issuer, url, url).await.unwrap();
        let mut grandchild = String::new();
        while grandchild.is_empty() {
            sleep(Duration::from_millis(10)).await;
            grandchild = std::fs::read_to_string(&folder).unwrap_or_default().trim().to_owned();
        }
        assert!(is_alive(&grandchild));
        child.end().await;
        let end = Instant::now() + Duration::from_secs(5);
        while is_alive(&grandchild) && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
        std::fs::remove_file(&folder).unwrap();
        assert!(!is_alive(&grandchild));
    }

    #[tokio::test]
    async fn nothing_is_started_where_another_answers() {
        let other = crate::probe::listener::KeyListener::start(&serde_json::Value::Null).await.unwrap();
        let issuer = Issuer::for_tests("http://127.0.0.1:1/oauth");
        let command = ["sleep", "60"].map(OsString::from);
        let started = Child::start(&command, &issuer, &other.url(), &other.url()).await;
        assert!(matches!(started, Err(ProbeError::Taken(_))));
    }

    #[tokio::test]
    async fn a_command_that_ends_or_says_nothing_is_told() {
        let issuer = Issuer::for_tests("http://127.0.0.1:1/oauth");
        let start = async |command: &[&str]| {
            let command: Vec<_> = command.iter().map(OsString::from).collect();
            let url = "http://127.0.0.1:1/mcp";
            Child::start(&command, &issuer, url, url).await
        };
        assert!(matches!(start(&["/there/is/no/such"]).await, Err(ProbeError::Command { .. })));
        let wait = async |mut child: Child| {
            let waited = child.wait_for("http://127.0.0.1:1/mcp", Duration::from_millis(600)).await;
            child.end().await;
            waited.unwrap_err()
        };
        assert!(matches!(wait(start(&["false"]).await.unwrap()).await, ProbeError::Ended { .. }));
        assert!(matches!(wait(start(&["sleep", "60"]).await.unwrap()).await, ProbeError::Silent { .. }));
    }
}

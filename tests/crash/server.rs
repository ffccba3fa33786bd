//! The real program, `gatelet serve`, on data of its own: started, killed, started again.

use std::fmt::Write as _;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use crate::Database;
use crate::http::Wire;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(30);

/// What the clients ask tokens for.
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
/// What they ask for.
pub(crate) const SCOPE: &str = "mcp:read mcp:write";
/// Who is suspended now and then.
pub(crate) const GUEST: &str = "guest";
/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse";

/// A server whose process comes and goes.
pub(crate) struct Server {
    directory: PathBuf,
    port: u16,
    /// Where its database is, to look into it from outside.
    pub(crate) database_url: String,
    child: Option<Child>,
}

impl Server {
    /// Writes the configuration: people by these names, and one MCP server.
    pub(crate) fn configured(database: Database, people: &[String]) -> Self {
        let (kind, given) = match database {
            Database::Sqlite => ("sqlite", None),
            Database::Postgres(url) => ("postgres", Some(url)),
        };
        let name = format!("crash-{kind}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let database_url =
            given.unwrap_or_else(|| format!("sqlite:{}", directory.join("gatelet.db").display()));
        let port = free_port();
        let configuration = configuration(port, &database_url, people);
        std::fs::write(directory.join("gatelet.toml"), configuration).unwrap();
        Self { directory, port, database_url, child: None }
    }

    /// Starts the process and waits until it answers. Returns the way to it, and how long that took.
    pub(crate) async fn start(&mut self) -> (Wire, Duration) {
        let began = Instant::now();
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
        command.arg("serve").current_dir(&self.directory).env_clear().stdin(Stdio::null());
        self.child = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let wire = Wire::to(&format!("http://localhost:{}", self.port), self.port);
        // It listens before it opens its database, and answers after.
        while wire.get("/oauth/jwks", None).await.answer().is_none_or(|answer| answer.status != 200) {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none() && began.elapsed() < START, "it does not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (wire, began.elapsed())
    }

    /// Runs a command of an operator beside it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Child {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
        command.args(arguments).current_dir(&self.directory).env_clear().stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(log).spawn().unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        // What failed can be looked at.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// The port is part of the issuer, so each start needs the same one. Between a kill and the next start nobody holds
/// it: one from below the range of which the system gives ports to outgoing connections is not given away meanwhile.
/// That connections of the killed process still linger does not matter: tokio binds with `SO_REUSEADDR`.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    // Two cases may choose at once.
    static TAKEN: std::sync::Mutex<Vec<u16>> = std::sync::Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap();
    let port = (first..32_000).find(|port| !taken.contains(port) && free(port)).expect("a free port");
    taken.push(port);
    port
}

fn configuration(port: u16, database_url: &str, people: &[String]) -> String {
    // Codes live as long as they can: on a busy machine a minute passes between two operations of a writer.
    let mut text = format!(
        "public_url = \"http://localhost:{port}\"\nlisten = [\"127.0.0.1:{port}\"]\n\
         database_url = \"{database_url}\"\n[log]\nlevel = \"warn\"\n\
         [lifetimes]\ncode = \"10m\"\n[registration]\nrate = \"1000/1s\"\ntotal_rate = \"1000/1s\"\n[[tenants]]\nid = \"acme\"\n\
         [[resources]]\nuri = \"{RESOURCE}\"\nscopes = [{{ name = \"mcp:read\" }}, {{ name = \"mcp:write\" }}]\n"
    );
    let hash = cheap_hash();
    for name in people.iter().map(String::as_str).chain([GUEST]) {
        write!(
            text,
            "[[users]]\nid = \"{name}\"\nusername = \"{name}\"\npassword_hash = \"{hash}\"\n\
             memberships = [{{ tenant = \"acme\" }}]\n"
        )
        .unwrap();
    }
    text
}

/// A hash that costs next to nothing: a burst is shorter than an honest one takes.
fn cheap_hash() -> String {
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    cheap.hash_password_with_salt(PASSWORD.as_bytes(), b"salt of the test").unwrap().to_string()
}

//! A private PostgreSQL cluster for tests: made in a temporary directory, reached by a Unix socket, gone at the end.

use std::io::{Error, Result};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Reported by a test that had no PostgreSQL.
pub(crate) const NOT_RUN: &str = "not run, needs PostgreSQL";

/// A cluster that is made when the first database is asked for.
#[derive(Default)]
pub(crate) struct LazyCluster(OnceLock<Option<Cluster>>);

impl LazyCluster {
    /// The URL of a fresh, empty database; `None` where PostgreSQL is not installed. Panics when PostgreSQL is
    /// there but does not work, or when it is missing under `CI=true`.
    pub(crate) fn database(&self) -> Option<String> {
        let cluster = self.0.get_or_init(|| {
            let Some(binaries) = binaries() else {
                assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{NOT_RUN}");
                return None;
            };
            Some(Cluster::start(&binaries).expect("a private PostgreSQL cluster starts"))
        });
        cluster.as_ref().map(|cluster| cluster.database().expect("a database is created"))
    }
}

/// A running cluster.
struct Cluster {
    binaries: PathBuf,
    directory: PathBuf,
    owner: Option<(u32, u32)>,
    /// A shell that waits for the end of its input, which comes when we drop it or die, and then stops the server at
    /// once: nobody wants what a checkpoint would save.
    keeper: Child,
    databases: AtomicU32,
}

/// The directory of PostgreSQL's programs, the newest where there are several.
fn binaries() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = found.into_iter().rev().chain(std::env::split_paths(&path));
    candidates.find(|directory| {
        ["initdb", "postgres", "psql", "pg_isready"].iter().all(|name| directory.join(name).is_file())
    })
}

/// PostgreSQL refuses to run as root: then somebody who may nearly nothing runs it.
fn unprivileged(directory: &Path) -> Result<Option<(u32, u32)>> {
    if std::fs::metadata(directory)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let owner =
        ids("postgres").or_else(|| ids("nobody")).ok_or_else(|| Error::other("no unprivileged user"))?;
    chown(directory, Some(owner.0), Some(owner.1))?;
    Ok(Some(owner))
}

impl Cluster {
    fn start(binaries: &Path) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("gatelet-pg-{}", std::process::id()));
        std::fs::create_dir(&directory)?;
        let owner = unprivileged(&directory)?;
        let data = directory.join("data");
        let mut initdb = as_owner(Command::new(binaries.join("initdb")), owner);
        initdb
            .args(["--auth=trust", "--username=gatelet", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data);
        succeed(&mut initdb)?;

        let mut keeper = as_owner(Command::new("sh"), owner);
        keeper.arg("-c").arg(r#""$@" & pid=$!; read -r _; kill -QUIT $pid; wait $pid"#).arg("sh");
        keeper.arg(binaries.join("postgres")).arg("-D").arg(&data).arg("-k").arg(&directory);
        keeper.args(["-c", "listen_addresses=", "-c", "max_connections=400"]);
        let log = std::fs::File::create(directory.join("log"))?;
        keeper.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let keeper = keeper.spawn()?;

        let cluster =
            Self { binaries: binaries.to_owned(), directory, owner, keeper, databases: AtomicU32::new(0) };
        let give_up = Instant::now() + Duration::from_secs(30);
        while succeed(&mut cluster.client("pg_isready")).is_err() {
            if Instant::now() > give_up {
                return Err(Error::other(std::fs::read_to_string(cluster.directory.join("log"))?));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(cluster)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = as_owner(Command::new(self.binaries.join(program)), self.owner);
        command.arg("--host").arg(&self.directory).arg("--username=gatelet");
        command
    }

    /// An empty schema of its own, in which all names are looked up, is as good as a database and costs a tenth of
    /// the files.
    fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut psql = self.client("psql");
        succeed(psql.args(["--quiet", "--command"]).arg(format!("CREATE SCHEMA {name}")).arg("postgres"))?;
        let directory = self.directory.display();
        Ok(format!("postgres://gatelet@localhost/postgres?host={directory}&options[search_path]={name}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn as_owner(mut command: Command, owner: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

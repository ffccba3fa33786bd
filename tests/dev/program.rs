//! Starting and stopping the program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(30);

/// `gatelet`, with no variables of ours in its environment.
pub(crate) fn gatelet(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
    command.args(arguments).current_dir(directory).env_clear().stdin(Stdio::null());
    command
}

/// Where the directories of this run's cases are.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dev-{}", std::process::id()))
}

/// An empty directory of this case's own.
pub(crate) fn directory(name: &str) -> PathBuf {
    let directory = root().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Runs the program where it must not start, and returns the one line that it says.
pub(crate) fn refusal(directory: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = bounded(gatelet(directory, arguments));
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.code().is_some_and(|code| code != 0), "{status}: {said}");
    assert_eq!(String::from_utf8(stdout).unwrap(), "", "nothing on standard output");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}

/// Runs a program that ends by itself; one that goes on, because it started after all, is ended.
fn bounded(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if ended_within(&mut child, START).is_none() {
        child.kill().unwrap();
    }
    child.wait_with_output().unwrap()
}

fn ended_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// `gatelet dev` on a free port; killed when dropped.
pub(crate) struct Dev {
    pub(crate) banner: String,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Dev {
    /// Starts it in `directory` with its data in `data`.
    pub(crate) fn start(directory: &Path, data: &str) -> Self {
        Self::start_with(directory, data, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(directory: &Path, data: &str, further: &[&str]) -> Self {
        let mut arguments = vec!["dev", "--listen", "127.0.0.1:0", "--data", data];
        arguments.extend(further);
        let mut child =
            gatelet(directory, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (said, hears) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            let _ = stderr.read_to_string(&mut log);
            log
        });
        let mut dev = Self { banner: String::new(), child, log: Some(log) };
        let end = Instant::now() + START;
        while !dev.banner.contains("All of this is also at ") {
            match hears.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => dev.banner.push_str(&format!("{line}\n")),
                Err(_) => {
                    let (_, log) = dev.ended();
                    panic!("no banner, but: {}{log}", dev.banner)
                }
            }
        }
        dev
    }

    /// What stands in the banner after a word at the beginning of a line.
    pub(crate) fn said(&self, word: &str) -> &str {
        let rest = self.banner.lines().find_map(|line| line.trim_start().strip_prefix(word));
        rest.expect("the banner has such a line").trim()
    }

    pub(crate) fn issuer(&self) -> &str {
        self.said("issuer ")
    }

    pub(crate) fn port(&self) -> u16 {
        let (_, after) = self.issuer().rsplit_once(':').unwrap();
        after.split('/').next().unwrap().parse().unwrap()
    }

    pub(crate) fn terminate(&self) {
        terminate(&self.child);
    }

    /// Its exit status, if it ends within `limit`.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        ended_within(&mut self.child, limit)
    }

    /// Tells it to stop, and expects that it does; its log.
    pub(crate) fn stop(mut self) -> String {
        self.terminate();
        let status = self.ends_within(Duration::from_secs(5));
        let log = self.ended().1;
        assert_eq!(status.and_then(|status| status.code()), Some(0), "{log}");
        log
    }

    /// Ends it; what it has logged.
    pub(crate) fn logged(mut self) -> String {
        self.ended().1
    }

    /// Ends it in any case; its exit status and its log.
    fn ended(&mut self) -> (Option<ExitStatus>, String) {
        let _ = self.child.kill();
        let status = self.child.wait().ok();
        (status, self.log.take().and_then(|log| log.join().ok()).unwrap_or_default())
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.ended();
    }
}

/// SIGTERM, by the shell's own command: std has only SIGKILL.
pub(crate) fn terminate(child: &Child) {
    let told = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status();
    assert!(told.unwrap().success());
}

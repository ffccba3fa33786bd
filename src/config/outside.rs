//! Files and programs that secrets are read from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a `*_command` may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest configuration or secret that is read, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A file as it was found.
#[derive(Clone, Debug, Default)]
pub struct FoundFile {
    /// What is in it.
    pub text: String,
    /// Whether others than its owner may open it.
    pub exposed: bool,
}

/// The world outside the configuration, so that tests can stand in for it.
pub trait Outside {
    /// Reads a file.
    ///
    /// # Errors
    /// What the operating system says.
    fn read(&self, path: &Path) -> io::Result<FoundFile>;

    /// Runs a program in `directory` and gives what it wrote to its standard output.
    ///
    /// # Errors
    /// Why there is no output, in words, without any of it.
    fn run(&self, command: &[String], directory: &Path) -> Result<String, String>;
}

/// The machine that this runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

impl Outside for Machine {
    fn read(&self, path: &Path) -> io::Result<FoundFile> {
        let file = File::open(path)?;
        let exposed = is_exposed(&file)?;
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text)?;
        Ok(FoundFile { text, exposed })
    }

    fn run(&self, command: &[String], directory: &Path) -> Result<String, String> {
        run_within(command, directory, COMMAND_TIMEOUT)
    }
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn run_within(command: &[String], directory: &Path, timeout: Duration) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("names no program".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let output = output_within(&mut child, timeout);
    if output.is_none() {
        // Errors here mean that it has ended already.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("cannot wait for `{program}`: {error}"))?;
    match output {
        None => Err(format!("`{program}` took longer than {} s", timeout.as_secs())),
        Some(_) if !status.success() => Err(format!("`{program}` failed: {status}")),
        Some(Err(error)) => Err(format!("cannot read the output of `{program}`: {error}")),
        Some(Ok(text)) => Ok(text),
    }
}

/// The child's whole output, once it has closed it and ended; nothing when that takes longer than `timeout`. The
/// reading thread is left behind then: it ends with the last process that holds the pipe.
fn output_within(child: &mut Child, timeout: Duration) -> Option<io::Result<String>> {
    let deadline = Instant::now() + timeout;
    let (sender, receiver) = mpsc::channel();
    let pipe = child.stdout.take()?;
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = pipe.take(MAX_BYTES).read_to_string(&mut text);
        // Nobody listens any more when the time was up.
        let _ = sender.send(read.map(|_| text));
    });
    let output = receiver.recv_timeout(timeout).ok()?;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(output)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(words: &[&str], timeout: Duration) -> Result<String, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        run_within(&words, Path::new("/"), timeout)
    }

    #[test]
    fn a_command_gives_what_it_prints_and_no_shell_reads_its_words() {
        assert_eq!(run(&["printf", "%s", "$HOME; x"], COMMAND_TIMEOUT), Ok("$HOME; x".to_owned()));
    }

    #[test]
    fn a_command_that_fails_hangs_or_does_not_exist_says_so_without_its_output() {
        let failed = run(&["sh", "-c", "echo hunter2; exit 3"], COMMAND_TIMEOUT).unwrap_err();
        assert_eq!(failed, "`sh` failed: exit status: 3");
        let missing = run(&["/no/such/program"], COMMAND_TIMEOUT).unwrap_err();
        assert!(missing.starts_with("cannot run `/no/such/program`: "), "{missing}");
        for hanging in ["exec sleep 30", "exec sleep 30 >&-", "sleep 3 & exit 0"] {
            let began = Instant::now();
            let hung = run(&["sh", "-c", hanging], Duration::from_millis(100)).unwrap_err();
            assert_eq!(hung, "`sh` took longer than 0 s");
            assert!(began.elapsed() < Duration::from_secs(2), "{hanging}");
        }
    }
}

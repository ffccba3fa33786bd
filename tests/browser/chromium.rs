//! Starting Chromium: the programs that it takes, and what it is told.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) const NEEDS: &str = "not run, needs Chromium (chromium and chromedriver in PATH)";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The host of another site, which is this machine too.
pub(crate) const EVIL: &str = "evil.example";
/// Every other name leads nowhere: nothing leaves this machine.
const NAMES: &str = "MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";

/// A driver that is running, and what the browser that it starts is to be.
pub(crate) struct Driver {
    pub(crate) process: Child,
    pub(crate) port: u16,
    pub(crate) capabilities: Value,
    /// Belongs to this run alone: the browser's profile, and the desktop that it believes to be on.
    pub(crate) directory: PathBuf,
}

impl Driver {
    /// Starts a driver on a free port. The browser may hand links of `schemes` from pages of `origins` to the desktop
    /// without asking, as if the person had ticked "always" in the dialog that a headless browser cannot show.
    pub(crate) async fn start(origins: &[String], schemes: &[&str]) -> Result<Self, String> {
        let binary = BROWSERS.iter().find_map(|name| in_path(name)).ok_or(NEEDS)?;
        let program = in_path("chromedriver").ok_or(NEEDS)?;
        let directory = std::env::temp_dir().join(format!("gatelet-browser-{}", std::process::id()));
        let path = desktop(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let mut process = Command::new(program)
            .arg("--port=0")
            .env("PATH", path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        let port = port_of(&mut process).await?;
        let capabilities = capabilities(&binary, &directory, origins, schemes);
        Ok(Self { process, port, capabilities, directory })
    }

    /// The links that the browser handed to the desktop.
    pub(crate) fn handed_over(&self) -> Vec<String> {
        let list = std::fs::read_to_string(self.directory.join("bin/handed-over")).unwrap_or_default();
        list.lines().map(str::to_owned).collect()
    }
}

/// Puts programs into the browser's path that stand for a desktop: one opens links, which is to write them down.
fn desktop(directory: &Path) -> std::io::Result<std::ffi::OsString> {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = directory.join("bin");
    std::fs::create_dir_all(&bin)?;
    let programs = [
        ("xdg-open", "printf '%s\\n' \"$1\" >> \"${0%/*}/handed-over\""),
        // "Is this browser the one for such links?"
        ("xdg-settings", "echo no"),
    ];
    for (name, does) in programs {
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{does}\n"))?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    }
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(bin).chain(std::env::split_paths(&inherited));
    std::env::join_paths(all).map_err(std::io::Error::other)
}

fn capabilities(binary: &Path, directory: &Path, origins: &[String], schemes: &[&str]) -> Value {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-popup-blocking",
        "--hide-scrollbars",
        &format!("--host-resolver-rules={NAMES}"),
        &format!("--user-data-dir={}", directory.join("profile").display()),
    ];
    let allowed: Value = schemes.iter().map(|scheme| ((*scheme).to_owned(), Value::Bool(true))).collect();
    let pairs: Value = origins.iter().map(|origin| (origin.clone(), allowed.clone())).collect();
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": binary,
            "args": arguments,
            "prefs": { "protocol_handler": { "allowed_origin_protocol_pairs": pairs } },
        },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "pageLoad": 20_000, "script": 20_000 },
    } } })
}

/// The driver says on its standard output which port it got.
async fn port_of(driver: &mut Child) -> Result<u16, String> {
    let output = driver.stdout.take().ok_or("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return port.trim_end_matches('.').parse().map_err(|_| line.clone());
        }
    }
    Err("chromedriver ended before it was ready".to_owned())
}

fn in_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

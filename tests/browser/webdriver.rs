//! A headless Chromium, driven over WebDriver (W3C) and, for sizes and colour schemes, its DevTools protocol.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) const NEEDS: &str = "not run, needs Chromium (chromium and chromedriver in PATH)";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A session with its driver; both end in [`Browser::quit`], or when dropped.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
    driver: Child,
    profile: PathBuf,
}

impl Browser {
    /// Starts a driver on a free port and a browser with a profile of its own.
    pub(crate) async fn start() -> Result<Self, String> {
        let binary = BROWSERS.iter().find_map(|name| in_path(name)).ok_or(NEEDS)?;
        let program = in_path("chromedriver").ok_or(NEEDS)?;
        let mut driver = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        let port = port_of(&mut driver).await?;
        let profile = std::env::temp_dir().join(format!("gatelet-pages-{}", std::process::id()));
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let mut browser = Self { http, session: format!("http://127.0.0.1:{port}/session"), driver, profile };
        let made = browser.post("", capabilities(&binary, &browser.profile)).await?;
        let id = made["sessionId"].as_str().ok_or("the driver gave no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    /// Opens `url` and forgets what was logged before.
    pub(crate) async fn open(&self, url: &str) -> Result<(), String> {
        self.log().await?;
        self.post("/url", json!({ "url": url })).await.map(drop)
    }

    /// Width and height of the window in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) -> Result<(), String> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) -> Result<(), String> {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await.map(drop)
    }

    /// Value of `script`, the body of a function.
    pub(crate) async fn run(&self, script: &str) -> Result<Value, String> {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses the Tab key once.
    pub(crate) async fn tab(&self) -> Result<(), String> {
        let keys =
            json!([{ "type": "keyDown", "value": "\u{E004}" }, { "type": "keyUp", "value": "\u{E004}" }]);
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.post("/actions", actions).await.map(drop)
    }

    /// What the browser logged since the last call: violations of the policy, failed loads.
    pub(crate) async fn log(&self) -> Result<Vec<String>, String> {
        let entries = self.post("/se/log", json!({ "type": "browser" })).await?;
        let entries = entries.as_array().ok_or("the log is no list")?;
        Ok(entries.iter().filter_map(|entry| entry["message"].as_str()).map(str::to_owned).collect())
    }

    /// The whole page as PNG, in base64.
    pub(crate) async fn picture(&self) -> Result<String, String> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", parameters).await?;
        answer["data"].as_str().map(str::to_owned).ok_or_else(|| "no picture".to_owned())
    }

    /// Ends the session (and so the browser), then the driver.
    pub(crate) async fn quit(mut self) {
        let _ = self.http.delete(&self.session).send().await;
        let _ = self.driver.kill().await;
        let _ = std::fs::remove_dir_all(&self.profile);
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.session);
        let sent = self.http.post(&url).json(&body).send().await.map_err(|error| error.to_string())?;
        let answer: Value = sent.json().await.map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }
}

fn capabilities(binary: &std::path::Path, profile: &std::path::Path) -> Value {
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
        "--hide-scrollbars",
        &format!("--user-data-dir={}", profile.display()),
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": binary, "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
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

//! A headless Chromium, driven over WebDriver (W3C) and, for sizes, colour schemes and traffic, its DevTools protocol.

use serde_json::{Value, json};

use crate::chromium::Driver;

/// The member by which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Says on the console what a page's policy forbids: the console's log outlives the page.
const WATCH_POLICY: &str = "document.addEventListener('securitypolicyviolation', (event) => \
    console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI} on ${event.documentURI}`))";

/// A session with its driver; both end in [`Browser::quit`], or when dropped.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
    driver: Driver,
}

/// Something that the browser did, in the words of its DevTools protocol.
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Browser {
    /// Starts a browser with a profile of its own.
    pub(crate) async fn start(driver: Driver) -> Result<Self, String> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let session = format!("http://127.0.0.1:{}/session", driver.port);
        let mut browser = Self { http, session, driver };
        let made = browser.post("", browser.driver.capabilities.clone()).await?;
        let id = made["sessionId"].as_str().ok_or("the driver gave no session")?;
        browser.session = format!("{}/{id}", browser.session);
        browser.watch().await?;
        Ok(browser)
    }

    /// Opens `url` and forgets what was logged before.
    pub(crate) async fn open(&self, url: &str) -> Result<(), String> {
        self.log().await?;
        self.go(url).await
    }

    /// Opens `url`.
    pub(crate) async fn go(&self, url: &str) -> Result<(), String> {
        self.post("/url", json!({ "url": url })).await.map(drop)
    }

    /// The step back of the browser's history.
    pub(crate) async fn back(&self) -> Result<(), String> {
        self.post("/back", json!({})).await.map(drop)
    }

    /// Address of the page.
    pub(crate) async fn url(&self) -> Result<String, String> {
        self.get("/url").await.map(|url| url.as_str().unwrap_or_default().to_owned())
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

    /// Value of `script`, the body of a function; of a promise what it comes to.
    pub(crate) async fn run(&self, script: &str) -> Result<Value, String> {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses the Tab key so many times.
    pub(crate) async fn tab(&self, times: usize) -> Result<(), String> {
        let keys: Vec<Value> = ["keyDown", "keyUp"]
            .repeat(times)
            .iter()
            .map(|what| json!({ "type": what, "value": "\u{E004}" }))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.post("/actions", actions).await.map(drop)
    }

    /// Clicks in the middle of the element at `xpath`.
    pub(crate) async fn click(&self, xpath: &str) -> Result<(), String> {
        let element = self.element(xpath).await?;
        self.post(&format!("/element/{element}/click"), json!({})).await.map(drop)
    }

    /// Empties the field at `xpath` and types into it.
    pub(crate) async fn type_into(&self, xpath: &str, text: &str) -> Result<(), String> {
        let element = self.element(xpath).await?;
        self.post(&format!("/element/{element}/clear"), json!({})).await?;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await.map(drop)
    }

    /// Goes into the frame at `xpath`; without one back to the page.
    pub(crate) async fn enter(&self, xpath: Option<&str>) -> Result<(), String> {
        let frame = match xpath {
            Some(xpath) => json!({ ELEMENT: self.element(xpath).await? }),
            None => Value::Null,
        };
        self.post("/frame", json!({ "id": frame })).await.map(drop)
    }

    /// Handles of all tabs.
    pub(crate) async fn tabs(&self) -> Result<Vec<String>, String> {
        let handles = self.get("/window/handles").await?;
        Ok(handles.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Handle of the tab in use.
    pub(crate) async fn tab_in_use(&self) -> Result<String, String> {
        self.get("/window").await.map(|handle| handle.as_str().unwrap_or_default().to_owned())
    }

    /// Uses another tab.
    pub(crate) async fn turn_to(&self, tab: &str) -> Result<(), String> {
        self.post("/window", json!({ "handle": tab })).await?;
        self.watch().await
    }

    /// Opens a tab and uses it.
    pub(crate) async fn new_tab(&self) -> Result<String, String> {
        let made = self.post("/window/new", json!({ "type": "tab" })).await?;
        let handle = made["handle"].as_str().ok_or("a tab without a handle")?;
        self.turn_to(handle).await?;
        Ok(handle.to_owned())
    }

    /// A browser as it was at first: one tab, no cookie, nothing logged.
    pub(crate) async fn forget(&self) -> Result<(), String> {
        let tabs = self.tabs().await?;
        let (first, others) = tabs.split_first().ok_or("the browser has no tab left")?;
        for tab in others {
            self.turn_to(tab).await?;
            self.delete("/window").await?;
        }
        self.turn_to(first).await?;
        self.devtools("Network.clearBrowserCookies", json!({})).await?;
        self.go("about:blank").await?;
        self.resize(1280, 800).await?;
        self.prefer("light").await?;
        self.events().await?;
        self.log().await.map(drop)
    }

    /// What the browser logged since the last call: violations of the policy, failed loads.
    pub(crate) async fn log(&self) -> Result<Vec<String>, String> {
        let entries = self.post("/se/log", json!({ "type": "browser" })).await?;
        let entries = entries.as_array().ok_or("the log is no list")?;
        Ok(entries.iter().filter_map(|entry| entry["message"].as_str()).map(str::to_owned).collect())
    }

    /// What the browser did since the last call.
    pub(crate) async fn events(&self) -> Result<Vec<Event>, String> {
        let entries = self.post("/se/log", json!({ "type": "performance" })).await?;
        let entries = entries.as_array().ok_or("the events are no list")?;
        let parsed = entries.iter().filter_map(|entry| entry["message"].as_str()).filter_map(|message| {
            let mut message: Value = serde_json::from_str(message).ok()?;
            let mut message = message["message"].take();
            Some(Event { method: message["method"].as_str()?.to_owned(), params: message["params"].take() })
        });
        Ok(parsed.collect())
    }

    /// The links that the browser handed to other applications of the desktop.
    pub(crate) fn handed_over(&self) -> Vec<String> {
        self.driver.handed_over()
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
        let _ = self.driver.process.kill().await;
        let _ = std::fs::remove_dir_all(&self.driver.directory);
    }

    /// Answer of the DevTools protocol to a command.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    async fn watch(&self) -> Result<(), String> {
        let script = json!({ "source": WATCH_POLICY });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script).await.map(drop)
    }

    async fn element(&self, xpath: &str) -> Result<String, String> {
        let found = self.post("/element", json!({ "using": "xpath", "value": xpath })).await?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| format!("{xpath} is no element"))
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(self.http.get(format!("{}{path}", self.session)), path).await
    }

    async fn delete(&self, path: &str) -> Result<Value, String> {
        self.send(self.http.delete(format!("{}{path}", self.session)), path).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.send(self.http.post(format!("{}{path}", self.session)).json(&body), path).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Value, String> {
        let sent = request.send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = sent.json().await.map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].take()),
        }
    }
}

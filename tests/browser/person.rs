//! A person at the browser, who reads labels, types and clicks.

use std::time::Duration;

use serde_json::Value;

use crate::webdriver::Browser;

/// How often to look for what takes its time, every 20 ms: ten seconds at least.
const PATIENCE: usize = 500;

/// Whoever sits at the browser. Every step that cannot be taken is a panic.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a>(pub(crate) &'a Browser);

/// What they see.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Status with which the page came.
    pub(crate) status: u64,
    /// The heading of the first level.
    pub(crate) heading: String,
    /// All visible words.
    pub(crate) text: String,
}

impl Person<'_> {
    pub(crate) async fn opens(self, url: &str) -> Seen {
        self.0.go(url).await.unwrap();
        self.sees().await
    }

    /// Types into the field with this label.
    pub(crate) async fn types(self, label: &str, text: &str) {
        self.0
            .type_into(&format!("//input[@id=//label[normalize-space()='{label}']/@for]"), text)
            .await
            .unwrap();
    }

    /// Ticks or unticks the box whose label begins with these words.
    pub(crate) async fn ticks(self, label: &str) {
        let found = format!("//input[@id=//label[starts-with(normalize-space(), '{label}')]/@for]");
        self.0.click(&found).await.unwrap();
    }

    /// Presses the button, or follows the link, that says this, and sees the page to which that leads.
    pub(crate) async fn presses(self, words: &str) -> Seen {
        let before = self.document().await.unwrap();
        self.touches(words).await;
        self.turns_from(before).await
    }

    /// Presses the button that begins with these words.
    pub(crate) async fn chooses(self, words: &str) -> Seen {
        let before = self.document().await.unwrap();
        self.0.click(&format!("//button[starts-with(normalize-space(), '{words}')]")).await.unwrap();
        self.turns_from(before).await
    }

    /// The same as [`Person::presses`], for what leads to no other page.
    pub(crate) async fn touches(self, words: &str) {
        let found = format!("//button[normalize-space()='{words}'] | //a[normalize-space()='{words}']");
        self.0.click(&found).await.unwrap();
    }

    pub(crate) async fn goes_back(self) -> Seen {
        let before = self.document().await.unwrap();
        self.0.back().await.unwrap();
        self.turns_from(before).await
    }

    /// Goes to the window that a page has opened, once it shows something.
    pub(crate) async fn turns_to_what_opened(self, opener: &str) -> Seen {
        for _ in 0..PATIENCE {
            let tabs = self.0.tabs().await.unwrap();
            if let Some(opened) = tabs.iter().find(|tab| *tab != opener) {
                self.0.turn_to(opened).await.unwrap();
                return self.turns_from(Value::Null).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no window was opened");
    }

    /// Fills in and sends the login page.
    pub(crate) async fn logs_in(self, username: &str, password: &str) -> Seen {
        self.types("User name", username).await;
        self.types("Password", password).await;
        self.presses("Log in").await
    }

    pub(crate) async fn sees(self) -> Seen {
        let script = "return [performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0, \
                      document.querySelector('h1')?.innerText ?? '', document.body.innerText]";
        let seen = self.0.run(script).await.unwrap();
        let word = |at: usize| seen[at].as_str().unwrap_or_default().to_owned();
        Seen { status: seen[0].as_u64().unwrap_or_default(), heading: word(1), text: word(2) }
    }

    /// The page that comes after `before`, once it is there: a click does not wait for what it leads to.
    async fn turns_from(self, before: Value) -> Seen {
        for _ in 0..PATIENCE {
            match self.document().await {
                Ok(now) if !now.is_null() && now != before => return self.sees().await,
                // Between two pages there is none to ask.
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        panic!("no other page comes: {}, {:#?}", self.sees().await.text, self.0.log().await);
    }

    /// What tells a document from the one before it; nothing while it is loading.
    async fn document(self) -> Result<Value, String> {
        self.0
            .run("return document.readyState === 'complete' && document.body ? performance.timeOrigin : null")
            .await
    }

    /// Value of an expression of JavaScript in the page.
    pub(crate) async fn evaluates(self, expression: &str) -> Value {
        self.0.run(&format!("return {expression}")).await.unwrap()
    }

    /// The link that the browser handed to an application of the device, once it begins with `uri`.
    pub(crate) async fn handed_over(self, uri: &str) -> String {
        for _ in 0..PATIENCE {
            let links = self.0.handed_over();
            if let Some(link) = links.iter().find(|link| link.starts_with(uri)) {
                return link.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no application was started for {uri}: {:?}", self.0.log().await);
    }

    /// The browser had nothing to complain about: no violation of a policy, no error on the console, but for what
    /// contains one of `expected`, each of which there is.
    pub(crate) async fn complained_only_of(self, expected: &[&str]) {
        let mut log = self.0.log().await.unwrap();
        for _ in 0..PATIENCE {
            if expected.iter().all(|part| log.iter().any(|line| line.contains(part))) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            log.extend(self.0.log().await.unwrap());
        }
        let unexpected: Vec<_> =
            log.iter().filter(|line| !expected.iter().any(|part| line.contains(part))).collect();
        assert!(unexpected.is_empty(), "the browser complained: {unexpected:#?}");
        for part in expected {
            assert!(
                log.iter().any(|line| line.contains(part)),
                "the browser did not complain of {part}: {log:#?}"
            );
        }
    }

    pub(crate) async fn complained_of_nothing(self) {
        self.complained_only_of(&[]).await;
    }
}

impl Seen {
    /// That this is a page of ours with this status and heading.
    #[track_caller]
    pub(crate) fn is(&self, status: u64, heading: &str) {
        assert_eq!((self.status, self.heading.as_str()), (status, heading), "{}", self.text);
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        assert!(self.text.contains(words), "no `{words}` on the page: {}", self.text);
    }
}

//! An operator who works beside the running server with the program's own commands: keys are published and revoked, a
//! person is suspended and resumed. A command that has ended well is an acknowledgement; one that has not is killed with
//! the server.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::check::is_logged_in;
use crate::http::Wire;
use crate::ledger::Writer;
use crate::operation::Operation;
use crate::server::{GUEST, Server};
use crate::snapshot::Snapshot;
use crate::tally::Tally;

const ALIVE: &str = "nobody has killed the server";

/// What an operator does.
#[derive(Clone, Copy, Debug)]
enum Command {
    /// The key that waits is told to hurry, or one is published.
    Publish,
    /// The key that waits is revoked before it signs.
    RevokeNext,
    Suspend,
    Resume,
}

/// The operator, what was acknowledged, and the person who is suspended now and then.
pub(crate) struct Operator {
    guest: Writer,
    is_suspended: bool,
    /// The key that waits.
    next: Option<String>,
    revoked: Vec<String>,
    /// Those that were published, whatever became of them.
    published: usize,
    running: Option<(Command, Child)>,
    /// How long each kind of command takes, about.
    usual: BTreeMap<&'static str, Duration>,
    tally: Tally,
}

impl Operator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            guest: Writer::new(GUEST.to_owned(), seed),
            is_suspended: false,
            next: None,
            revoked: Vec::new(),
            published: 0,
            running: None,
            usual: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// Begins a command, and waits so long that it is about to be done, or just was.
    pub(crate) async fn begin(&mut self, server: &Server) {
        let command = match (self.guest.choose(2), &self.next) {
            (0, _) if self.is_suspended => Command::Resume,
            (0, _) => Command::Suspend,
            (_, Some(_)) => Command::RevokeNext,
            (_, None) => Command::Publish,
        };
        let arguments = match command {
            Command::Publish => vec!["key", "rotate", "--json"],
            Command::RevokeNext => vec!["key", "revoke", self.next.as_deref().expect("it waits"), "--json"],
            Command::Suspend => vec!["user", "suspend", GUEST, "--json"],
            Command::Resume => vec!["user", "resume", GUEST, "--json"],
        };
        self.running = Some((command, server.command(&arguments)));
        let chance = u32::try_from(self.guest.choose(100)).expect("below a hundred");
        tokio::time::sleep(*self.usual(command) * chance / 70).await;
    }

    fn usual(&mut self, command: Command) -> &mut Duration {
        self.usual.entry(command.kind()).or_insert(Duration::from_millis(300))
    }

    /// Kills the command, if it has not ended. Whether that met it in flight.
    pub(crate) fn kill(&mut self) -> bool {
        let (command, mut child) = self.running.take().expect("it was begun");
        let Some(ended) = child.try_wait().unwrap() else {
            let usual = self.usual(command);
            *usual = *usual * 3 / 2;
            child.kill().unwrap();
            child.wait().unwrap();
            self.running = Some((command, child));
            return true;
        };
        assert!(ended.success(), "{command:?} ended with {ended}");
        let usual = self.usual(command);
        *usual = *usual * 3 / 4;
        let said = std::io::read_to_string(child.stdout.expect("it is read")).unwrap();
        let said: Value = serde_json::from_str(&said).expect("one document");
        self.acknowledge(command, said["kid"].as_str());
        self.tally.acknowledge(command.kind());
        false
    }

    fn acknowledge(&mut self, command: Command, kid: Option<&str>) {
        match command {
            Command::Publish => {
                self.published += 1;
                self.next = Some(kid.expect("a name").to_owned());
            }
            Command::RevokeNext => self.revoked.extend(self.next.take()),
            Command::Suspend => {
                self.is_suspended = true;
                self.guest.ended.extend(self.guest.session.take().map(|session| session.cookie));
            }
            Command::Resume => self.is_suspended = false,
        }
    }

    /// Whether the command that was killed is done, as a whole.
    fn settle(&mut self, rows: &Snapshot) {
        let Some((command, _)) = self.running.take() else { return };
        let waiting = rows.signing.iter().find(|(_, state)| *state == "next").map(|(kid, _)| kid.as_str());
        let is_done = match command {
            Command::Publish => waiting.is_some(),
            Command::RevokeNext => waiting.is_none(),
            Command::Suspend => rows.suspended.iter().any(|user| user == GUEST),
            Command::Resume => !rows.suspended.iter().any(|user| user == GUEST),
        };
        if is_done {
            self.acknowledge(command, waiting);
        }
        self.tally.settle(command.kind(), is_done, true);
    }

    /// Everything that was acknowledged is in the rows, with the events that tell of it, and in what the server says.
    pub(crate) async fn look(&mut self, wire: &Wire, rows: &Snapshot, jwks: &Value) {
        self.settle(rows);
        let state = |kid: &String| rows.signing.get(kid).map(String::as_str);
        let published = jwks["keys"].as_array().expect("keys").iter().filter_map(|key| key["kid"].as_str());
        let mut published: Vec<_> = published.collect();
        published.sort_unstable();
        let mut expected: Vec<_> = rows.signing.iter().filter(|(_, state)| *state != "revoked").collect();
        expected.sort_unstable();
        assert_eq!(published, expected.iter().map(|(kid, _)| kid.as_str()).collect::<Vec<_>>());
        assert_eq!(self.next.as_ref().map(state), self.next.as_ref().map(|_| Some("next")));
        assert!(self.revoked.iter().all(|kid| state(kid) == Some("revoked")), "{:?}", self.revoked);
        assert_eq!(rows.signing.len(), 1 + self.published, "the first, and what was published");
        assert_eq!(rows.events("key_published", ""), self.published);
        assert_eq!(rows.events("key_revoked", ""), self.revoked.len());
        let is_suspended = rows.suspended.iter().any(|user| user == GUEST);
        assert_eq!(is_suspended, self.is_suspended, "{GUEST}");
        let told = rows.events("suspended", GUEST) - rows.events("resumed", GUEST);
        assert_eq!(told, usize::from(is_suspended), "{GUEST}");
        for cookie in &self.guest.ended {
            assert!(!is_logged_in(wire, cookie).await, "{GUEST} was suspended");
        }
        if !self.is_suspended && self.guest.session.is_none() {
            self.guest.perform(wire, Operation::LogIn).await.expect(ALIVE);
        }
        if let Some(session) = &self.guest.session {
            assert!(is_logged_in(wire, &session.cookie).await, "{GUEST} was not suspended");
        }
    }

    /// What was done and what became of what was killed.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Command {
    fn kind(self) -> &'static str {
        match self {
            Self::Publish => "publish key",
            Self::RevokeNext => "revoke key",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        }
    }
}

//! What one writer was told: everything that the server acknowledged, and the one operation that it left unanswered.
//!
//! It is kept in memory: the driver is not what is killed.

use std::collections::BTreeSet;
use std::time::Instant;

use gatelet::random::Random;
use gatelet::tokens::BrowserSessionToken;

use crate::chain::{Chain, Stage};
use crate::operation::Operation;
use crate::tally::Tally;

/// A person with a browser and many clients, who does one thing after another.
pub(crate) struct Writer {
    /// The person's name and `sub`.
    pub(crate) person: String,
    pub(crate) random: Random,
    /// The browser session, while logged in.
    pub(crate) session: Option<Session>,
    /// Cookies of sessions that were logged out.
    pub(crate) ended: Vec<String>,
    /// Sessions whose cookie never arrived; they stay until they are swept.
    pub(crate) unheard_sessions: BTreeSet<String>,
    /// A login page that is ready to be filled in.
    pub(crate) login: Option<LoginForm>,
    pub(crate) chains: Vec<Chain>,
    /// Interactions that must be there.
    pub(crate) interactions: BTreeSet<String>,
    /// Access tokens since the last restart, and those before.
    pub(crate) fresh_tokens: Vec<String>,
    pub(crate) older_tokens: Vec<String>,
    /// The `jti` of access tokens that were given back, and when: they are forgotten once the tokens have expired.
    pub(crate) revoked_tokens: Vec<(Instant, String)>,
    /// What was sent and not answered when the server was killed.
    pub(crate) unanswered: Option<Unanswered>,
    pub(crate) tally: Tally,
}

/// A logged-in browser.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) cookie: String,
    /// For its forms, once a page was read.
    pub(crate) csrf: Option<String>,
}

/// What a login page brings along.
pub(crate) struct LoginForm {
    pub(crate) browser: String,
    pub(crate) csrf: String,
    pub(crate) continuation: String,
}

/// An operation that was sent and not answered.
pub(crate) struct Unanswered {
    pub(crate) operation: Operation,
    pub(crate) since: Instant,
}

impl Writer {
    /// A person who has done nothing yet, and whose choices follow from `seed`.
    pub(crate) fn new(person: String, seed: u64) -> Self {
        Self {
            person,
            random: Random::seeded(seed),
            session: None,
            ended: Vec::new(),
            unheard_sessions: BTreeSet::new(),
            login: None,
            chains: Vec::new(),
            interactions: BTreeSet::new(),
            fresh_tokens: Vec::new(),
            older_tokens: Vec::new(),
            revoked_tokens: Vec::new(),
            unanswered: None,
            tally: Tally::default(),
        }
    }

    /// A number below `bound`.
    pub(crate) fn choose(&self, bound: usize) -> usize {
        usize::try_from(u32::from_be_bytes(self.random.bytes())).unwrap() % bound
    }

    /// The places of the chains that have come to such a stage.
    pub(crate) fn chains_that(&self, is: impl Fn(&Stage) -> bool) -> Vec<usize> {
        (0..self.chains.len()).filter(|at| is(&self.chains[*at].stage)).collect()
    }

    /// The cookie of the session.
    pub(crate) fn cookie(&self) -> &str {
        &self.session.as_ref().expect("logged in").cookie
    }

    /// What was acknowledged is old from now on.
    pub(crate) fn turn_page(&mut self) {
        self.chains.iter_mut().for_each(|chain| chain.is_fresh = false);
        self.older_tokens.append(&mut self.fresh_tokens);
    }
}

/// The identifier in a session's cookie.
pub(crate) fn session_id(cookie: &str) -> String {
    BrowserSessionToken::parse(cookie).expect("a session's cookie").id().to_string()
}

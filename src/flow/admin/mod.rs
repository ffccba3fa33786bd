//! What administrators do, whether they type commands or click on a page: each verb reads, decides, has the store commit
//! under a guard, and says why not in a sentence for people.
//!
//! What configuration declares belongs to it: it is shown, suspended and resumed here, and changed there.

mod client;
mod grant;
mod initial_token;
mod key;
mod record;
mod resource;
mod stand_in;
mod tenant;
mod user;

use super::{Engine, Failure};
use crate::audit::AuditEvent;
use crate::store::{Changed, Mode, Origin, Outcome, StoreError};
use crate::tokens::PasswordError;

pub use crate::audit::AuditKind;
pub use client::ClientWithSecret;
pub use grant::{AdminToken, InspectedToken, TokenWish};
pub use initial_token::InitialTokenWish;
pub use key::{KnownKey, PublicForm, Takeover, check_key};
pub use record::AuditWatch;
pub use stand_in::Answer;
pub use user::AddUser;

/// An administrator at work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admin {
    engine: Engine,
    actor: &'static str,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such thing.
    #[error("there is no {what} {id:?}")]
    NotFound {
        /// The kind of thing: `user`, `client`, ….
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// There is one already.
    #[error("there is a {what} {id:?} already")]
    Taken {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// It belongs to configuration.
    #[error("the {what} {id:?} belongs to the configuration file and is changed there")]
    Configured {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// Somebody else was faster.
    #[error("the {what} {id:?} was changed by somebody else at the same time; look at it again")]
    Overtaken {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// It may not be done as things are; the sentence says why.
    #[error("{0}")]
    Refused(String),
    /// What was said makes no sense; the sentence says why.
    #[error("{0}")]
    Invalid(String),
    /// Something of ours did not work.
    #[error(transparent)]
    Failed(Failure),
}

impl AdminError {
    /// Something that is nobody's mistake.
    pub fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(Failure::Fault(error.into()))
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TakenByAnother { what, id } => Self::Taken { what, id },
            other => Self::Failed(other.into()),
        }
    }
}

impl From<PasswordError> for AdminError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooLong => Self::Invalid(error.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

impl Engine {
    /// Its administrator. `actor` is how the audit log names them, such as `command line`.
    pub fn administrator(&self, actor: &'static str) -> Admin {
        Admin { engine: self.clone(), actor }
    }
}

impl Admin {
    /// The mode of the database.
    pub fn mode(&self) -> Mode {
        self.engine.store.mode()
    }

    /// Ends the database after what was done.
    pub async fn close(&self) {
        self.engine.store.close().await;
    }

    /// A fact of this moment, and who made it true.
    fn event(&self, kind: AuditKind, what: &str) -> AuditEvent {
        let detail =
            if what.is_empty() { format!("by {}", self.actor) } else { format!("{what}, by {}", self.actor) };
        AuditEvent::new(self.engine.clock.now(), kind).detail(detail)
    }
}

/// The kind and the name of a thing, for sentences about it.
#[derive(Clone, Copy)]
struct Named<'a> {
    what: &'static str,
    id: &'a str,
}

impl Named<'_> {
    fn not_found(self) -> AdminError {
        AdminError::NotFound { what: self.what, id: self.id.to_owned() }
    }

    fn taken(self) -> AdminError {
        AdminError::Taken { what: self.what, id: self.id.to_owned() }
    }

    fn configured(self) -> AdminError {
        AdminError::Configured { what: self.what, id: self.id.to_owned() }
    }

    /// Whether administrators may change what has this origin.
    fn changeable(self, origin: Origin) -> Result<(), AdminError> {
        let (what, id) = (self.what, self.id.to_owned());
        match origin {
            Origin::Admin => Ok(()),
            Origin::Config => Err(self.configured()),
            Origin::Withdrawn => Err(AdminError::Refused(format!(
                "the {what} {id:?} was declared in the configuration file and is withdrawn; declare it there again"
            ))),
            Origin::Dynamic | Origin::Document => Err(AdminError::Refused(format!(
                "the {what} {id:?} describes itself and cannot be changed here"
            ))),
        }
    }

    /// What became of suspending.
    fn suspended(self, outcome: Outcome) -> Result<(), AdminError> {
        let already = || AdminError::Refused(format!("the {} {:?} is suspended already", self.what, self.id));
        outcome.won().ok_or_else(already)
    }

    /// What became of resuming what has this origin.
    fn resumed(self, origin: Origin, outcome: Outcome) -> Result<(), AdminError> {
        let why = match origin {
            Origin::Withdrawn => {
                "was declared in the configuration file and is withdrawn; declare it there again"
            }
            _ => "is not suspended",
        };
        outcome.won().ok_or_else(|| AdminError::Refused(format!("the {} {:?} {why}", self.what, self.id)))
    }

    /// What became of a change that reads before it writes.
    fn changed(self, changed: Changed) -> Result<(), AdminError> {
        match changed {
            Changed::Done => Ok(()),
            Changed::Refused(why) => Err(AdminError::Invalid(why)),
            Changed::Lost => self.won(Outcome::Lost),
        }
    }

    /// What a guarded write that lost means, after everything that can be said beforehand was said.
    fn won<T>(self, outcome: Outcome<T>) -> Result<T, AdminError> {
        outcome.won().ok_or_else(|| AdminError::Overtaken { what: self.what, id: self.id.to_owned() })
    }
}

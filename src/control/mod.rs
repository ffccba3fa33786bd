//! The control plane of test mode: whole authorization servers made, watched and led astray over HTTP, so that tests in
//! any language get an issuer of their own in one call.
//!
//! One process ([`TestMode`]) holds many [`TestIssuer`]s, each a whole [`App`](crate::app::App) with a database, keys,
//! clock, people and clients of its own under `/t/<name>`, and one, `default`, at the root. Requests for them pass
//! through what tests want to know and to disturb; behind that is the same engine as in
//! production. `openapi.json` beside this file is the contract; whoever has the control key may use it.
//!
//! None of it is in the router of another mode: `gatelet test` alone mounts it, and what stands in for people refuses
//! every database but one of test mode.

mod address;
mod answer;
mod asked;
mod auto;
mod capture;
mod decide;
mod description;
mod directory;
mod document;
mod faults;
mod guard;
mod issuer;
mod keys;
mod mint;
mod personas;
mod ready_made;
mod routes;
mod serving;
mod snapshot;
mod spec;
mod spoil;
mod test_mode;
mod things;
mod time;

pub(crate) use description::{Described, Description};
pub(crate) use directory::Directory;
pub(crate) use issuer::{Beginning, Parts, START};
pub(crate) use ready_made::PASSWORD_HASH;
pub(crate) use spec::ready_made;

pub use answer::Refused;
pub use auto::Auto;
pub use capture::{Captured, Pattern};
pub use decide::{DecideSpec, Decision};
pub use document::DocumentSpec;
pub use faults::{Fault, FaultSpec};
pub use issuer::{IssuerView, TestIssuer};
pub use keys::{KeyAction, KeysView};
pub use mint::{MintSpec, Minted, ZooView};
pub use personas::{PERSONAS, Persona};
pub use ready_made::PASSWORD;
pub use routes::paths;
pub use spec::{IssuerSpec, KeyChoice};
pub use test_mode::{TestMode, TestModeError, TestModeOptions};
pub use time::{ClockSetting, ClockView};

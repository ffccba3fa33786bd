//! The page at `/` in dev mode.

use askama::Template;

use super::text::filters;
use super::{ClientSnippet, Mode, ModeNotice, Page};

/// What the terminal shows, in the browser: addresses, people, the machine client, how to connect clients.
///
/// When the server is exposed, no password and no secret is shown: everybody on the network can read this page.
#[derive(Clone, Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// URL of the demonstration MCP server.
    pub demo_url: String,
    /// Ready-made people.
    pub people: Vec<PersonView>,
    /// Ready-made client for the client credentials grant.
    pub machine: Option<MachineClientView>,
    /// A command that works as it stands. Contains the machine client's secret.
    pub curl: String,
    /// What to paste where; see [`super::well_known_clients`].
    pub clients: Vec<ClientSnippet>,
    /// Name of the person whose browser session this is.
    pub signed_in_as: Option<String>,
    /// Whether the server listens beyond loopback.
    pub exposed: bool,
    /// Mode strip; see [`HomePage::notice`].
    pub mode_notice: Option<ModeNotice>,
}

/// A ready-made person.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// Login name.
    pub username: String,
    /// Name as shown.
    pub display_name: String,
    /// Password.
    pub password: String,
    /// Names of the tenants the person is a member of.
    pub tenants: Vec<String>,
    /// What the person may do, in a few words; may be empty.
    pub description: String,
}

/// A ready-made confidential client.
#[derive(Clone, Debug)]
pub struct MachineClientView {
    /// `client_id`
    pub client_id: String,
    /// `client_secret`
    pub client_secret: String,
    /// Scopes it may have, separated by spaces.
    pub scopes: String,
}

impl HomePage {
    /// The strip that belongs on the home page, which only dev mode has.
    pub fn notice(exposed: bool) -> Option<ModeNotice> {
        Some(ModeNotice { mode: Mode::Dev, exposed })
    }
}

impl Page for HomePage {}

//! Values that several pages show.

/// The mode strip above a page that is not a production page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeNotice {
    /// The mode that the server runs in.
    pub mode: Mode,
    /// Whether the server listens beyond loopback (`--expose`).
    pub exposed: bool,
}

/// A mode that says so on every page. `serve` is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `gatelet dev`
    Dev,
    /// `gatelet test`
    Test,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "Dev",
            Self::Test => "Test",
        }
    }

    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Self::Dev => "development",
            Self::Test => "automated tests",
        }
    }
}

/// An application as a person sees it.
#[derive(Clone, Debug)]
pub struct ClientView {
    /// `client_name`; the host of its client id document, or its `client_id`, when it gives none.
    pub name: String,
    /// Who stands behind that name.
    pub verification: Verification,
    /// `client_uri`, shown as text and never as a link: a stranger chose it.
    pub uri: Option<String>,
}

impl ClientView {
    /// Nobody but the application itself says that this is its name.
    pub(crate) fn name_is_claim(&self) -> bool {
        self.verification == Verification::SelfRegistered
    }
}

/// Who stands behind an application's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The operator of this server set it up.
    FirstParty,
    /// The owner of `host` published it in a client id document.
    Document {
        /// Host of the client id document's URL.
        host: String,
    },
    /// Nobody: it registered itself (RFC 7591), and its name is a claim.
    SelfRegistered,
}

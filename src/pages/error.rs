//! The page for every error that a person sees.

use askama::Template;

use super::text::filters;
use super::{ModeNotice, Page};

/// What is wrong, who can fix it, and how. Causes that are known have constructors in `error_causes`.
///
/// Errors that clients read as JSON or from a redirect are never shown here.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// HTTP status of the answer.
    pub status: u16,
    /// The error in a few words.
    pub title: String,
    /// What is wrong, in one or two sentences.
    pub what: String,
    /// Who can do something about it.
    pub who: WhoCanFix,
    /// What they do: one sentence, or steps in order.
    pub how: Vec<String>,
    /// Label and value of what a developer looks for: error code, parameter, specification. Values may come from the
    /// request; they are shown on one line and cut at 300 characters.
    pub technical: Vec<(&'static str, String)>,
    /// Id of the request, as it is in the log.
    pub request_id: String,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoCanFix {
    /// The person who reads the page.
    You,
    /// Who wrote or configured the application that sent the person here.
    ApplicationDeveloper,
    /// Who runs this server.
    ServerOperator,
}

impl WhoCanFix {
    fn heading(self) -> &'static str {
        match self {
            Self::You => "What you can do",
            Self::ApplicationDeveloper => "The application’s developer can fix this",
            Self::ServerOperator => "The operator of this server can fix this",
        }
    }
}

impl ErrorPage {
    /// An error page without technical details, request id and mode strip.
    pub fn new(status: u16, title: &str, what: &str, who: WhoCanFix, how: &[&str]) -> Self {
        Self {
            status,
            title: title.to_owned(),
            what: what.to_owned(),
            who,
            how: how.iter().map(|&step| step.to_owned()).collect(),
            technical: Vec::new(),
            request_id: String::new(),
            mode_notice: None,
        }
    }

    /// Adds a technical detail.
    #[must_use]
    pub fn technical(mut self, label: &'static str, value: &str) -> Self {
        self.technical.push((label, value.to_owned()));
        self
    }

    /// Adds what every handler knows: the request's id and the mode strip.
    #[must_use]
    pub fn within(mut self, request_id: &str, mode_notice: Option<ModeNotice>) -> Self {
        request_id.clone_into(&mut self.request_id);
        self.mode_notice = mode_notice;
        self
    }
}

impl Page for ErrorPage {
    fn status(&self) -> u16 {
        self.status
    }
}

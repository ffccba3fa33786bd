//! `[registration]`: clients that register themselves.

use super::check::Check;
use super::read::Example::Value;
use super::read::section;
use super::values::{Text, Texts};
use crate::protocol::{RegistrationMode, Scope, ScopeToken};

section! {
    /// Dynamic client registration (RFC 7591), by which MCP clients introduce themselves.
    RawRegistration {
        /// `open` for everybody (the default) or `off`.
        mode: Text = Value(r#""open""#),
        /// The most that self-registered clients can be given. Default: every scope that a resource knows.
        scopes: Texts = Value(r#"["notes:read", "notes:write"]"#),
    }
}

impl RawRegistration {
    /// Who may register, and the most that they can be given.
    pub(super) fn check(&self, check: &mut Check<'_>, known: &Scope) -> (RegistrationMode, Option<Scope>) {
        let modes = [("open", RegistrationMode::Open), ("off", RegistrationMode::Off)];
        let mode = check.word(&self.mode, &modes, RegistrationMode::Open);
        let scopes = check.each_parsed(&self.scopes, ScopeToken::parse);
        check.warn_of_unknown(&scopes, known);
        let scopes = self.scopes.is_some().then(|| scopes.into_iter().map(|written| written.value).collect());
        (mode, scopes)
    }
}

//! `introspection`: who may ask about tokens.

use std::net::SocketAddr;

use super::check::Check;
use super::server::RawConfig;
use crate::protocol::{IntrospectionMode, Issuer};

impl RawConfig {
    /// Who may introspect tokens. Whoever guesses or finds a token learns from the answer whose it is and what it is good
    /// for, so that everybody may ask only where everybody is on the same machine (RFC 7662 §4).
    pub(super) fn introspection(
        &self,
        check: &mut Check<'_>,
        issuer: Option<&Issuer>,
        listen: &[SocketAddr],
    ) -> IntrospectionMode {
        let modes = [("authenticated", IntrospectionMode::Authenticated), ("open", IntrospectionMode::Open)];
        let mode = check.word(&self.introspection, &modes, IntrospectionMode::default());
        let is_public = issuer.is_some_and(|issuer| !issuer.is_loopback())
            || listen.iter().any(|address| !address.ip().is_loopback());
        if let (IntrospectionMode::Open, true, Some(written)) = (mode, is_public, &self.introspection) {
            check.error(
                &written.place,
                "`open` lets everybody who reaches this server ask about tokens, so the issuer and every address in \
                 `listen` must be on loopback; for resource servers elsewhere, give them a client with `introspects`",
            );
        }
        mode
    }
}

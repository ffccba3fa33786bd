//! The operations, each of which is one request that writes. What an operator does is in `operator.rs`.

/// What a writer can do; `chain` is a place in [`Writer::chains`](crate::ledger::Writer::chains).
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// RFC 7591 §3.1, under a name of its own.
    Register {
        name: String,
        is_public: bool,
    },
    /// Says something else about itself, under this name.
    Replace {
        chain: usize,
        name: String,
    },
    /// Ends its registration.
    Delete {
        chain: usize,
    },
    /// An authorization request of a logged-in person, which is parked until they have decided.
    Ask {
        chain: usize,
        verifier: String,
    },
    Allow {
        chain: usize,
    },
    Deny {
        chain: usize,
    },
    /// RFC 6749 §4.1.3.
    Redeem {
        chain: usize,
    },
    /// RFC 6749 §6.
    Refresh {
        chain: usize,
    },
    /// Presents a spent code, which revokes its grant (RFC 9700 §4.5).
    ReplayCode {
        chain: usize,
    },
    /// Presents a refresh token older than the one before the live one, which revokes its grant (RFC 9700 §4.14.2).
    ReplayRefresh {
        chain: usize,
    },
    /// Gives a refresh token back, and so its grant (RFC 7009 §2.1).
    Revoke {
        chain: usize,
    },
    /// Gives an access token back, which goes alone.
    RevokeAccess {
        chain: usize,
    },
    LogIn,
    LogOut,
}

impl Operation {
    /// Its name in the report.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Replace { .. } => "replace client",
            Self::Delete { .. } => "delete client",
            Self::Ask { .. } => "authorize",
            Self::Allow { .. } => "allow",
            Self::Deny { .. } => "deny",
            Self::Redeem { .. } => "redeem",
            Self::Refresh { .. } => "refresh",
            Self::ReplayCode { .. } => "replay code",
            Self::ReplayRefresh { .. } => "replay refresh",
            Self::Revoke { .. } => "revoke grant",
            Self::RevokeAccess { .. } => "revoke access",
            Self::LogIn => "log in",
            Self::LogOut => "log out",
        }
    }

    /// The chain that it is about.
    pub(crate) fn chain(&self) -> Option<usize> {
        match self {
            Self::Register { .. } | Self::LogIn | Self::LogOut => None,
            Self::Replace { chain, .. }
            | Self::Delete { chain }
            | Self::Ask { chain, .. }
            | Self::Allow { chain }
            | Self::Deny { chain }
            | Self::Redeem { chain }
            | Self::Refresh { chain }
            | Self::ReplayCode { chain }
            | Self::ReplayRefresh { chain }
            | Self::Revoke { chain }
            | Self::RevokeAccess { chain } => Some(*chain),
        }
    }
}

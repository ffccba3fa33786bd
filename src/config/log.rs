//! `[log]`: what the server says while it runs.

use super::check::Check;
use super::read::Example::Value;
use super::read::section;
use super::values::Text;

section! {
    /// What the server writes to its standard error output.
    RawLog {
        /// `text` for people (the default) or `json` for machines, a line for each event.
        format: Text = Value(r#""text""#),
        /// `error`, `warn`, `info` (the default), `debug` or `trace`.
        level: Text = Value(r#""info""#),
    }
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// Which events are written: these and graver ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something should be looked at.
    Warn,
    /// What the server did.
    #[default]
    Info,
    /// Why it did so.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name, which is a filter of `tracing` too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What the server says while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// How events are written.
    pub format: LogFormat,
    /// Which are written.
    pub level: LogLevel,
}

impl RawLog {
    pub(super) fn check(&self, check: &mut Check<'_>) -> LogConfig {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let levels = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
        LogConfig {
            format: check.word(&self.format, &formats, LogFormat::default()),
            level: check.word(&self.level, &levels.map(|level| (level.as_str(), level)), LogLevel::default()),
        }
    }
}

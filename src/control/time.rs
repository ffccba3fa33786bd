//! The clock of an issuer, in a test's hands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::issuer::TestIssuer;
use crate::protocol::Timestamp;

/// What a clock shows.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClockView {
    /// The present, in seconds since 1970.
    pub now: i64,
    /// Whether it stands still.
    pub frozen: bool,
}

/// How a clock is set. What is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSetting {
    /// The present, in seconds since 1970.
    pub now: Option<i64>,
    /// Whether it is to stand still.
    pub frozen: Option<bool>,
}

/// How far a clock is moved.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// So many seconds, forward.
    pub(super) seconds: u64,
}

impl TestIssuer {
    /// What its clock shows.
    pub fn time(&self) -> ClockView {
        ClockView { now: self.clock().now().seconds(), frozen: self.clock().is_frozen() }
    }

    /// Sets its clock. What is due by then is done: expired rows go, keys rotate.
    pub async fn set_time(&self, setting: ClockSetting) -> ClockView {
        match setting.frozen {
            Some(true) => self.clock().freeze(),
            Some(false) => self.clock().thaw(),
            None => {}
        }
        if let Some(now) = setting.now {
            self.clock().set(Timestamp::from_seconds(now));
        }
        self.app().await.keep_house_once().await;
        self.time()
    }

    /// Moves its clock forward. What is due by then is done, as by [`TestIssuer::set_time`].
    pub async fn advance(&self, by: Duration) -> ClockView {
        self.clock().advance(by);
        self.app().await.keep_house_once().await;
        self.time()
    }
}

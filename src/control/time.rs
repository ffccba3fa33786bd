//! The clock of an issuer, in a test's hands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::Refused;
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

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// A moment that a clock can show.
pub(super) fn moment(seconds: i64) -> Result<Timestamp, Refused> {
    match seconds {
        0..=LAST => Ok(Timestamp::from_seconds(seconds)),
        _ => Err(Refused::invalid(format!("now: {seconds} is not between the years 1970 and 9999"))),
    }
}

impl TestIssuer {
    /// What its clock shows.
    pub fn time(&self) -> ClockView {
        ClockView { now: self.clock().now().seconds(), frozen: self.clock().is_frozen() }
    }

    /// Sets its clock. What is due by then is done: expired rows go, keys rotate.
    ///
    /// # Errors
    /// The time is before 1970 or after 9999.
    pub async fn set_time(&self, setting: ClockSetting) -> Result<ClockView, Refused> {
        let now = setting.now.map(moment).transpose()?;
        match setting.frozen {
            Some(true) => self.clock().freeze(),
            Some(false) => self.clock().thaw(),
            None => {}
        }
        if let Some(now) = now {
            self.clock().set(now);
        }
        self.app().keep_house_once().await;
        Ok(self.time())
    }

    /// Moves its clock forward. What is due by then is done, as by [`TestIssuer::set_time`].
    ///
    /// # Errors
    /// It would then be after 9999.
    pub async fn advance(&self, by: Duration) -> Result<ClockView, Refused> {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        moment(self.clock().now().seconds().saturating_add(seconds))?;
        self.clock().advance(by);
        self.app().keep_house_once().await;
        Ok(self.time())
    }
}

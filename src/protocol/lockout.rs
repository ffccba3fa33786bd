//! How long a login name rests after wrong passwords (OWASP ASVS 6.1.1, 6.3.1; RFC 6749 §10.10).
//!
//! Anybody can make a name rest by guessing (malicious lockout). So a rest is short and ends by itself, nobody who is
//! logged in notices it, and refresh tokens go on working.

use std::time::Duration;

/// How many wrong passwords in a row are answered before a name rests.
pub const FREE_FAILURES: u32 = 5;
/// The longest that a name rests. With [`FORGOTTEN_AFTER`] it leaves a guesser about a hundred guesses a day.
pub const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// How long after the last of them failures are forgotten; longer than any rest.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// How long a name rests after this many failures in a row: one second after the fifth, twice as long after each more.
pub fn rest(failures: u32) -> Duration {
    let Some(beyond) = failures.checked_sub(FREE_FAILURES) else { return Duration::ZERO };
    let seconds = 1u64.checked_shl(beyond).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_grows_from_a_second_to_a_quarter_of_an_hour() {
        let table = [
            (0, 0),
            (4, 0),
            (5, 1),
            (6, 2),
            (7, 4),
            (14, 512),
            (15, 900),
            (68, 900),
            (69, 900),
            (u32::MAX, 900),
        ];
        for (failures, seconds) in table {
            assert_eq!(rest(failures).as_secs(), seconds, "{failures}");
        }
        assert!(FORGOTTEN_AFTER > LONGEST_REST, "else waiting it out would make the next guesses free");
    }

    #[test]
    fn a_patient_guesser_has_some_hundred_guesses_a_day() {
        // By going on as soon as it is possible, and by waiting until all is forgotten.
        let (mut now, mut guesses) = (0, 0);
        while now < 86_400 {
            guesses += 1;
            now += rest(guesses).as_secs();
        }
        assert!(guesses < 120, "{guesses}");
        assert_eq!(u64::from(FREE_FAILURES) * 86_400 / FORGOTTEN_AFTER.as_secs(), 120);
    }
}

//! Durations as people write them: `90s`, `15m`, `1h30m`, `30d`.

use std::time::Duration;

/// Units from the longest to the shortest, with their seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a duration as a number and a unit of d, h, m or s, such as `15m`, `1h30m` or `30d`")]
pub struct MalformedDuration;

/// Reads numbers with units, from the longest unit to the shortest, each at most once.
///
/// # Errors
/// The text is no duration.
pub fn parse(text: &str) -> Result<Duration, MalformedDuration> {
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut seconds: u64 = 0;
    if rest.is_empty() {
        return Err(MalformedDuration);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| MalformedDuration)?;
        let unit = rest[digits..].chars().next().ok_or(MalformedDuration)?;
        let (_, length) = units.find(|(name, _)| *name == unit).ok_or(MalformedDuration)?;
        seconds = number
            .checked_mul(*length)
            .and_then(|more| seconds.checked_add(more))
            .ok_or(MalformedDuration)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    Ok(Duration::from_secs(seconds))
}

/// Writes a duration as [`parse`] reads it.
pub(super) fn print(duration: Duration) -> String {
    let mut seconds = duration.as_secs();
    let mut text = String::new();
    for (name, length) in UNITS {
        if seconds >= length {
            text.push_str(&format!("{}{name}", seconds / length));
            seconds %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, seconds, printed) in [
            ("90s", 90, "1m30s"),
            ("15m", 900, "15m"),
            ("1h30m", 5_400, "1h30m"),
            ("30d", 2_592_000, "30d"),
            ("0s", 0, "0s"),
            (" 24h ", 86_400, "1d"),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration.as_secs(), seconds, "{text}");
            assert_eq!(print(duration), printed);
            assert_eq!(parse(printed), Ok(duration));
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in
            ["", "15", "m", "15 m", "-1s", "1m1h", "1m1m", "1.5h", "15min", "99999999999999999999d", "1µ"]
        {
            assert_eq!(parse(text), Err(MalformedDuration), "{text}");
        }
        assert_eq!(parse(&format!("{}d", u64::MAX)), Err(MalformedDuration));
    }
}

//! How text that somebody else chose is shown.
//!
//! Escaping stops markup; it does not stop a name from posing as something else. A right-to-left override turns
//! `moc.elgoog` into `google.com`, a line break makes a second sentence, an invisible character makes two names look
//! alike. So every shown text loses what cannot be seen, and is cut at a length that leaves the page in order.
//! The templates put each one in a `<bdi>` as well, so that its direction ends where it ends.

/// Longest name shown, in characters.
pub(crate) const NAME_CHARS: usize = 80;
/// Longest line (address, scope, parameter value) shown, in characters.
pub(crate) const LINE_CHARS: usize = 300;

/// `text` on one line, without characters that are invisible or change direction, at most `limit` characters long;
/// what is cut off becomes `…`.
///
/// A direction control becomes `\u{FFFD}`, so that the attempt can be seen; white space of any kind becomes one space.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut space = false;
    for c in text.chars().filter_map(visible) {
        if c == ' ' {
            space = count > 0;
            continue;
        }
        if count + usize::from(space) >= limit {
            out.push('…');
            break;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
            count += 1;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// A host as [`shown`], its end kept when it is too long: the end says whose it is, and the start may say
/// `accounts.google.com.` in anybody's domain.
pub(crate) fn shown_host(host: &str) -> String {
    let clean = shown(host, usize::MAX);
    match clean.char_indices().nth_back(NAME_CHARS - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &clean[at..]),
        _ => clean,
    }
}

fn visible(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() => Some(' '),
        // Direction overrides, embeddings, isolates and marks (UAX #9).
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some('\u{FFFD}')
        }
        c if c.is_control() => Some('\u{FFFD}'),
        // Invisible: soft hyphen, fillers, zero-width space, word joiner and friends, BOM, annotation, tags.
        // The joiners U+200C and U+200D stay: Persian, Hindi and many emoji are written with them.
        '\u{00AD}'
        | '\u{034F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206A}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}' => None,
        c => Some(c),
    }
}

/// Under which name [`super::Page::html`] tells [`filters::here`] the path of the public URL.
pub(crate) const BASE: &str = "base";

/// The filters that templates know: `|name`, `|line` and `|host` for what somebody else chose, `|here` for an address of
/// our own.
#[expect(unreachable_pub, reason = "the macro writes `pub` into what it makes")]
pub(crate) mod filters {
    use super::{BASE, LINE_CHARS, NAME_CHARS, shown, shown_host};

    #[askama::filter_fn]
    pub(crate) fn name(text: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(shown(text, NAME_CHARS))
    }

    #[askama::filter_fn]
    pub(crate) fn line(text: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(shown(text, LINE_CHARS))
    }

    #[askama::filter_fn]
    pub(crate) fn host(text: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(shown_host(text))
    }

    #[askama::filter_fn]
    pub(crate) fn here(path: &str, values: &dyn askama::Values) -> askama::Result<String> {
        Ok(format!("{}{path}", askama::get_value::<String>(values, BASE)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_override_is_made_visible() {
        assert_eq!(shown("moc.elgoog\u{202E}", 80), "moc.elgoog\u{FFFD}");
    }

    #[test]
    fn line_breaks_and_runs_of_space_become_one_space() {
        assert_eq!(shown("  one\r\n\ttwo\u{2003} three ", 80), "one two three");
    }

    #[test]
    fn invisible_characters_disappear_and_joined_emoji_stay() {
        assert_eq!(shown("Cla\u{200B}ude\u{FEFF} 👩\u{200D}💻", 80), "Claude 👩\u{200D}💻");
    }

    #[test]
    fn a_long_name_is_cut_at_the_limit() {
        assert_eq!(shown("abcdef", 6), "abcdef");
        assert_eq!(shown("abcdefg", 6), "abcdef…");
        assert_eq!(shown("abcde fg", 6), "abcde…");
    }

    #[test]
    fn a_long_host_keeps_its_end() {
        let host = format!("{}evil.example", "accounts.google.com.".repeat(12));
        let text = shown_host(&host);
        assert!(text.starts_with('…') && text.ends_with(".evil.example"));
        assert_eq!(text.chars().count(), NAME_CHARS + 1);
        assert_eq!(shown_host("claude.ai"), "claude.ai");
    }
}

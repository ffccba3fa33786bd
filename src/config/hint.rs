//! What somebody may have meant who wrote a name that does not exist.

use super::read::Key;

/// How alike two names must be for one to be offered for the other.
const ALIKE: f64 = 0.8;

/// The name among `known` that is most like `name`.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// What to say of a key that its section does not have.
pub(super) fn unknown_key(name: &str, keys: &[Key]) -> String {
    if keys.iter().any(|key| key.name.strip_suffix("_file") == Some(name)) {
        return secret_in_file(name);
    }
    match nearest(name, keys.iter().map(|key| key.name)) {
        Some(meant) => format!("unknown key; did you mean `{meant}`?"),
        None => {
            let known: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
            format!("unknown key; known here: {}", known.join(", "))
        }
    }
}

/// What to say of a secret that is written where it must not be.
pub(super) fn secret_in_file(name: &str) -> String {
    format!("a secret is not written in this file; use `{name}_file` or `{name}_command`")
}

//! Notes in memory, separate for each tenant.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Notes of one tenant.
const MAX_NOTES: usize = 50;
/// Longest title, in bytes.
const MAX_TITLE: usize = 100;
/// Longest text, in bytes.
const MAX_TEXT: usize = 4000;

/// The notes of all tenants; whoever has no tenant shares those of "no tenant".
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<HashMap<Option<String>, BTreeMap<String, String>>>);

impl Notes {
    fn of<T>(&self, tenant: Option<&str>, look: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(all.entry(tenant.map(str::to_owned)).or_insert_with(|| {
            let text = "This note was here before you. Ask for mcp:write to add your own.";
            BTreeMap::from([("welcome".to_owned(), text.to_owned())])
        }))
    }

    pub(super) fn titles(&self, tenant: Option<&str>) -> Vec<String> {
        self.of(tenant, |notes| notes.keys().cloned().collect())
    }

    pub(super) fn read(&self, tenant: Option<&str>, title: &str) -> Option<String> {
        self.of(tenant, |notes| notes.get(title).cloned())
    }

    /// Erases every note; the answer is how many there were.
    pub(super) fn erase(&self, tenant: Option<&str>) -> usize {
        self.of(tenant, |notes| std::mem::take(notes).len())
    }

    /// Writes a note over one of the same title, or says which limit is in the way.
    pub(super) fn write(
        &self,
        tenant: Option<&str>,
        title: String,
        text: String,
    ) -> Result<(), &'static str> {
        if title.is_empty() || title.len() > MAX_TITLE {
            return Err("a title has 1 to 100 bytes");
        }
        if text.len() > MAX_TEXT {
            return Err("a note has at most 4000 bytes");
        }
        self.of(tenant, |notes| {
            if notes.len() >= MAX_NOTES && !notes.contains_key(&title) {
                return Err("there are 50 notes already; write over one of them");
            }
            notes.insert(title, text);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_do_not_see_each_others_notes() {
        let notes = Notes::default();
        notes.write(Some("acme"), "plan".to_owned(), "secret".to_owned()).unwrap();
        assert_eq!(notes.titles(Some("acme")), ["plan", "welcome"]);
        assert_eq!(notes.titles(Some("globex")), ["welcome"]);
        assert_eq!(notes.read(None, "plan"), None);
    }

    #[test]
    fn notes_are_bounded_in_number_and_size() {
        let notes = Notes::default();
        let write = |title: String, length: usize| notes.write(None, title, "x".repeat(length));
        assert!(write(String::new(), 1).is_err());
        assert!(write("x".repeat(101), 1).is_err());
        assert!(write("long".to_owned(), 4001).is_err());
        for n in 1..50 {
            write(n.to_string(), 4000).unwrap();
        }
        assert!(write("one more".to_owned(), 1).is_err());
        write("welcome".to_owned(), 1).unwrap();
    }
}

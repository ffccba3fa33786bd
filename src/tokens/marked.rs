//! Tokens of test mode.

use serde::Serialize;

use crate::protocol::TEST_MARK;

/// Claims with the mark of test mode beside them.
#[derive(Debug, Serialize)]
pub struct Marked<'a, C> {
    #[serde(flatten)]
    claims: &'a C,
    #[serde(flatten)]
    mark: Mark,
}

impl<'a, C: Serialize> Marked<'a, C> {
    /// Marks them.
    pub fn new(claims: &'a C) -> Self {
        Self { claims, mark: Mark }
    }
}

#[derive(Debug)]
struct Mark;

impl Serialize for Mark {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(TEST_MARK, true)])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tokens::sample::full_claims;

    #[test]
    fn the_mark_is_beside_the_claims_and_changes_none() {
        let plain = serde_json::to_value(full_claims()).unwrap();
        let mut marked = serde_json::to_value(Marked::new(&full_claims())).unwrap();
        let mark = marked.as_object_mut().unwrap().remove("gatelet_test");
        assert_eq!((marked, mark), (plain, Some(Value::Bool(true))));
        assert_eq!(serde_json::to_value(Marked::new(&json!({}))).unwrap(), json!({"gatelet_test": true}));
    }
}

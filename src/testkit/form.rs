//! Forms, filled in as a person does.

use std::collections::BTreeMap;

use super::http;

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes: the `action`, or nothing for the page's own address.
    pub(super) action: String,
    pub(super) is_post: bool,
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Hidden or to be typed: always sent.
    Text,
    /// To be ticked: sent when it is.
    Checkbox { ticked: bool },
    /// To be chosen: sent when it is.
    Radio { chosen: bool },
    /// Sent when it is what submits the form.
    Button,
}

impl Form {
    /// Reads a control from its attributes; nothing is what sends nothing.
    pub(super) fn control(element: &str, attributes: &BTreeMap<String, String>) -> Option<Field> {
        let get = |name: &str| attributes.get(name).map(String::as_str);
        if get("disabled").is_some() {
            return None;
        }
        let checked = get("checked").is_some();
        let kind = match (element, get("type").unwrap_or_default()) {
            ("button", _) | ("input", "submit") => Kind::Button,
            ("input", "checkbox") => Kind::Checkbox { ticked: checked },
            ("input", "radio") => Kind::Radio { chosen: checked },
            ("input", _) => Kind::Text,
            _ => return None,
        };
        let silent = if matches!(kind, Kind::Checkbox { .. } | Kind::Radio { .. }) { "on" } else { "" };
        let value = get("value").unwrap_or(silent).to_owned();
        Some(Field { name: get("name")?.to_owned(), value, kind })
    }

    /// Whether it has a field or button of this name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// The value of the first field of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    /// The values that can be ticked or chosen under this name, and whether each is.
    pub fn options(&self, name: &str) -> Vec<(&str, bool)> {
        let named = self.fields.iter().filter(|field| field.name == name);
        named
            .filter_map(|field| match field.kind {
                Kind::Checkbox { ticked: on } | Kind::Radio { chosen: on } => {
                    Some((field.value.as_str(), on))
                }
                Kind::Text | Kind::Button => None,
            })
            .collect()
    }

    /// Types into a field. A hidden one can be overwritten too: that is what an attacker does.
    ///
    /// # Panics
    /// When there is no such field.
    pub fn fill(mut self, name: &str, text: &str) -> Self {
        let field = self.fields.iter_mut().find(|field| field.name == name && field.kind == Kind::Text);
        let Some(field) = field else { panic!("the form has no field `{name}`: {:?}", self.fields) };
        text.clone_into(&mut field.value);
        self
    }

    /// Adds a field that the page does not have: that is what an attacker does, too.
    pub fn forge(mut self, name: &str, value: &str) -> Self {
        self.fields.push(Field { name: name.to_owned(), value: value.to_owned(), kind: Kind::Text });
        self
    }

    /// Ticks the boxes with this value, or with this as the last word of their value: a scope at every resource.
    ///
    /// # Panics
    /// When there is no such box.
    pub fn tick(self, value: &str) -> Self {
        self.set_tick(value, true)
    }

    /// Takes the tick away from the boxes with this value, or with this as the last word of their value: from a scope
    /// at every resource.
    ///
    /// # Panics
    /// When there is no such box.
    pub fn untick(self, value: &str) -> Self {
        self.set_tick(value, false)
    }

    fn set_tick(mut self, value: &str, ticked: bool) -> Self {
        let is_meant = |field: &Field| {
            field.value == value || field.value.rsplit_once(' ').is_some_and(|(_, word)| word == value)
        };
        let mut found = false;
        for field in self.fields.iter_mut().filter(|field| is_meant(field)) {
            if let Kind::Checkbox { ticked: box_ticked } = &mut field.kind {
                (*box_ticked, found) = (ticked, true);
            }
        }
        assert!(found, "the form has no box `{value}`: {:?}", self.fields);
        self
    }

    /// Chooses one of several.
    ///
    /// # Panics
    /// When there is no such choice.
    pub fn choose(mut self, name: &str, value: &str) -> Self {
        let mut found = false;
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            if let Kind::Radio { chosen } = &mut field.kind {
                *chosen = field.value == value;
                found |= *chosen;
            }
        }
        assert!(found, "the form has no choice `{name}` = `{value}`: {:?}", self.fields);
        self
    }

    /// What is sent when it is submitted by `button` (name and value), or by no button in particular.
    pub(super) fn encoded(&self, button: Option<(&str, &str)>) -> String {
        let sent = self.fields.iter().filter(|field| match field.kind {
            Kind::Text | Kind::Checkbox { ticked: true } | Kind::Radio { chosen: true } => true,
            Kind::Checkbox { .. } | Kind::Radio { .. } => false,
            Kind::Button => button == Some((&field.name, &field.value)),
        });
        http::form_encoded(sent.map(|field| (&field.name, &field.value)))
    }

    pub(super) fn has_button(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|f| f.kind == Kind::Button && f.name == name && f.value == value)
    }
}

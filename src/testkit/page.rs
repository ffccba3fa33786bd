//! A page as a browser holds it.

use std::collections::BTreeMap;

use html5gum::{Token, Tokenizer};
use reqwest::header::{HeaderMap, HeaderName};

use super::form::Form;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it is, after redirects.
    pub url: String,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its markup.
    pub html: String,
    content: Content,
}

/// What a person sees of a page.
#[derive(Clone, Debug, Default)]
struct Content {
    title: String,
    heading: String,
    text: String,
    links: Vec<(String, String)>,
    forms: Vec<Form>,
}

impl Page {
    pub(super) fn new(url: String, status: u16, headers: HeaderMap, html: String) -> Self {
        let content = Content::read(&html);
        Self { url, status, headers, html, content }
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.content.title
    }

    /// Its main heading.
    pub fn heading(&self) -> &str {
        &self.content.heading
    }

    /// Everything written on it, white space made one space.
    pub fn text(&self) -> &str {
        &self.content.text
    }

    /// The address of the link with this text.
    ///
    /// # Panics
    /// When there is none.
    pub fn link(&self, text: &str) -> &str {
        let found = self.content.links.iter().find(|(words, _)| words == text);
        found.map_or_else(|| panic!("no link `{text}`: {self:#?}"), |(_, href)| href)
    }

    /// A header, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        self.headers.get(&name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Its forms.
    pub fn forms(&self) -> &[Form] {
        &self.content.forms
    }

    /// Whether it has a form with this field or button.
    pub fn has_form_with(&self, field: &str) -> bool {
        self.forms().iter().any(|form| form.has(field))
    }

    /// The form with this field or button.
    ///
    /// # Panics
    /// When there is none.
    pub fn form_with(&self, field: &str) -> Form {
        let found = self.forms().iter().find(|form| form.has(field)).cloned();
        found.unwrap_or_else(|| {
            panic!("{} is \"{}\" ({}) and has no form with `{field}`", self.url, self.title(), self.status)
        })
    }
}

impl Content {
    fn read(html: &str) -> Self {
        let (mut content, mut open) = (Self::default(), Vec::<String>::new());
        for Ok(token) in Tokenizer::new(html) {
            match token {
                Token::StartTag(tag) => {
                    let name = text(&tag.name);
                    let attributes =
                        tag.attributes.iter().map(|(name, value)| (text(name), text(&value.value))).collect();
                    content.open(&name, &attributes);
                    if !matches!(name.as_str(), "img" | "input" | "link" | "meta" | "br") {
                        open.push(name);
                    }
                }
                Token::EndTag(tag) => {
                    let name = text(&tag.name);
                    if let Some(at) = open.iter().rposition(|open| *open == name) {
                        open.truncate(at);
                    }
                }
                Token::String(part) => content.write(&text(&part.value), &open),
                _ => {}
            }
        }
        for words in [&mut content.title, &mut content.heading, &mut content.text] {
            *words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        content
    }

    fn open(&mut self, element: &str, attributes: &BTreeMap<String, String>) {
        let get = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        if element == "form" {
            let is_post = get("method").eq_ignore_ascii_case("post");
            self.forms.push(Form { action: get("action"), is_post, fields: Vec::new() });
        } else if element == "a" {
            self.links.push((String::new(), get("href")));
        } else if let (Some(form), Some(field)) = (self.forms.last_mut(), Form::control(element, attributes))
        {
            form.fields.push(field);
        }
    }

    fn write(&mut self, words: &str, open: &[String]) {
        let inside = |element: &str| open.iter().any(|open| open == element);
        if inside("title") {
            self.title.push_str(words);
            return;
        }
        if inside("h1") {
            self.heading.push_str(words);
        }
        if let (true, Some((link, _))) = (inside("a"), self.links.last_mut()) {
            link.push_str(words);
        }
        self.text.push_str(words);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! What commands print: aligned tables for people, JSON for scripts, from one description of each thing.

use std::io::{IsTerminal as _, Write as _};

use serde_json::{Map, Value, json};

use crate::protocol::{Attributes, Timestamp};

/// One member of a thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its name in JSON, and with spaces the heading of its column.
    pub(super) name: &'static str,
    /// What it says, for the documentation.
    pub(super) about: &'static str,
    /// Whether tables of many things show it.
    pub(super) is_listed: bool,
}

/// Makes a field that tables show.
pub(super) const fn listed(name: &'static str, about: &'static str) -> Field {
    Field { name, about, is_listed: true }
}

/// Makes a field that is shown of one thing alone.
pub(super) const fn detail(name: &'static str, about: &'static str) -> Field {
    Field { name, about, is_listed: false }
}

/// What a kind of thing consists of.
#[derive(Debug)]
pub(super) struct Shape<const N: usize> {
    /// The word for many of them, which is their member in JSON.
    pub(super) many: &'static str,
    /// Its members.
    pub(super) fields: [Field; N],
}

/// The value of a member: for a table, and for JSON.
pub(super) struct Cell {
    shown: String,
    json: Value,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { shown: text.clone(), json: Value::String(text) }
    }

    pub(super) fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or_else(Self::nothing, Self::text)
    }

    pub(super) fn nothing() -> Self {
        Self { shown: "-".to_owned(), json: Value::Null }
    }

    pub(super) fn time(at: Option<Timestamp>) -> Self {
        Self::optional(at.map(Timestamp::to_rfc3339))
    }

    pub(super) fn yes(is: bool) -> Self {
        Self { shown: if is { "yes" } else { "no" }.to_owned(), json: Value::Bool(is) }
    }

    pub(super) fn number(number: Option<u64>) -> Self {
        number.map_or_else(Self::nothing, |number| Self::of(number.to_string(), number.into()))
    }

    pub(super) fn list(items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let items: Vec<String> = items.into_iter().map(Into::into).collect();
        let shown = if items.is_empty() { "-".to_owned() } else { items.join(" ") };
        Self { shown, json: Value::from(items) }
    }

    /// What a table shows.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// What JSON says.
    pub(super) fn json(self) -> Value {
        self.json
    }

    /// A value that has its own form in JSON.
    pub(super) fn of(shown: impl Into<String>, json: Value) -> Self {
        let shown = shown.into();
        Self { shown: if shown.is_empty() { "-".to_owned() } else { shown }, json }
    }
}

/// Attributes: an object, and for people each with its value.
pub(super) fn attributes(attributes: &Attributes) -> Cell {
    let object: Map<String, Value> =
        attributes.iter().map(|(name, value)| (name.to_string(), value.into())).collect();
    let shown = object.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}:={value}"),
    });
    Cell::of(shown.collect::<Vec<_>>().join(" "), Value::Object(object))
}

/// What a command has to say.
pub(super) struct Output {
    /// For people.
    text: String,
    /// For scripts.
    json: Value,
    /// For people, beside the output proper.
    note: Option<String>,
    /// How wide the names of members stand, for those that are added.
    width: usize,
}

impl Output {
    /// One thing.
    pub(super) fn one<const N: usize>(shape: &Shape<N>, cells: [Cell; N]) -> Self {
        let width = shape.fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
        let lines = shape.fields.iter().zip(&cells).map(|(field, cell)| {
            format!("{:width$}  {}\n", field.name.replace('_', " "), visible(&cell.shown))
        });
        Self { text: lines.collect(), json: object(shape, cells), note: None, width }
    }

    /// Many things. `next` is where the list goes on, when it does.
    pub(super) fn many<const N: usize>(
        shape: &Shape<N>,
        rows: impl IntoIterator<Item = [Cell; N]>,
        next: Option<String>,
    ) -> Self {
        let rows: Vec<[Cell; N]> = rows.into_iter().collect();
        let text = table(shape, &rows);
        let note = next.as_ref().map(|next| format!("there are more: --after {}", visible(next)));
        let items: Vec<Value> = rows.into_iter().map(|cells| object(shape, cells)).collect();
        Self { text, json: json!({ shape.many: items, "next": next }), note, width: 0 }
    }

    /// A sentence that says what was done, and the same as an object.
    pub(super) fn done(sentence: impl Into<String>, json: Value) -> Self {
        Self { text: format!("{}\n", visible(&sentence.into())), json, note: None, width: 0 }
    }

    /// Several lines, which mean an object.
    pub(super) fn lines(lines: Vec<String>, json: Value) -> Self {
        Self { text: lines.iter().map(|line| visible(line) + "\n").collect(), json, note: None, width: 0 }
    }

    /// One thing on one line, without headings: for what comes bit by bit.
    pub(super) fn line<const N: usize>(shape: &Shape<N>, cells: [Cell; N]) -> Self {
        let listed = shape.fields.iter().zip(&cells).filter(|(field, _)| field.is_listed);
        let words: Vec<String> = listed.map(|(_, cell)| visible(&cell.shown)).collect();
        Self { text: words.join("  ") + "\n", json: object(shape, cells), note: None, width: 0 }
    }

    /// Says something else to people, and all of it to scripts.
    pub(super) fn with_text(self, text: String) -> Self {
        Self { text: text + "\n", ..self }
    }

    /// Adds a member that only one thing has, and no list.
    pub(super) fn with(mut self, name: &'static str, cell: Cell) -> Self {
        let width = self.width;
        self.text.push_str(&format!("{:width$}  {}\n", name.replace('_', " "), visible(&cell.shown)));
        self.insert(name, cell.json);
        self
    }

    fn insert(&mut self, name: &'static str, value: Value) {
        if let Value::Object(members) = &mut self.json {
            members.insert(name.to_owned(), value);
        }
    }

    /// Adds what is told this once: a secret that was just made.
    pub(super) fn with_secret(mut self, name: &'static str, secret: &str) -> Self {
        let width = self.width;
        self.text.push_str(&format!("{:width$}  {secret}\n", name.replace('_', " ")));
        self.insert(name, Value::String(secret.to_owned()));
        self.note = Some(format!("the {} is shown this once; only its hash is kept", name.replace('_', " ")));
        self
    }

    /// Prints it on one line; whether somebody still reads.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(super) fn print_line(&self, as_json: bool) -> std::io::Result<bool> {
        let line = if as_json { json_text(&self.json, false) + "\n" } else { self.text.clone() };
        let mut out = std::io::stdout().lock();
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// Prints it.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(super) fn print(&self, as_json: bool) -> std::io::Result<()> {
        if as_json {
            return print(&(json_text(&self.json, true) + "\n"));
        }
        print(&self.text)?;
        if let Some(note) = &self.note {
            eprintln!("{note}");
        }
        Ok(())
    }
}

/// Writes to standard output. Whoever closed it has read enough.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// JSON in which no character can command a terminal: what JSON itself lets stand is escaped too.
pub(super) fn json_text(value: &Value, pretty: bool) -> String {
    let text = if pretty { format!("{value:#}") } else { value.to_string() };
    // Line feeds are the layout's: inside of strings they are escaped.
    let escaped = |c: char| c != '\n' && commands(c);
    let parts = text.chars().map(|c| match escaped(c) {
        true => {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
        false => c.to_string(),
    });
    parts.collect()
}

fn object<const N: usize>(shape: &Shape<N>, cells: [Cell; N]) -> Value {
    let members = shape.fields.iter().zip(cells).map(|(field, cell)| (field.name.to_owned(), cell.json));
    Value::Object(members.collect::<Map<_, _>>())
}

fn table<const N: usize>(shape: &Shape<N>, rows: &[[Cell; N]]) -> String {
    let columns: Vec<usize> = (0..N).filter(|i| shape.fields[*i].is_listed).collect();
    let head: Vec<String> =
        columns.iter().map(|i| shape.fields[*i].name.replace('_', " ").to_uppercase()).collect();
    let body: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|i| visible(&row[*i].shown)).collect()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&head).chain(&body).map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: String =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        padded.trim_end().to_owned()
    };
    let bold = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = if bold { format!("\x1b[1m{}\x1b[0m\n", line(&head)) } else { line(&head) + "\n" };
    for cells in &body {
        text.push_str(&line(cells));
        text.push('\n');
    }
    text
}

/// A text in which nothing commands the terminal or hides: names of clients are chosen by strangers.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if commands(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Control characters, and those that turn the direction of a text or have no width.
fn commands(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape<3> = Shape {
        many: "things",
        fields: [listed("id", "which"), detail("made_at", "when"), listed("display_name", "what")],
    };

    fn cells(id: &str, name: &str) -> [Cell; 3] {
        [Cell::text(id), Cell::time(Some(Timestamp::from_seconds(0))), Cell::text(name)]
    }

    #[test]
    fn a_table_is_aligned_and_shows_what_is_listed() {
        let out = Output::many(&SHAPE, [cells("a", "Änne"), cells("longer", "B")], None);
        assert_eq!(out.text, "ID      DISPLAY NAME\na       Änne\nlonger  B\n");
        assert_eq!(out.json["things"][0]["made_at"], "1970-01-01T00:00:00Z");
        assert_eq!(out.json["next"], Value::Null);
    }

    #[test]
    fn one_thing_is_shown_with_all_its_members() {
        let out = Output::one(&SHAPE, cells("a", "A")).with("key_id", Cell::text("k"));
        assert_eq!(
            out.text,
            "id            a\nmade at       1970-01-01T00:00:00Z\ndisplay name  A\nkey id        k\n"
        );
    }

    #[test]
    fn nothing_that_a_stranger_chose_commands_the_terminal() {
        let hostile = "a\x1b[2J\r\n\u{9b}31m\u{202e}b\u{200b}";
        for out in
            [Output::many(&SHAPE, [cells("a", hostile)], None), Output::one(&SHAPE, cells("a", hostile))]
        {
            let lines = out.text.lines().count();
            assert!(!out.text.replace('\n', "").chars().any(commands), "{:?}", out.text);
            assert!(out.text.contains(r"\u{1b}[2J\u{d}\u{a}\u{9b}31m\u{202e}b"), "{}", out.text);
            assert!(lines <= 3);
            let text = json_text(&out.json, true);
            assert!(!text.replace('\n', "").chars().any(commands), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), out.json, "it still means the same");
        }
    }
}

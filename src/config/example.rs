//! `gatelet config example`: the keys, in the words that document them.

use super::read::{Example, Key, Kind, Section, SectionKeys};
use super::server::RawConfig;

/// Lines that begin with `# ` are words; lines that begin with `#` alone are configuration to take over.
const PREFACE: &str = "\
# Every key can be left out unless it says otherwise. Lines that begin with `#` and no space are configuration: take
# the `#` away. A variable of the environment stands above the key of the same name: GATELET_PUBLIC_URL above
# public_url, GATELET_LOG__LEVEL above level in [log], GATELET_CLIENTS__0__ID above id of the first of [[clients]] (or
# makes that). Lists of texts are written with commas between them. Unknown keys and variables are errors.
# `gatelet config check` tells what is wrong.
";

/// A complete configuration file in comments, from the keys as they are declared.
pub fn example() -> String {
    let mut text = String::new();
    words(&mut text, RawConfig::KEYS.about);
    text.push_str("#\n");
    text.push_str(PREFACE);
    keys(&mut text, RawConfig::KEYS.keys);
    for key in RawConfig::KEYS.keys {
        match key.kind {
            Kind::Table(section) if matches!(key.example, Example::Section) => {
                part(&mut text, &format!("[{}]", key.name), section);
            }
            Kind::Tables(section) if matches!(key.example, Example::Section) => {
                part(&mut text, &format!("[[{}]]", key.name), section);
            }
            _ => {}
        }
    }
    text
}

fn part(text: &mut String, header: &str, section: &SectionKeys) {
    text.push_str("\n\n");
    words(text, section.about);
    text.push_str(&format!("#{header}\n"));
    keys(text, section.keys);
}

fn keys(text: &mut String, keys: &[Key]) {
    for key in keys.iter().filter(|key| !matches!(key.example, Example::Section)) {
        text.push('\n');
        words(text, key.doc);
        if let Kind::Tables(inner) = key.kind {
            for key in inner.keys {
                text.push_str(&format!("#   {}: {}\n", key.name, joined(key.doc)));
            }
        }
        match key.example {
            Example::Value(value) => {
                for line in format!("{} = {value}", key.name).lines() {
                    // An indented line of a value must not look like words.
                    text.push_str(&format!("#{}\n", line.trim_start()));
                }
            }
            Example::Instead(value) => text.push_str(&format!("# Or: {} = {value}\n", key.name)),
            Example::Section | Example::Words => {}
        }
    }
}

fn words(text: &mut String, lines: &[&str]) {
    for line in lines {
        text.push_str(&format!("#{line}\n"));
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

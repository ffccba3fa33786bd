//! `docs/requirements.md` names a test for every requirement, `docs/threats.md` one for every attack. They are there, and
//! what is to cite a section does.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

#[test]
fn every_requirement_has_a_test_that_cites_its_section() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = functions(root);
    let page = read_to_string(root.join("docs/requirements.md")).unwrap();
    let mut missing = Vec::new();
    let mut count = 0;
    for (section, requirement, test) in rows(&page) {
        count += 1;
        match functions.get(test) {
            None => missing.push(format!("{test} is no test; it is to show: {section} {requirement}")),
            Some(texts) if !texts.iter().any(|text| cites(text, section)) => {
                missing.push(format!("{test} does not cite {section}: {requirement}"));
            }
            Some(_) => {}
        }
    }
    assert!(count > 100, "the page was not read: {count} rows");
    assert!(missing.is_empty(), "{} of {count}:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn every_attack_is_stopped_somewhere_and_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = functions(root);
    let page = read_to_string(root.join("docs/threats.md")).unwrap();
    let mut missing = Vec::new();
    let mut count = 0;
    for (attack, place, test) in rows(&page) {
        count += 1;
        if !functions.contains_key(test) {
            missing.push(format!("{test} is no test: {attack}"));
        }
        for file in place.split('`').filter(|word| word.ends_with(".rs")) {
            if !root.join("src").join(file).is_file() {
                missing.push(format!("{file} is no file: {attack}"));
            }
        }
    }
    assert!(count > 50, "the page was not read: {count} rows");
    assert!(missing.is_empty(), "{} of {count}:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn a_section_is_cited_by_its_whole_number() {
    let text = "// RFC 9700 §4.14.2, §2.3; OAuth 2.1 §7.9\n// Client ID Metadata Documents §4";
    for section in ["RFC 9700 §4.14.2", "RFC 9700 §2.3", "OAuth 2.1 §7.9", "Client ID Metadata Documents §4"]
    {
        assert!(cites(text, section), "{section}");
    }
    for section in [
        "RFC 9700 §4.14",
        "RFC 9700 §7.9",
        "OAuth 2.1 §7",
        "Client ID Metadata Documents §4.1",
        "RFC 970 §2.3",
    ] {
        assert!(!cites(text, section), "{section}");
    }
}

/// Section, requirement and test of each line of each table.
fn rows(page: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    page.lines().filter(|line| line.ends_with("` |")).filter_map(|line| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        Some((cells.next()?, cells.next()?, cells.next()?.trim_matches('`')))
    })
}

/// Whether a comment cites `section`, such as `RFC 9700 §2.1`; what follows `§` may be one of a list after one name.
fn cites(text: &str, section: &str) -> bool {
    let Some((name, number)) = section.split_once(" §") else {
        // MCP numbers nothing: its headings are named.
        return text.lines().any(|line| line.trim_start().starts_with("//") && line.contains(section));
    };
    text.lines().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            // Until another text is named.
            let rest = &line[at + name.len()..];
            let end = ["RFC ", "OAuth 2.1 ", "OpenID ", "MCP ", "Client ID ", ";"]
                .iter()
                .filter_map(|next| rest.find(next));
            let rest = &rest[..end.min().unwrap_or(rest.len())];
            rest.starts_with([' ', ','])
                && rest.split('§').skip(1).any(|cited| {
                    let cited = cited.split([',', ' ', ':', ')', ';']).next().unwrap_or_default();
                    cited.trim_end_matches('.') == number
                })
        })
    })
}

/// Every test, by name, with the comment above it and its body. Two suites may share a name.
fn functions(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in ["src", "tests"].iter().flat_map(|dir| files(&root.join(dir))) {
        let source = read_to_string(&file).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(name) = function_name(line) else { continue };
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[at..].iter().position(|line| *line == end).unwrap_or_default();
            let above = lines[..at].iter().rev().take_while(|line| {
                let line = line.trim_start();
                line.starts_with("//") || line.starts_with("#[")
            });
            let comments = above.copied().chain(lines[at..=at + length].iter().copied());
            if file.starts_with(root.join("tests"))
                || source.contains("#[test]")
                || source.contains("#[tokio::test")
            {
                found.entry(name.to_owned()).or_default().push(comments.collect::<Vec<_>>().join("\n"));
            }
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    line.split('(').next()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

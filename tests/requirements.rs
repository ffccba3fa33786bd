//! `tests/requirements.md` names a test for every requirement, `docs/threats.md` one for every attack, `tests/guards.toml`
//! one for every line that keeps somebody out. They are there, and what is to cite a section does. `docs/compliance.md` is made of the first, in the order of the texts:
//! `BLESS=1 cargo test --test requirements` writes it anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the sources fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The texts that this server keeps: how sections name them, and what they are called in full.
const TEXTS: &[(&str, &str)] = &[
    ("RFC 6749", "The OAuth 2.0 Authorization Framework"),
    ("RFC 6750", "Bearer Token Usage"),
    ("OAuth 2.1", "The OAuth 2.1 Authorization Framework, draft-ietf-oauth-v2-1-16"),
    ("RFC 9700", "Best Current Practice for OAuth 2.0 Security"),
    ("RFC 7636", "Proof Key for Code Exchange"),
    ("RFC 8252", "OAuth 2.0 for Native Apps"),
    ("RFC 8707", "Resource Indicators"),
    ("RFC 9207", "Authorization Server Issuer Identification"),
    ("RFC 8414", "Authorization Server Metadata"),
    ("RFC 7591", "Dynamic Client Registration"),
    ("RFC 7592", "Dynamic Client Registration Management"),
    (
        "Client ID Metadata Documents",
        "OAuth Client ID Metadata Document, draft-ietf-oauth-client-id-metadata-document-01",
    ),
    ("RFC 7521", "Assertion Framework for Client Authentication"),
    ("RFC 7523", "JWT Profile for Client Authentication"),
    ("RFC 9068", "JWT Profile for Access Tokens"),
    ("RFC 7517", "JSON Web Key"),
    ("RFC 7518", "JSON Web Algorithms"),
    ("RFC 8725", "JSON Web Token Best Current Practices"),
    ("RFC 7662", "Token Introspection"),
    ("RFC 9701", "JWT Response for Token Introspection"),
    ("RFC 7009", "Token Revocation"),
    ("RFC 9110", "HTTP Semantics"),
    ("RFC 9470", "Step Up Authentication Challenge"),
    ("OpenID Connect Core", "OpenID Connect Core 1.0, the authorization code flow"),
    ("OpenID Connect Discovery", "OpenID Connect Discovery 1.0"),
    ("OpenID Connect Registration", "OpenID Connect Dynamic Client Registration 1.0"),
    ("OpenID Connect RP-Initiated Logout", "OpenID Connect RP-Initiated Logout 1.0"),
    (
        "MCP",
        "Model Context Protocol, authorization: revisions 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28",
    ),
];

#[test]
fn every_requirement_has_a_test_that_cites_its_section() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = functions(root);
    let page = read_to_string(root.join("tests/requirements.md")).unwrap();
    let mut missing = Vec::new();
    let mut count = 0;
    for (section, requirement, test) in rows(&page) {
        count += 1;
        match functions.get(test) {
            None => missing.push(format!("{test} is no test; it is to show: {section} {requirement}")),
            Some(tests) if !tests.iter().any(|test| cites(&test.text, section)) => {
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

/// What is deleted, and whether the test then fails, `.ci/guards` sees; a line that was moved or reworded shows here.
#[test]
fn every_guard_is_where_it_was_and_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = functions(root);
    let page: toml::Table = read_to_string(root.join("tests/guards.toml")).unwrap().parse().unwrap();
    let guards = page["guard"].as_array().unwrap();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for guard in guards {
        let text = |key: &str| guard.get(key).map(|value| value.as_str().unwrap());
        let (name, file, test) = (text("name").unwrap(), text("file").unwrap(), text("test").unwrap());
        if !names.insert(name) {
            wrong.push(format!("{name}: there are two of that name"));
        }
        let source = read_to_string(root.join(file)).unwrap_or_default();
        let times = source.matches(text("old").unwrap()).count();
        if times != 1 {
            wrong.push(format!("{name}: {times} times in {file}"));
        }
        let home = text("suite").map_or("src/".to_owned(), |suite| format!("tests/{suite}/"));
        let is_there =
            functions.get(test).is_some_and(|tests| tests.iter().any(|test| test.file.starts_with(&home)));
        if !is_there {
            wrong.push(format!("{name}: {test} is no test in {home}"));
        }
        if text("section").is_none_or(str::is_empty) {
            wrong.push(format!("{name}: no section"));
        }
    }
    assert!(guards.len() >= 30, "the page was not read: {} guards", guards.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), guards.len(), wrong.join("\n"));
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

#[test]
fn the_page_of_compliance_is_fresh_and_knows_every_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = read_to_string(root.join("tests/requirements.md")).unwrap();
    let page = compliance(root, &source);
    let path = root.join("docs/compliance.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        read_to_string(&path).unwrap_or_default() == page,
        "docs/compliance.md is not what tests/requirements.md says; BLESS=1 cargo test --test requirements writes it"
    );
}

/// The page: for each text its sections, in order, with their rules and tests; then what is not done, and why.
fn compliance(root: &Path, source: &str) -> String {
    let functions = functions(root);
    let mut of_text = BTreeMap::<&str, Vec<_>>::new();
    for (section, rule, test) in rows(source) {
        let text = text_of(section).unwrap_or_else(|| panic!("{section} is of no text in TEXTS"));
        of_text.entry(text).or_default().push((number_of(section), section, rule, test));
    }
    let mut out = String::from(
        "# Compliance\n\nSection → rule → test, for every text that this server keeps. Made from `tests/requirements.md` by\n\
         `BLESS=1 cargo test --test requirements`, which fails when a test is gone or does not cite its section.\n",
    );
    for (name, title) in TEXTS {
        let rows = of_text.get_mut(name).unwrap_or_else(|| panic!("nothing is said about {name}"));
        rows.sort();
        let heading = if title.starts_with(name) { (*title).to_owned() } else { format!("{name}, {title}") };
        writeln!(out, "\n## {heading}\n\n| section | rule | test | where |\n| --- | --- | --- | --- |")
            .unwrap();
        for (_, section, rule, test) in rows {
            let files: BTreeSet<_> = functions[*test]
                .iter()
                .filter(|function| cites(&function.text, section))
                .map(|function| format!("`{}`", function.file))
                .collect();
            let files: Vec<_> = files.into_iter().collect();
            writeln!(out, "| {section} | {rule} | `{test}` | {} |", files.join(", ")).unwrap();
        }
    }
    let exceptions = source.split_once("\n## Exceptions\n").map_or("", |(_, exceptions)| exceptions);
    writeln!(out, "\n## Exceptions\n{exceptions}").unwrap();
    out.trim_end().to_owned() + "\n"
}

/// The longest name that a section begins with.
fn text_of(section: &str) -> Option<&'static str> {
    let names = TEXTS.iter().map(|(name, _)| *name).filter(|name| section.starts_with(name));
    names.max_by_key(|name| name.len())
}

/// `§3.10` comes after `§3.9`.
fn number_of(section: &str) -> Vec<u32> {
    let number = section.split_once('§').map_or("", |(_, number)| number);
    number.split('.').filter_map(|part| part.parse().ok()).collect()
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

/// A test: the comment above it with its body, and where it is.
struct Function {
    text: String,
    file: String,
}

/// Every test, by name. Two suites may share a name.
fn functions(root: &Path) -> BTreeMap<String, Vec<Function>> {
    let mut found: BTreeMap<String, Vec<Function>> = BTreeMap::new();
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
                let text = comments.collect::<Vec<_>>().join("\n");
                let file = file.strip_prefix(root).unwrap().display().to_string();
                found.entry(name.to_owned()).or_default().push(Function { text, file });
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

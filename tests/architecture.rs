//! The arrows between the modules point one way. Each module may use what stands in its row, and nothing else of ours;
//! each outside crate that matters has one module that knows it.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Module → the modules that it may use. What is not listed is an arrow that was never meant.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("clock", &["protocol"]),
    ("random", &[]),
    ("audit", &["protocol"]),
    ("tokens", &["protocol", "random", "clock"]),
    ("store", &["protocol", "random", "audit"]),
    ("pages", &[]),
    ("fetch", &["clock"]),
    ("flow", &["protocol", "store", "tokens", "fetch", "audit", "clock", "random"]),
    ("http", &["flow", "pages", "protocol", "random"]),
    ("resource", &["clock", "protocol"]),
    ("demo", &["resource", "clock"]),
    ("zoo", &["protocol", "tokens"]),
    ("probe", &["zoo"]),
    ("config", &["protocol", "tokens"]),
    ("serve", &[]),
    (
        "app",
        &[
            "http", "flow", "pages", "demo", "resource", "config", "store", "tokens", "fetch", "protocol",
            "clock", "random",
        ],
    ),
    (
        "control",
        &[
            "app", "http", "flow", "pages", "config", "store", "tokens", "zoo", "fetch", "protocol", "clock",
            "random", "serve",
        ],
    ),
    ("cli", &["app", "clock", "config", "control", "pages", "probe", "protocol", "serve"]),
    (
        "testkit",
        &[
            "app", "config", "control", "http", "flow", "store", "tokens", "fetch", "protocol", "clock",
            "random", "serve",
        ],
    ),
    ("main", &["cli"]),
];

/// Outside crate → the modules that may know it.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("askama", &["pages"]),
    ("argon2", &["tokens"]),
    ("rsa", &["tokens"]),
    ("aws_lc_rs", &["tokens", "random"]),
    ("jsonwebtoken", &["tokens", "resource", "testkit"]),
    ("rmcp", &["demo"]),
    ("reqwest", &["fetch", "probe", "resource", "testkit"]),
    ("axum", &["http", "app", "control", "serve", "resource", "demo", "testkit", "cli"]),
    ("hyper", &["serve"]),
    ("hyper_util", &["serve"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("html5gum", &["testkit"]),
    ("rustix", &["cli"]),
];

/// Crates that would make `protocol` impure.
const IMPURE: &[&str] = &["tokio", "tracing", "axum", "sqlx", "reqwest", "aws_lc_rs", "hyper"];

#[test]
fn no_module_uses_what_it_must_not_know() {
    let mut crossed = Vec::new();
    for (module, file, code) in sources() {
        let allowed = ARROWS.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("the module {module} has no row in ARROWS"));
        for used in modules_used(&code) {
            if used != module && !allowed.contains(&used.as_str()) {
                crossed.push(format!("{}: {module} uses {used}", file.display()));
            }
        }
    }
    assert!(crossed.is_empty(), "\n{}", crossed.join("\n"));
}

#[test]
fn each_crate_has_its_home() {
    let mut strays = Vec::new();
    for (module, file, code) in sources().into_iter().filter(|(_, file, _)| !is_test_only(file)) {
        for (name, homes) in HOMES {
            if !homes.contains(&module.as_str()) && mentions(&code, name) {
                strays.push(format!("{}: {module} knows {name}", file.display()));
            }
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}

#[test]
fn protocol_is_pure() {
    for (_, file, code) in sources().into_iter().filter(|(module, _, _)| module == "protocol") {
        for name in IMPURE {
            assert!(!mentions(&code, name), "{} knows {name}", file.display());
        }
        for word in ["async fn", ".await", "SystemTime", "Instant::now", "thread_rng"] {
            assert!(!code.contains(word), "{} has {word}", file.display());
        }
    }
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    let code = "use crate::store::Store;\nuse crate::{flow, tokens::Secret};\nlet x = crate::clock::Clock;";
    assert_eq!(modules_used(code), ["clock", "flow", "store", "tokens"]);
    assert!(mentions("use sqlx::Row;", "sqlx") && mentions("-> sqlx::Error", "sqlx"));
    assert!(!mentions("use mysqlx::Row;", "sqlx") && !mentions("// as sqlx does", "sqlx"));
    let modules: BTreeMap<String, usize> =
        sources().into_iter().fold(BTreeMap::new(), |mut all, (module, _, _)| {
            *all.entry(module).or_default() += 1;
            all
        });
    assert!(
        modules["protocol"] > 15 && modules.contains_key("store") && modules.contains_key("main"),
        "{modules:?}"
    );
}

/// Every source file: the module that it belongs to, its path, and its text without comments.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files
        .into_iter()
        .filter(|file| !file.ends_with("lib.rs"))
        .map(|file| {
            let relative = file.strip_prefix(&root).unwrap();
            let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let code = std::fs::read_to_string(&file).unwrap();
            (first.trim_end_matches(".rs").to_owned(), file.clone(), without_comments(&code))
        })
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Tests make keys and requests by whatever means they need.
fn is_test_only(file: &Path) -> bool {
    file.components()
        .any(|part| ["tests", "tests.rs", "fixture.rs"].iter().any(|name| part.as_os_str() == *name))
}

fn without_comments(code: &str) -> String {
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that are named after `crate::`, alone or in braces, sorted.
fn modules_used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut name = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => used.push(std::mem::take(&mut name)),
                        _ if depth == 0 => name.push(c),
                        _ => {}
                    }
                }
                used.push(name);
            }
            None => used.push(rest.to_owned()),
        }
    }
    let first = |text: &String| -> String {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut names: Vec<String> = used.iter().map(first).filter(|name| is_module(name)).collect();
    names.sort();
    names.dedup();
    names
}

fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Whether a crate is named in a path.
fn mentions(code: &str, name: &str) -> bool {
    let code = without_comments(code);
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        code[at + name.len()..].starts_with("::")
            && !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    })
}

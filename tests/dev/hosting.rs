//! `docs/hosting.md`: its configurations and commands, and what the program says to them.

use std::path::Path;

use crate::document::{Block, blocks};
use crate::program::{Dev, directory, gatelet};
use crate::{NotRun, cases};

cases![
    every_configuration_of_the_hosting_page_is_taken_as_it_says,
    every_command_of_the_hosting_page_starts_as_it_says,
    an_issuer_at_which_dev_mode_does_not_listen_is_told,
];

/// The blocks in `language`, each with what the program says to it; nothing when that is not shown.
fn shown(language: &str) -> Vec<(Block, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hosting.md");
    // Blocks in lists are indented.
    let page: Vec<String> =
        std::fs::read_to_string(page).unwrap().lines().map(|l| l.trim_start().to_owned()).collect();
    let mut blocks = blocks(&page.join("\n")).into_iter().peekable();
    let mut shown = Vec::new();
    while let Some(block) = blocks.next() {
        let answer = blocks.next_if(|next| next.language == "text").map(|next| next.text);
        if block.language == language {
            shown.push((block, answer.unwrap_or_default()));
        }
    }
    shown
}

fn every_configuration_of_the_hosting_page_is_taken_as_it_says() -> Result<(), NotRun> {
    let here = directory("hosting");
    let configurations = shown("toml");
    assert!(configurations.len() >= 8, "{}", configurations.len());
    for (block, expected) in configurations {
        std::fs::write(here.join("gatelet.toml"), &block.text).unwrap();
        let checked = gatelet(&here, &["config", "check"]).output().unwrap();
        let said = String::from_utf8(checked.stderr).unwrap();
        assert_eq!(said, expected, "line {}", block.line);
        assert_eq!(checked.status.success(), !expected.starts_with("error"), "line {}", block.line);
    }
    Ok(())
}

fn every_command_of_the_hosting_page_starts_as_it_says() -> Result<(), NotRun> {
    let here = directory("hosting-dev");
    let commands = shown("sh");
    assert!(commands.len() >= 3, "{}", commands.len());
    for (number, (block, expected)) in commands.into_iter().enumerate() {
        let words: Vec<&str> = block.text.split_whitespace().collect();
        let Some(arguments) = words.strip_prefix(&["gatelet", "dev"]) else { panic!("{}", block.text) };
        let dev = Dev::start_with(&here, &format!("data-{number}"), arguments);
        let port =
            dev.said("issuer ").rsplit_once(':').and_then(|(_, after)| after.split('/').next()).unwrap();
        let expected = expected.replace("8710", port);
        match arguments.iter().position(|word| *word == "--issuer") {
            Some(at) => assert_eq!(dev.issuer(), arguments[at + 1]),
            None => assert!(expected.contains("--issuer"), "line {}", block.line),
        }
        let log = dev.stop();
        let warnings: Vec<&str> = log.lines().filter_map(|line| Some(&line[line.find("WARN ")?..])).collect();
        assert_eq!(warnings, expected.lines().collect::<Vec<_>>(), "line {}", block.line);
    }
    Ok(())
}

fn an_issuer_at_which_dev_mode_does_not_listen_is_told() -> Result<(), NotRun> {
    let dev = Dev::start_with(&directory("unheard"), "data", &["--issuer", "http://localhost:1/oauth"]);
    let log = dev.stop();
    assert!(log.contains("--issuer: nothing listens at http://localhost:1, only at 127.0.0.1:"), "{log}");
    Ok(())
}

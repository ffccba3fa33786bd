//! `gatelet config` as people run it: what it prints, and its exit codes.

#![expect(clippy::expect_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;
use std::process::{Command, Output};

fn gatelet(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatelet"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .output()
        .expect("gatelet runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// An empty directory of this test's own.
fn directory(name: &str) -> std::path::PathBuf {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

#[test]
fn a_good_configuration_is_summarised_without_its_secrets() {
    let here = directory("good");
    let file = "public_url = \"https://id.example\"\ndatabase_url = \"postgres://u:hunter2@db/x\"\n\
                [[clients]]\nid = \"cli\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\n";
    std::fs::write(here.join("gatelet.toml"), file).expect("written");
    let output = gatelet(&here, &["config", "check"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(printed.contains("issuer        https://id.example/oauth\n"), "{printed}");
    assert!(printed.contains("clients       cli (public)\n"), "{printed}");
    assert!(!printed.contains("hunter2") && !text(&output.stderr).contains("hunter2"));
}

#[test]
fn bad_and_missing_configurations_end_with_78_and_say_why() {
    let here = directory("bad");
    std::fs::write(here.join("bad.toml"), "public_url = \"https://id.example\"\nlisten = 5\n")
        .expect("written");
    for (arguments, expected) in [
        (
            &["config", "check", "--config", "bad.toml"][..],
            "error: bad.toml:2: listen: must be a list of texts",
        ),
        (&["config", "check", "--config", "none.toml"], "error: none.toml: cannot read the configuration: "),
        (&["config", "check"], "error: public_url: missing"),
    ] {
        let output = gatelet(&here, arguments);
        assert_eq!(output.status.code(), Some(78));
        assert!(text(&output.stderr).starts_with(expected), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn the_example_is_printed() {
    let output = gatelet(&directory("example"), &["config", "example"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), gatelet::config::example());
}

#[test]
fn a_profile_is_printed_as_a_file_and_as_environment_lines() {
    let here = directory("profile");
    for profile in gatelet::config::PROFILES {
        let printed = gatelet(&here, &["config", "example", "--profile", profile.name]);
        assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(0), profile.text));
        let lines = gatelet(&here, &["config", "example", "--profile", profile.name, "--environment"]);
        assert_eq!(text(&lines.stdout), gatelet::config::environment_lines(profile.text));
        assert!(text(&lines.stdout).contains("\nGATELET_PUBLIC_URL=https://id.example.com\n"));
    }
    let unknown = gatelet(&here, &["config", "example", "--profile", "x"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("plain-audience"), "{}", text(&unknown.stderr));
    assert_eq!(gatelet(&here, &["config", "example", "--environment"]).status.code(), Some(2));
}

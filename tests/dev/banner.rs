//! What `gatelet dev` prints.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![the_commands_run_as_printed, it_is_plain_when_it_is_not_on_a_terminal];

fn the_commands_run_as_printed() -> Result<(), NotRun> {
    let Ok(curl) = Command::new("curl").arg("--version").output() else {
        return Err(NotRun("not run, needs curl"));
    };
    assert!(curl.status.success());
    let here = directory("commands");
    let dev = Dev::start(&here, "data");
    let (_, after) = dev.banner.split_once("\nTry it\n").unwrap();
    let (commands, _) = after.split_once("\nConnect a client\n").unwrap();
    let mut shell = Command::new("sh")
        .current_dir(&here)
        .env("TMPDIR", &here)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    let printed = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
    let (labels, answers): (Vec<&str>, Vec<&str>) = printed.lines().partition(|line| line.ends_with(':'));
    assert_eq!(labels, ["as a machine:", "as alice, through the login page:"]);
    let answers: Vec<Value> = answers.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let callers: Vec<_> = answers
        .iter()
        .map(|answer| {
            let who = &answer["result"]["structuredContent"];
            ["client_id", "sub", "tenant"].map(|claim| who[claim].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(callers, [["dev-machine", "dev-machine", "acme"], ["dev-terminal", "alice", "acme"]]);
    dev.stop();
    Ok(())
}

fn it_is_plain_when_it_is_not_on_a_terminal() -> Result<(), NotRun> {
    let dev = Dev::start(&directory("plain"), "data");
    assert!(dev.banner.contains("Gatelet is ready"));
    assert!(!dev.banner.contains('\x1b'), "{}", dev.banner);
    dev.stop();
    Ok(())
}

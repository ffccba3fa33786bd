//! `gatelet audit`: what happened, and what happens while it is watched.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::commands::{done, refused};
use crate::program::{Dev, directory, gatelet};
use crate::{NotRun, cases};

cases![who_follows_sees_what_happens_afterwards_once, an_unknown_kind_is_refused_with_the_known_ones];

/// Ends a program that goes on for ever.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn who_follows_sees_what_happens_afterwards_once() -> Result<(), NotRun> {
    let here = directory("follow");
    let dev = Dev::start(&here, ".gatelet");
    done(&here, &["role", "add", "before"]);
    // Facts are told by the second: what was before is another second.
    std::thread::sleep(Duration::from_millis(1100));
    let follow = ["audit", "list", "--follow", "--kind", "added", "--json"];
    let mut child = gatelet(&here, &follow).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (said, hears) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let child = Ended(child);
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
    let next = || -> Option<Value> {
        let line = hears.recv_timeout(Duration::from_secs(20)).ok()?;
        Some(serde_json::from_str(&line).unwrap())
    };
    // Until it has begun, what is added is before its time: so there is something new until it sees the first.
    let mut first = None;
    for number in 0..100 {
        done(&here, &["role", "add", &format!("role-{number}")]);
        if let Ok(line) = hears.recv_timeout(Duration::from_millis(700)) {
            first = Some(serde_json::from_str::<Value>(&line).unwrap());
            break;
        }
    }
    let first = first.expect("it sees what happens after it began");
    assert!(first["detail"].as_str().unwrap().starts_with("role role-"), "{first}");
    // Of another kind, and then of this one.
    done(&here, &["role", "change", "before", "--description", "x"]);
    done(&here, &["role", "add", "last"]);
    let mut seen = vec![first];
    while seen.last().unwrap()["detail"] != "role last, by command line" {
        seen.push(next().expect("it sees the last"));
    }
    assert!(seen.iter().all(|event| event["kind"] == "added"), "{seen:?}");
    let mut ids: Vec<String> = seen.iter().map(|event| event["id"].to_string()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "each once: {seen:?}");
    assert!(seen.iter().all(|event| !event["detail"].as_str().unwrap().contains("before")), "{seen:?}");
    drop(child);
    dev.stop();
    Ok(())
}

fn an_unknown_kind_is_refused_with_the_known_ones() -> Result<(), NotRun> {
    let here = directory("kinds");
    Dev::start(&here, ".gatelet").stop();
    let said = refused(&here, 2, &["audit", "list", "--kind", "loged_in"]);
    for known in ["logged_in", "refresh_replayed", "initial_access_token_issued", "deleted"] {
        assert!(said.contains(known), "{said}");
    }
    assert_eq!(done(&here, &["audit", "list", "--kind", "logged_in"])["events"], serde_json::json!([]));
    Ok(())
}

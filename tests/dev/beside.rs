//! Commands beside a running server: it sees at once what they do, and neither loses what the other writes.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::commands::{done, ran, token_request};
use crate::network::post;
use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![
    a_suspended_person_is_refused_by_the_running_server,
    many_commands_and_the_server_write_at_once_and_nothing_is_lost,
];

/// A refresh token of alice's: by the commands of the banner, which print her access token.
fn refresh_token(dev: &Dev) -> String {
    let commands = dev.banner.lines().skip_while(|line| !line.starts_with("JAR=")).take(5);
    let script = commands.map(|line| line.replace("access_token", "refresh_token") + "\n");
    let script = script.collect::<String>() + "printf '%s' \"$TOKEN\"";
    let run = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let token = String::from_utf8(run.stdout).unwrap();
    assert!(token.starts_with("gtl_rt_"), "{token:?} {script}");
    token
}

fn refresh(dev: &Dev, token: &str) -> (u16, Value) {
    let form = format!("grant_type=refresh_token&client_id=dev-terminal&refresh_token={token}");
    let (status, body) = token_request(dev.port(), &form);
    (status, serde_json::from_str(&body).unwrap())
}

fn a_suspended_person_is_refused_by_the_running_server() -> Result<(), NotRun> {
    let mut tools = Command::new("sh");
    tools.args(["-c", "command -v curl"]).stdout(Stdio::null());
    if !tools.status().unwrap().success() {
        return Err(NotRun("not run, needs curl"));
    }
    let here = directory("beside");
    let dev = Dev::start(&here, ".gatelet");
    let (status, answer) = refresh(&dev, &refresh_token(&dev));
    assert_eq!(status, 200, "{answer}");
    let next = answer["refresh_token"].as_str().unwrap();
    done(&here, &["user", "suspend", "alice"]);
    let suspended = Instant::now();
    let (status, answer) = refresh(&dev, next);
    assert!(suspended.elapsed() < Duration::from_secs(1), "{:?}", suspended.elapsed());
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    let grants = done(&here, &["grant", "list", "--user", "alice"]);
    assert_eq!(grants["grants"][0]["alive"], false);
    // Who is resumed gets nothing back, and can begin anew.
    done(&here, &["user", "resume", "alice"]);
    assert_eq!(refresh(&dev, next).0, 400);
    assert_eq!(refresh(&dev, &refresh_token(&dev)).0, 200);
    dev.stop();
    Ok(())
}

/// How many commands write, and how many of them at a time.
const COMMANDS: usize = 200;
const AT_ONCE: usize = 12;
/// How many clients register at the server meanwhile.
const REGISTRATIONS: usize = 200;

fn many_commands_and_the_server_write_at_once_and_nothing_is_lost() -> Result<(), NotRun> {
    let here = directory("crowd");
    let dev = Dev::start(&here, ".gatelet");
    let next = AtomicUsize::new(0);
    let registered = std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= COMMANDS {
                        return;
                    }
                    let name = format!("person{number}");
                    let ran = ran(&here, &["user", "add", &name, "--tenant", "acme=member"]);
                    assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
                }
            });
        }
        let registering =
            scope.spawn(|| (0..REGISTRATIONS).map(|number| register(&dev, number)).collect::<Vec<_>>());
        registering.join().unwrap()
    });
    let people = done(&here, &["user", "list", "--limit", "1000"]);
    let added = people["users"].as_array().unwrap().iter().filter(|user| user["origin"] == "admin");
    assert_eq!(added.count(), COMMANDS);
    let clients = done(&here, &["client", "list", "--origin", "dynamic", "--unused", "--limit", "1000"]);
    let known: Vec<&str> = clients["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|client| client["client_id"].as_str())
        .collect();
    let lost: Vec<_> = registered.iter().filter(|id| !known.contains(&id.as_str())).collect();
    assert!(lost.is_empty() && known.len() == REGISTRATIONS, "{lost:?}");
    let facts = done(&here, &["audit", "list", "--kind", "added", "--limit", "1000"]);
    assert_eq!(facts["events"].as_array().unwrap().len(), COMMANDS, "each with its record");
    dev.stop();
    Ok(())
}

/// Registers a client of its own; its identifier.
fn register(dev: &Dev, number: usize) -> String {
    let body = format!(r#"{{"client_name":"App {number}","redirect_uris":["http://127.0.0.1/{number}"]}}"#);
    let (status, answer) = post(dev.port(), "/oauth/register", ("application/json", &body), "");
    assert_eq!(status, 201, "{answer}");
    let registered: Value = serde_json::from_str(&answer).unwrap();
    registered["client_id"].as_str().unwrap().to_owned()
}

//! `docs/operating.md`: its commands, run in order in one shell beside a server, do what they say.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::commands::done;
use crate::document::blocks;
use crate::program::directory;
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![the_commands_of_the_page_for_operators_are_done];

fn the_commands_of_the_page_for_operators_are_done() -> Result<(), NotRun> {
    let mut tools = Command::new("sh");
    tools.args(["-c", "command -v openssl"]).stdout(Stdio::null());
    if !tools.status().unwrap().success() {
        return Err(NotRun("not run, needs openssl"));
    }
    let here = directory("operating");
    let serve = Serve::start(&here);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md");
    let blocks = blocks(&std::fs::read_to_string(page).unwrap());
    let script: String =
        blocks.iter().filter(|block| block.language == "sh").map(|block| block.text.as_str()).collect();
    assert!(script.matches("gatelet ").count() > 20, "{script}");
    let program = Path::new(env!("CARGO_BIN_EXE_gatelet")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let run =
        Command::new("sh").args(["-e", "-x", "-c", &script]).current_dir(&here).env("PATH", path).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let alice = done(&here, &["user", "show", "alice"]);
    assert_eq!((&alice["has_password"], &alice["suspended_at"]), (&true.into(), &serde_json::Value::Null));
    assert_ne!(done(&here, &["client", "show", "nightly"])["suspended_at"], serde_json::Value::Null);
    assert_eq!(done(&here, &["initial-token", "list"])["initial_tokens"], serde_json::json!([]));
    serve.stop();
    Ok(())
}

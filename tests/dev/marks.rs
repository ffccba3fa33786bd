//! What keeps test mode apart: its databases open nowhere else, and its tokens are marked.

use serde_json::{Map, Value};

use crate::commands::{ran, refused};
use crate::program::{Dev, directory, refusal};
use crate::serve_keys;
use crate::{NotRun, cases};

cases![
    a_database_of_test_mode_is_left_alone_by_dev_serve_and_their_commands,
    tokens_of_dev_and_serve_carry_no_mark,
];

fn a_database_of_test_mode_is_left_alone_by_dev_serve_and_their_commands() -> Result<(), NotRun> {
    use gatelet::store::{Mode, Store, StoreOptions};
    let here = directory("of-test-mode");
    let path = here.join("gatelet.db");
    let options = StoreOptions::new(format!("sqlite:{}", path.display()), Mode::Test);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        Store::open(&options).await.unwrap().close().await;
    });
    let before = std::fs::read(&path).unwrap();
    std::fs::write(
        here.join("gatelet.toml"),
        "public_url = \"https://id.example.com\"\nlisten = [\"127.0.0.1:0\"]\n",
    )
    .unwrap();
    let wrong = |mode| format!("the database belongs to test mode, not to {mode} mode");
    let said = refusal(&here, &["dev", "--listen", "127.0.0.1:0", "--data", "."]);
    assert!(said.contains(&wrong("dev")), "{said}");
    let said = refusal(&here, &["serve"]);
    assert!(said.contains(&wrong("serve")), "{said}");
    for command in [&["user", "list"][..], &["key", "list"], &["tenant", "add", "acme"]] {
        let said = refused(&here, 5, command);
        assert!(said.contains(&wrong("serve")), "{said}");
        let said = refused(&here, 5, &[command, &["--data", "."]].concat());
        assert!(said.contains(&wrong("dev")), "{said}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before, "it is left as it was");
    Ok(())
}

fn tokens_of_dev_and_serve_carry_no_mark() -> Result<(), NotRun> {
    let here = directory("unmarked");
    let dev = Dev::start(&here, ".gatelet");
    let issued = ran(&here, &["token", "issue", "--user", "alice", "--scope", "mcp:read"]);
    assert_eq!(issued.code, 0, "{}", issued.stderr);
    let claims = claims(issued.stdout.trim());
    assert_eq!((&claims["iss"], claims.get("gatelet_test")), (&Value::from(dev.issuer()), None));
    dev.stop();
    let here = directory("unmarked-serve");
    let serve = serve_keys::server(&here);
    let claims = self::claims(&serve_keys::token(serve.port));
    assert_eq!((&claims["sub"], claims.get("gatelet_test")), (&"robot".into(), None));
    serve.stop();
    Ok(())
}

fn claims(token: &str) -> Map<String, Value> {
    jsonwebtoken::dangerous::insecure_decode(token).unwrap().claims
}

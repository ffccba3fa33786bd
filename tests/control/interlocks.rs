//! Control over clocks, faults and tokens is test mode's alone.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use gatelet::app::dev::{self, DevOptions};
use gatelet::app::serve_mode;
use gatelet::clock::Clock;
use gatelet::config::{self, Machine};
use gatelet::control;
use gatelet::flow::admin::Answer;
use gatelet::protocol::{ClientId, Issuer};
use tower::ServiceExt as _;

fn directory(name: &str) -> PathBuf {
    let directory =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("control-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// No path of the control plane is answered, by any method, with and without a body.
async fn has_no_control_plane(router: Router, paths: impl IntoIterator<Item = String>, origin: &str) {
    let own: Vec<String> = paths.into_iter().collect();
    assert!(own.len() > 20 && own.iter().all(|path| !path.contains("control")), "{own:?}");
    let host = origin.split_once("://").unwrap().1;
    for path in control::paths() {
        let path = path.replace(['{', '}'], "");
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let request = Request::builder().method(&method).uri(&path).header("host", host);
            let request =
                request.header("authorization", "Bearer gtl_ck_anything").body(Body::from("{}")).unwrap();
            let status = router.clone().oneshot(request).await.unwrap().status();
            assert_eq!(status, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn dev_mode_has_no_control_plane() {
    let issuer = Issuer::parse("http://localhost:8710/oauth").unwrap();
    let data = directory("dev");
    let options =
        DevOptions { data: data.clone(), issuer, exposed: false, hosts: Vec::new(), clock: Clock::system() };
    let dev = dev::build(options).await.unwrap();
    has_no_control_plane(dev.router, dev.app.paths(), "http://localhost:8710").await;
    dev.app.close().await;
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn nobody_is_stood_in_for_in_a_database_of_dev_mode() {
    let issuer = Issuer::parse("http://localhost:8710/oauth").unwrap();
    let data = directory("stand-in");
    let options =
        DevOptions { data: data.clone(), issuer, exposed: false, hosts: Vec::new(), clock: Clock::system() };
    let dev = dev::build(options).await.unwrap();
    let admin = dev.app.engine().administrator("test");
    let answer = Answer { user: "alice".to_owned(), allows: true, scope: None, tenant: None };
    let client = ClientId::parse(dev::MACHINE_CLIENT).unwrap();
    for refused in [
        admin.answer_authorization(b"client_id=dev-terminal", &answer).await.map(drop),
        admin.issue_machine_token(&client, None, None).await.map(drop),
        admin.lend_signing_key(None).await.map(drop),
    ] {
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("test mode"), "{why}");
    }
    dev.app.close().await;
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn serve_mode_has_no_control_plane() {
    let data = directory("serve");
    let file = data.join("gatelet.toml");
    std::fs::write(&file, "public_url = \"https://id.example.com\"\n").unwrap();
    let config = config::load_from(Some(&file), std::iter::empty(), &Machine).unwrap();
    let app = serve_mode::build(config).await.unwrap();
    has_no_control_plane(app.router(Router::new()), app.paths(), "https://id.example.com").await;
    app.close().await;
    std::fs::remove_dir_all(data).unwrap();
}

//! Why the pages that may end at a client send no `form-action`: browsers apply it to every redirect after the form, so
//! the answer never leaves. Headless clients do not notice.

use gatelet::testkit::{Authorization, PASSWORD, TestClient};

use crate::cases;
use crate::listener::Listener;
use crate::person::Person;
use crate::proxy::Proxy;
use crate::stage::Stage;

cases![
    it_would_stop_the_answer_to_a_program_that_listens_here,
    it_would_stop_the_answer_to_an_application_of_the_device,
    it_would_stop_an_answer_right_after_login,
];

const FORBIDDEN: &str = "violates the following Content Security Policy directive: \"form-action 'self'\"";

/// The request, by way of a proxy.
fn by_way_of(proxy: &Proxy, stage: &Stage, request: &Authorization) -> String {
    request.url.replacen(stage.server.origin(), &proxy.origin, 1)
}

async fn it_would_stop_the_answer_to_a_program_that_listens_here(stage: &Stage) {
    for (proxy, passes) in [(&stage.strict, false), (&stage.honest, true)] {
        stage.browser.forget().await.unwrap();
        let listener = Listener::open().await;
        let client = TestClient::new(&stage.server, "editor", &listener.url("127.0.0.1", "/cb"));
        let request = client.authorization(|request| request.scope("mcp:read"));
        let person = Person(&stage.browser);
        person.opens(&by_way_of(proxy, stage, &request)).await;
        person.logs_in("heidi", PASSWORD).await.is(200, "Allow editor to use Notes?");
        person.touches("Allow").await;
        if passes {
            request.callback(&listener.url("127.0.0.1", &listener.visit().await.target)).code();
            person.complained_of_nothing().await;
        } else {
            person.complained_only_of(&[FORBIDDEN, "policy: form-action forbids"]).await;
            person.sees().await.is(200, "Allow editor to use Notes?");
            assert!(listener.visits().is_empty());
        }
    }
}

async fn it_would_stop_the_answer_to_an_application_of_the_device(stage: &Stage) {
    for (proxy, passes) in [(&stage.strict, false), (&stage.honest, true)] {
        stage.browser.forget().await.unwrap();
        let uri = if passes { "cursor://passes/callback" } else { "cursor://stopped/callback" };
        let client = stage.self_registered("Cursor", uri, uri).await;
        let request = client.authorization(|request| request.scope("mcp:read"));
        let person = Person(&stage.browser);
        person.opens(&by_way_of(proxy, stage, &request)).await;
        person.logs_in("heidi", PASSWORD).await;
        person.touches("Allow").await;
        if passes {
            request.callback(&person.handed_over(uri).await).code();
            person.complained_only_of(&["Launched external handler"]).await;
        } else {
            person.complained_only_of(&[FORBIDDEN, "policy: form-action forbids"]).await;
            assert!(!stage.browser.handed_over().iter().any(|link| link.starts_with(uri)));
        }
    }
}

async fn it_would_stop_an_answer_right_after_login(stage: &Stage) {
    // The operator's own clients are answered without a question: the login form itself ends there.
    for (proxy, passes) in [(&stage.strict, false), (&stage.honest, true)] {
        stage.browser.forget().await.unwrap();
        let client = TestClient::new(&stage.server, "own", "https://own.example/cb");
        let request = client.authorization(|request| request.scope("mcp:read"));
        let person = Person(&stage.browser);
        person.opens(&by_way_of(proxy, stage, &request)).await;
        person.types("User name", "heidi").await;
        person.types("Password", PASSWORD).await;
        if passes {
            person.presses("Log in").await;
            request.callback(&stage.browser.url().await.unwrap()).code();
            person.complained_of_nothing().await;
        } else {
            person.touches("Log in").await;
            person.complained_only_of(&[FORBIDDEN, "policy: form-action forbids"]).await;
            person.sees().await.is(200, "Log in");
        }
    }
}

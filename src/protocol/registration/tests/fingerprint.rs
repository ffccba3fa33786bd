//! Which registrations share a row.

use super::*;

#[test]
fn identical_registrations_share_a_fingerprint_and_others_do_not() {
    let base = json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A"});
    let print = |body: &Value| parse(body).unwrap().fingerprint();
    assert_eq!(
        print(&base),
        print(&json!({"client_name": "A", "redirect_uris": ["https://a.example/cb"], "x": 1}))
    );
    assert_eq!(print(&base).len(), 64);
    for other in [
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "B"}),
        json!({"redirect_uris": ["https://a.example/cb2"], "client_name": "A"}),
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "scope": "a"}),
        json!({"redirect_uris": ["https://a.example/cb"], "client_name": "A", "token_endpoint_auth_method": "none"}),
    ] {
        assert_ne!(print(&base), print(&other));
    }
}

#[test]
fn what_an_earlier_version_registered_keeps_its_fingerprint() {
    let body = with(json!({"client_name": "A", "scope": "a", "token_endpoint_auth_method": "none"}));
    let fingerprint = parse(&body).unwrap().fingerprint();
    let grants = ["authorization_code", "refresh_token"];
    let earlier = json!(["A", null, {}, ["https://a.example/cb"], grants, "none", null, "a"]);
    assert_eq!(fingerprint, digest(&earlier));
    for more in [
        json!({"contacts": ["a"]}),
        json!({"post_logout_redirect_uris": ["https://a.example/"]}),
        json!({"default_max_age": 1}),
        json!({"require_auth_time": true}),
    ] {
        let mut other = body.clone();
        for (name, value) in more.as_object().unwrap() {
            other[name] = value.clone();
        }
        assert_ne!(parse(&other).unwrap().fingerprint(), fingerprint, "{more}");
    }
}

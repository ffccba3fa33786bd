use proptest::prelude::*;

use super::*;

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

#[test]
fn runs_of_spaces_separate_and_repetitions_count_once() {
    assert_eq!(scope("  mcp:read   mcp:write mcp:read ").to_string(), "mcp:read mcp:write");
    assert!(scope("   ").is_empty());
}

#[test]
fn forbidden_characters_and_endless_lists_are_refused() {
    for text in ["a\"b", "a\\b", "a\tb", "é", "a\u{7f}"] {
        assert_eq!(Scope::parse(text), Err(MalformedScope), "{text:?}");
    }
    let many: Vec<String> = (0..101).map(|i| format!("s{i}")).collect();
    assert_eq!(Scope::parse(&many.join(" ")), Err(MalformedScope));
    let (most, again) = (many[..100].join(" "), &many[0]);
    assert!(Scope::parse(&format!("{most} {again}")).is_ok());
    assert!(Scope::parse(&"x".repeat(256)).is_ok());
    assert_eq!(Scope::parse(&"x".repeat(257)), Err(MalformedScope));
}

#[test]
fn a_token_is_printable_ascii_without_space_quote_and_backslash() {
    // RFC 6749 §3.3, scope-token
    for byte in 0..=u8::MAX {
        let forbidden = !(0x21..=0x7e).contains(&byte) || byte == b'"' || byte == b'\\';
        let text = char::from(byte).to_string();
        assert_eq!(ScopeToken::parse(&text).is_err(), forbidden, "{byte:#x}");
    }
    assert_eq!(ScopeToken::parse(""), Err(MalformedScope));
    assert_eq!(ScopeToken::parse("mcp:read").unwrap().to_string(), "mcp:read");
    assert_eq!(ScopeToken::parse("offline_access"), Ok(ScopeToken::offline_access()));
}

#[test]
fn a_stored_scope_is_checked_like_a_sent_one() {
    let read = |json: &str| serde_json::from_str::<Scope>(json).ok();
    assert_eq!(read("\" b a b\""), Some(scope("b a")));
    assert_eq!(read("\"a\\\\b\""), None);
    assert_eq!(serde_json::to_string(&scope("b a")).unwrap(), "\"b a\"");
    assert!(serde_json::from_str::<ScopeToken>("\"a b\"").is_err());
    assert_eq!(serde_json::to_string(&ScopeToken::offline_access()).unwrap(), "\"offline_access\"");
}

#[test]
fn tokens_that_are_collected_count_once_and_keep_their_order() {
    let tokens = ["b", "a", "b"].map(|text| ScopeToken::parse(text).unwrap());
    assert_eq!(tokens.into_iter().collect::<Scope>(), scope("b a"));
    assert_eq!(scope("b a").iter().map(ScopeToken::as_str).collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn set_operations_keep_order() {
    let (a, b) = (scope("a b c"), scope("c d a"));
    assert_eq!(a.intersection(&b), scope("a c"));
    assert_eq!(a.difference(&b), scope("b"));
    assert_eq!(a.union(&b), scope("a b c d"));
    assert!(scope("c a").is_within(&a));
    assert!(!b.is_within(&a));
    assert_eq!(scope("a offline_access").for_resource(), scope("a"));
    assert_eq!(scope("a offline_access").general(), scope("offline_access"));
}

#[test]
fn scopes_about_the_person_are_no_mcp_servers_and_count_with_openid_only() {
    // OpenID Connect Core §3.1.2.1, §5.4; §11 for offline_access
    let all = scope("email a openid offline_access address profile phone");
    assert_eq!(all.for_resource(), scope("a address phone"), "what is not known here is nothing special");
    assert_eq!(all.general(), scope("offline_access"));
    assert_eq!(all.identity(), scope("email openid profile"));
    assert_eq!(all.in_access_token(), scope("email a openid address profile phone"));
    let without = scope("email a offline_access profile");
    assert_eq!((without.is_openid(), without.identity()), (false, scope("")));
    assert_eq!(without.for_resource(), scope("a"), "they are no MCP server's all the same");
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(text in "[!#-\\[\\]-~]{1,8}( {1,3}[!#-\\[\\]-~]{1,8}){0,5}") {
        let parsed = scope(&text);
        prop_assert_eq!(scope(&parsed.to_string()), parsed);
    }

    #[test]
    fn narrowing_never_widens(a in "[a-d]( [a-d]){0,3}", b in "[a-d]( [a-d]){0,3}") {
        let (a, b) = (scope(&a), scope(&b));
        prop_assert!(a.intersection(&b).is_within(&a));
        prop_assert!(a.intersection(&b).is_within(&b));
    }
}

//! Where and when a token is looked for.

use crate::probe::door::Door;
use crate::probe::mcp::Sent;
use crate::probe::report::Rule;
use crate::probe::{Findings, ProbeError};

const QUERY: Rule = Rule::new(
    "usage/query",
    "MCP 2026-07-28 authorization, Token Requirements, RFC 9700 §4.3.2",
    "A token in the query is not accepted: URLs end up in logs, histories and `Referer`.",
    "Read the token from the `Authorization` header alone.",
);
const EVERY_REQUEST: Rule = Rule::new(
    "usage/every-request",
    "MCP 2026-07-28 authorization, Token Requirements",
    "Every request needs a token: a session that somebody began with one lets nobody else in.",
    "Check the token of each request, also of those that name a session.",
);
const SCHEME: Rule = Rule::new(
    "usage/scheme-case",
    "RFC 9110 §11.1",
    "The scheme `bearer` has no case.",
    "Compare the authentication scheme without regard to case.",
);

/// Sends a good token where it should not count, and none where one is needed.
pub(in crate::probe) async fn check(
    door: &Door,
    good: &str,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let answer = door.knock_otherwise(Sent::InQuery(good)).await?;
    let without = door.knock_otherwise(Sent::Without).await?;
    findings.add(match (answer.is_success(), without.is_success()) {
        _ if answer.is_busy() => QUERY.not_checked(answer.busy()),
        (true, true) => QUERY.not_checked("the same request without a token is let in too"),
        (true, false) => QUERY.broken(format!("accepted: {}", answer.told())),
        (false, _) => QUERY.kept(),
    });
    let answer = door.slip_in_behind(good).await?;
    findings.add(match answer.is_busy() {
        true => EVERY_REQUEST.not_checked(answer.busy()),
        false => EVERY_REQUEST
            .broken_if(answer.is_success().then(|| format!("tools/list without a token: {}", answer.told()))),
    });
    let answer = door.knock_otherwise(Sent::InHeaderSmall(good)).await?;
    findings.add(match answer.is_success() {
        _ if answer.is_busy() => SCHEME.not_checked(answer.busy()),
        true => SCHEME.kept(),
        false => SCHEME.advised(format!("\"Authorization: bearer …\" is answered {}", answer.told())),
    });
    Ok(())
}

//! Whether the server follows the issuer's keys, or keeps those that it once saw.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::probe::answer::Answer;
use crate::probe::control::Issuer;
use crate::probe::door::Door;
use crate::probe::report::{Check, Rule};
use crate::probe::{Findings, ProbeError, Wanted};

const NEW: Rule = Rule::new(
    "keys/new",
    "RFC 9068 §4, OpenID Connect Core §10.1.1",
    "A token of a new key is accepted: a `kid` that is not known is looked for in the JWKS again.",
    "Fetch the JWKS again when a token names a key that is not in it, at most every few seconds.",
);
const BOTH: Rule = Rule::new(
    "keys/both",
    "RFC 7517 §4.5, OpenID Connect Core §10.1.1",
    "A token of the key before is still accepted while that is published: the key is chosen by `kid`.",
    "Choose the key of the JWKS by the token's `kid`, not the first one.",
);
const LOST: Rule = Rule::new(
    "keys/lost",
    "RFC 9068 §4, OpenID Connect Core §10.1.1",
    "A token of a key that the issuer has withdrawn is refused: a stolen key can be withdrawn in no other way.",
    "Keep the keys of the JWKS no longer than its Cache-Control allows, and replace them all when it is fetched again.",
);
/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Exchanges the issuer's key twice: first both are published, then the one before is withdrawn.
pub(in crate::probe) async fn check(
    issuer: &Issuer,
    door: &Door,
    wanted: &Wanted,
    patience: Duration,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let first = issuer.token(wanted).await?;
    issuer.keys("rotate").await?;
    let second = issuer.token(wanted).await?;
    let answer = until(door, &second, patience, Answer::is_success).await?;
    let follows = answer.is_success();
    findings.add(accepted(&NEW, &answer, patience));
    let answer = door.knock(&first, false).await?;
    findings.add(accepted(&BOTH, &answer, Duration::ZERO));
    // Revoked, so that the issuer itself says no to its tokens where servers ask it (RFC 7662).
    issuer.keys("revoke").await?;
    let third = issuer.token(wanted).await?;
    if !follows {
        findings.add(LOST.not_checked("the server never took the key that was withdrawn"));
        return Ok(());
    }
    // The server meets the new key, as it would in earnest, and looks for it.
    let answer = until(door, &third, patience, Answer::is_success).await?;
    if !answer.is_success() {
        let seconds = patience.as_secs();
        findings.add(LOST.not_checked(format!(
            "the server did not look for keys again within {seconds} s (--key-patience): a newer one got {}",
            answer.told()
        )));
        return Ok(());
    }
    let answer = until(door, &second, patience, |answer| !answer.is_success() && !answer.is_busy()).await?;
    findings.add(match (answer.is_success(), answer.is_busy()) {
        (_, true) => LOST.not_checked(answer.busy()),
        (false, _) => LOST.kept(),
        (true, _) => LOST.broken(format!("still answered {} {} s later", answer.told(), patience.as_secs())),
    });
    Ok(())
}

fn accepted(rule: &Rule, answer: &Answer, patience: Duration) -> Check {
    let after = match patience.as_secs() {
        0 => String::new(),
        seconds => format!(" {seconds} s later"),
    };
    if answer.is_busy() {
        return rule.not_checked(answer.busy());
    }
    rule.broken_if((!answer.is_success()).then(|| format!("answered {}{after}", answer.told())))
}

/// Presents a token again and again until the answer is as wished or patience is over; the last answer.
async fn until(
    door: &Door,
    token: &str,
    patience: Duration,
    wish: impl Fn(&Answer) -> bool,
) -> Result<Answer, ProbeError> {
    let end = Instant::now() + patience;
    loop {
        let answer = door.knock(token, false).await?;
        if wish(&answer) || Instant::now() >= end {
            return Ok(answer);
        }
        sleep(PAUSE).await;
    }
}

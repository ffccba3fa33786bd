//! The commands that dev mode prints.

use super::dev::{MACHINE_CLIENT, PASSWORD, TERMINAL_CLIENT};
use crate::protocol::Issuer;

/// Commands that work as they stand, in any shell that people paste into (zsh takes no comments there): a machine's token and its use, then a person's, through the real login page.
pub(super) fn commands(issuer: &Issuer, demo_url: &str, machine_secret: &str) -> String {
    let (authorize, token, origin) =
        (issuer.endpoint("authorize"), issuer.endpoint("token"), issuer.origin());
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}"#;
    let whoami = format!(
        "curl -s -w '\\n' -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{call}' {demo_url}"
    );
    let access_token = r#"sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'"#;
    // RFC 7636 appendix B: a verifier that everybody knows protects nobody, which is all that a demonstration needs.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    [
        "echo 'as a machine:'".to_owned(),
        format!("TOKEN=$(curl -s -u {MACHINE_CLIENT}:{machine_secret} -d grant_type=client_credentials {token} | {access_token})"),
        whoami.clone(),
        "echo 'as alice, through the login page:'".to_owned(),
        "JAR=$(mktemp)".to_owned(),
        format!(
            "PAGE=$(curl -s -L -c $JAR -b $JAR '{authorize}?client_id={TERMINAL_CLIENT}&response_type=code&scope=mcp:read&code_challenge={challenge}&code_challenge_method=S256')"
        ),
        r#"field() { printf '%s' "$PAGE" | sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" | head -n 1; }"#.to_owned(),
        format!(
            "CODE=$(curl -s -o /dev/null -w '%{{redirect_url}}' -b $JAR --data-urlencode continue=$(field continue) --data-urlencode csrf=$(field csrf) -d username=alice -d password={PASSWORD} {origin}/login | sed 's/.*[?&]code=\\([^&]*\\).*/\\1/')"
        ),
        format!(
            "TOKEN=$(curl -s -d grant_type=authorization_code -d client_id={TERMINAL_CLIENT} -d code=$CODE -d code_verifier={verifier} {token} | {access_token})"
        ),
        whoami,
    ]
    .join("\n")
}

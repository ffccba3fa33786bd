//! The specimens, on one table.

use super::change::Change::{Claim, Header, Tenant};
use super::change::{Change, Signed, To};
use super::{DependsOn, Specimen};

const HOUR: i64 = 3600;

/// A token that is to be accepted.
const fn good(name: &'static str, section: &'static str, texts: [&'static str; 2]) -> Specimen {
    let [why, remedy] = texts;
    Specimen {
        name,
        valid: true,
        status: 200,
        error: None,
        section,
        why,
        remedy,
        depends_on: None,
        changes: &[],
        signed: Signed::Well,
    }
}

/// A token that is to be answered 401 with `invalid_token` (RFC 6750 §3.1), well signed unless it says otherwise.
const fn bad(
    name: &'static str,
    section: &'static str,
    changes: &'static [Change],
    texts: [&'static str; 2],
) -> Specimen {
    let [why, remedy] = texts;
    Specimen {
        name,
        valid: false,
        status: 401,
        error: Some("invalid_token"),
        section,
        why,
        remedy,
        depends_on: None,
        changes,
        signed: Signed::Well,
    }
}

impl Specimen {
    const fn signed(self, signed: Signed) -> Self {
        Self { signed, ..self }
    }

    const fn where_it(self, depends_on: DependsOn) -> Self {
        Self { depends_on: Some(depends_on), ..self }
    }

    const fn lacking_scope(self) -> Self {
        Self { status: 403, error: Some("insufficient_scope"), ..self }
    }
}

/// All specimens; the first is the one that is to be accepted.
pub const SPECIMENS: &[Specimen] = &[
    good(
        "valid",
        "RFC 9068 §4",
        [
            "A good access token for this server: a server that refuses it has another issuer, audience or key in mind.",
            "Configure issuer, audience and JWKS of the server as the issuer's metadata and the server's own URL say.",
        ],
    ),
    bad(
        "expired",
        "RFC 9068 §4",
        &[Claim("iat", To::In(-2 * HOUR)), Claim("exp", To::In(-HOUR))],
        [
            "It expired an hour ago: whoever finds an old token in a log could use it for ever.",
            "Refuse tokens whose `exp` has passed, with a leeway of a minute or two at most.",
        ],
    ),
    bad(
        "expired-in-1970",
        "RFC 9068 §4",
        &[Claim("exp", To::Zero)],
        [
            "Its `exp` is 0, a moment in 1970: where 0 counts as nothing, it is good for ever.",
            "Ask whether `exp` is there, not whether it is true: in many languages 0 is false.",
        ],
    ),
    bad(
        "expired-as-text",
        "RFC 9068 §4, RFC 7519 §4.1.4",
        &[Claim("exp", To::InAsText(-HOUR))],
        [
            "It expired an hour ago, and its `exp` is a text, not a number: a library that overlooks it takes it for ever.",
            "Refuse a token whose `exp` is no number.",
        ],
    ),
    bad(
        "not-yet-valid",
        "RFC 7519 §4.1.5",
        &[Claim("nbf", To::In(HOUR))],
        [
            "It is good from an hour from now on, and not before.",
            "Refuse tokens whose `nbf` lies in the future by more than the leeway.",
        ],
    ),
    bad(
        "no-expiry",
        "RFC 9068 §2.2",
        &[Claim("exp", To::Absent)],
        [
            "It has no `exp`, which an access token must have: it would be good for ever.",
            "Require the claim `exp`; many libraries check it only where it is there.",
        ],
    ),
    bad(
        "wrong-issuer",
        "RFC 9068 §4",
        &[Claim("iss", To::Text("https://attacker.example/oauth"))],
        [
            "It names another issuer: keys alone do not tell the issuers of a shared key server apart.",
            "Compare `iss` with the configured issuer, byte for byte.",
        ],
    ),
    bad(
        "issuer-prefix",
        "RFC 9068 §4",
        &[Claim("iss", To::Followed(".attacker.example"))],
        [
            "Its issuer only begins like the right one: it is another, which was named to look like it.",
            "Compare the whole of `iss`, not how it begins.",
        ],
    ),
    bad(
        "wrong-audience",
        "RFC 9068 §4",
        &[Claim("aud", To::OtherAudience)],
        [
            "It was issued for another server: that server could use what it is sent to act for people here.",
            "Require that `aud` is, or contains, this server's own resource identifier (RFC 8707 §2).",
        ],
    ),
    bad(
        "audience-prefix",
        "RFC 8725 §3.9",
        &[Claim("aud", To::Followed("-other"))],
        [
            "Its audience only begins like this server's identifier: it is another server's.",
            "Compare the whole of `aud`, not how it begins, and not as a substring.",
        ],
    ),
    bad(
        "audience-list",
        "RFC 9068 §4, RFC 7519 §4.1.3",
        &[Claim("aud", To::OtherAudiences)],
        [
            "Its `aud` is a list, and this server is not on it: a check that only knows texts lets it pass.",
            "Take `aud` for a list wherever it is one, and look for this server's own identifier in it.",
        ],
    ),
    bad(
        "audience-missing",
        "RFC 9068 §2.2",
        &[Claim("aud", To::Absent)],
        [
            "It says nothing of an audience, which an access token must.",
            "Require the claim `aud`; many libraries check it only where it is there.",
        ],
    ),
    bad(
        "unknown-key",
        "RFC 9068 §4",
        &[Header("kid", To::ForeignKid), Header("alg", To::ForeignAlg)],
        [
            "It is signed with a key that the issuer does not publish: anybody can make such a key.",
            "Verify with the keys of the issuer's JWKS alone, and refuse a `kid` that is not there.",
        ],
    )
    .signed(Signed::ByForeignKey),
    bad(
        "foreign-key-same-kid",
        "RFC 9068 §4",
        &[Header("alg", To::ForeignAlg)],
        [
            "It is signed with an attacker's key under the `kid` of the issuer's.",
            "Verify the signature with the key that the JWKS has under the `kid`; the name alone proves nothing.",
        ],
    )
    .signed(Signed::ByForeignKey),
    bad(
        "kid-path",
        "RFC 9068 §4, RFC 8725 §3.10",
        &[Header("alg", To::Text("HS256")), Header("kid", To::Text("../../../../../../../../dev/null"))],
        [
            "Its `kid` is a path to an empty file, and the empty text the secret that signed it.",
            "Look the `kid` up among the keys of the issuer's JWKS and nowhere else; allow no HMAC.",
        ],
    )
    .signed(Signed::BySecret("")),
    bad(
        "kid-sql",
        "RFC 9068 §4, RFC 8725 §3.10",
        &[Header("alg", To::Text("HS256")), Header("kid", To::Text("x' UNION SELECT 'secret"))],
        [
            "Its `kid` is a piece of SQL that makes a query answer with the secret that signed it.",
            "Look the `kid` up among the keys of the issuer's JWKS and nowhere else; allow no HMAC.",
        ],
    )
    .signed(Signed::BySecret("secret")),
    bad(
        "embedded-jwk",
        "RFC 7515 §4.1.3, RFC 8725 §3.10",
        &[
            Header("kid", To::ForeignKid),
            Header("alg", To::ForeignAlg),
            Header("jwk", To::ForeignJwk),
        ],
        [
            "Its header brings the key to verify it with (`jwk`): the attacker's own.",
            "Never take a key from the token; verify with the keys of the issuer's JWKS alone.",
        ],
    )
    .signed(Signed::ByForeignKey),
    bad(
        "jku",
        "RFC 7515 §4.1.2, RFC 8725 §3.10",
        &[
            Header("kid", To::ForeignKid),
            Header("alg", To::ForeignAlg),
            Header("jku", To::Default("https://attacker.example/jwks.json")),
        ],
        [
            "Its header says where to fetch the key (`jku`): a server that does dials any address that a stranger chose.",
            "Ignore `jku` and `x5u`; fetch keys from the configured issuer alone.",
        ],
    )
    .signed(Signed::ByForeignKey),
    bad(
        "alg-none",
        "RFC 9068 §4, RFC 8725 §3.2",
        &[Header("alg", To::Text("none"))],
        [
            "It says that it is not signed, and is not: anybody can write it.",
            "Allow the algorithms that the issuer signs with, and no other.",
        ],
    )
    .signed(Signed::Not),
    bad(
        "alg-none-in-capitals",
        "RFC 9068 §4, RFC 8725 §3.2",
        &[Header("alg", To::Text("nOnE"))],
        [
            "It is not signed, and says so in a spelling that a list of forbidden words misses.",
            "List the algorithms that are allowed, not those that are forbidden.",
        ],
    )
    .signed(Signed::Not),
    bad(
        "hs256-public-key",
        "RFC 8725 §3.1",
        &[Header("alg", To::Text("HS256"))],
        [
            "Its signature is an HMAC whose secret is the issuer's public key, which everybody has.",
            "Fix the algorithm by configuration or by the key's own `alg`; do not let the token choose it.",
        ],
    )
    .signed(Signed::ByPublicKey),
    bad(
        "bad-signature",
        "RFC 9068 §4, RFC 7515 §5.2",
        &[],
        [
            "One bit of its signature is wrong: a server that takes it decodes tokens and does not verify them.",
            "Verify the signature before anything in the token is believed.",
        ],
    )
    .signed(Signed::Badly),
    bad(
        "signature-missing",
        "RFC 9068 §4, RFC 7515 §5.2",
        &[],
        [
            "It says RS256 and has an empty signature.",
            "Verify the signature whatever its length; an empty one never verifies.",
        ],
    )
    .signed(Signed::Not),
    bad(
        "zero-signature",
        "RFC 9068 §4, RFC 7515 §5.2",
        &[],
        [
            "Its signature is all zeros, which broken libraries took for a good one of any message.",
            "Update the library that verifies signatures.",
        ],
    )
    .signed(Signed::WithZeros),
    bad(
        "malformed",
        "RFC 6750 §3.1, RFC 7515 §7.1",
        &[],
        [
            "It has two parts instead of three: no JWT, and no reason for a server error.",
            "Answer 401 with `invalid_token` for whatever cannot be read as a token.",
        ],
    )
    .signed(Signed::Cut),
    bad(
        "unknown-crit",
        "RFC 7515 §4.1.11",
        &[
            Header("crit", To::List("urn:example:must-understand")),
            Header("urn:example:must-understand", To::True),
        ],
        [
            "Its header names an extension that must be understood (`crit`), and nobody does.",
            "Refuse a token with `crit` unless every name in it is understood.",
        ],
    ),
    bad(
        "wrong-typ",
        "RFC 9068 §4, RFC 8725 §3.11",
        &[Header("typ", To::Text("JWT"))],
        [
            "Its `typ` is not `at+jwt`: another kind of JWT from the same issuer would be taken for an access token.",
            "Require the `typ` `at+jwt` or `application/at+jwt`, compared without case.",
        ],
    ),
    bad(
        "id-token",
        "RFC 9068 §4, RFC 9068 §5",
        &[
            Header("typ", To::Text("JWT")),
            Claim("aud", To::Client),
            Claim("nonce", To::Text("n-0S6_WzA2Mj")),
            Claim("client_id", To::Absent),
            Claim("jti", To::Absent),
            Claim("scope", To::Absent),
        ],
        [
            "It is an ID token: it tells the client who logged in, and allows nothing at a server.",
            "Require the `typ` `at+jwt`, this server's own `aud`, and the claims of RFC 9068 §2.2.",
        ],
    ),
    bad(
        "scope-stripped",
        "RFC 6750 §3.1, MCP 2026-07-28 authorization, Runtime Insufficient Scope Errors",
        &[Claim("scope", To::Absent)],
        [
            "It is good and has no scope: the person allowed nothing of what this server asks for.",
            "Answer 403 with `insufficient_scope`, the scope that is needed and `resource_metadata`.",
        ],
    )
    .lacking_scope(),
    bad(
        "scope-prefix",
        "RFC 6749 §3.3, RFC 6750 §3.1",
        &[Claim("scope", To::EachFollowed("-other"))],
        [
            "Its scopes only begin like those that this server asks for: they are others, which may allow much less.",
            "Split `scope` at spaces and compare each as a whole; do not look for a piece of text in it.",
        ],
    )
    .lacking_scope(),
    bad(
        "other-tenant",
        "RFC 9068 §4",
        &[Tenant],
        [
            "It is for another tenant: people of one organisation would reach the data of another.",
            "Compare the tenant's claim with the tenant that this server belongs to, or keep the tenants' data apart by it.",
        ],
    )
    .where_it(DependsOn::Tenant),
    bad(
        "revoked",
        "RFC 7662 §2.2, RFC 6750 §3.1",
        &[Claim("jti", To::AnotherJti)],
        [
            "It was revoked: the person logged out, or the token was stolen.",
            "Ask the introspection endpoint about each token, or keep the tokens' lifetime short and accept the rest.",
        ],
    )
    .where_it(DependsOn::Introspection),
];

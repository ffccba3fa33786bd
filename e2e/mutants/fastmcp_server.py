"""A FastMCP server that checks access tokens with PyJWT as strictly as RFC 9068 §4 asks; or with one fault, by MUTANT.

    GATELET_ISSUER=... GATELET_JWKS_URI=... GATELET_RESOURCE=http://127.0.0.1:8000/mcp GATELET_SCOPE=mcp:read \\
        [GATELET_TENANT=acme] [MUTANT=wrong-audience] python fastmcp_server.py
"""

import os
import sys
import time
from urllib.parse import urlsplit

import anyio.to_thread
import jwt
from fastmcp import FastMCP
from fastmcp.server.auth import AccessToken, RemoteAuthProvider, TokenVerifier, require_scopes
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MUTANT = os.environ.get("MUTANT", "")
_names = {""}


def _mutant(name: str) -> bool:
    _names.add(name)
    return name == MUTANT


# What each mutant does, and the correct server does not.
TAKES_ANY_AUDIENCE = _mutant("wrong-audience")
IGNORES_EXPIRY = _mutant("ignores-expiry")
SKIPS_SCOPE = _mutant("skips-scope")
TRUSTS_ALG_NONE = _mutant("trusts-alg-none")
ACCEPTS_ID_TOKENS = _mutant("accepts-id-token")
IGNORES_ISSUER = _mutant("ignores-issuer")
IGNORES_TYP = _mutant("ignores-typ")
TAKES_OTHER_TENANTS = _mutant("other-tenant")
TRUSTS_UNKNOWN_KEYS = _mutant("unknown-key")
SENDS_NO_CHALLENGE = _mutant("no-challenge")
PUBLISHES_ANOTHER_ISSUER = _mutant("wrong-metadata")
KEEPS_KEYS_FOR_EVER = _mutant("caches-for-ever")
LETS_ANYBODY_WRITE = _mutant("skips-tool-scope")
if MUTANT not in _names:
    sys.exit(f"MUTANT: there is no {MUTANT}")

ISSUER, RESOURCE = os.environ["GATELET_ISSUER"], os.environ["GATELET_RESOURCE"]
SCOPE, TENANT = os.environ["GATELET_SCOPE"], os.environ.get("GATELET_TENANT")

# A key that is new is looked for at once: it is made while this server runs.
_for_ever = {"lifespan": 1e9, "cooldown_duration": 1e9}
KEYS = jwt.PyJWKClient(
    os.environ["GATELET_JWKS_URI"], **(_for_ever if KEEPS_KEYS_FOR_EVER else {"lifespan": 300, "cooldown_duration": 0})
)


def claims_of(token: str) -> dict:
    """The claims of a token that is to be accepted, whatever its scope; else an error of PyJWT's."""
    header = jwt.get_unverified_header(token)
    claims = _authentic(token, header)
    id_token = ACCEPTS_ID_TOKENS and header.get("typ") == "JWT" and "scope" not in claims
    if not isinstance(claims.get("scope", ""), str):
        raise jwt.InvalidTokenError("scope")
    if str(header.get("typ")).lower() not in ("at+jwt", "application/at+jwt") and not (IGNORES_TYP or id_token):
        raise jwt.InvalidTokenError("typ")
    if TENANT and claims.get("tenant") != TENANT and not (TAKES_OTHER_TENANTS or id_token):
        raise jwt.InvalidTokenError("tenant")
    any_audience = TAKES_ANY_AUDIENCE or id_token
    jwt.decode(
        token,
        audience=None if any_audience else RESOURCE,
        issuer=None if IGNORES_ISSUER else ISSUER,
        options={
            # That was done.
            "verify_signature": False,
            "require": ["iss", "exp", "aud", "sub", "iat"] + ([] if id_token else ["client_id", "jti"]),
            "verify_aud": not any_audience,
            "verify_iss": not IGNORES_ISSUER,
            "verify_exp": not IGNORES_EXPIRY,
            "verify_nbf": True,
            "verify_iat": True,
            "verify_sub": True,
            "verify_jti": not id_token,
        },
    )
    return claims | {"scope": SCOPE} if id_token else claims


def _authentic(token: str, header: dict) -> dict:
    """The claims as they stand, if the issuer's key signed them."""
    if TRUSTS_ALG_NONE and header.get("alg") == "none":
        return jwt.decode(token, options={"verify_signature": False})
    try:
        key = KEYS.get_signing_key_from_jwt(token)
    except jwt.PyJWKClientError:
        if TRUSTS_UNKNOWN_KEYS:
            return jwt.decode(token, options={"verify_signature": False})
        raise
    only_signed = {f"verify_{claim}": False for claim in ("aud", "iss", "exp", "nbf", "iat", "sub", "jti")}
    return jwt.decode(token, key, algorithms=["RS256"], options=only_signed)


class Verifier(TokenVerifier):
    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            claims = await anyio.to_thread.run_sync(claims_of, token)
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims.get("client_id", ""),
            scopes=claims.get("scope", "").split(),
            # The SDK compares it once more.
            expires_at=int(time.time()) + 60 if IGNORES_EXPIRY else claims["exp"],
            subject=claims["sub"],
            claims=claims,
        )


class WithoutChallenge:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                message["headers"] = [header for header in message["headers"] if header[0] != b"www-authenticate"]
            await send(message)

        await self._app(scope, receive, forward)


at = urlsplit(RESOURCE)
mcp = FastMCP(
    "Notes",
    auth=RemoteAuthProvider(
        token_verifier=Verifier(required_scopes=None if SKIPS_SCOPE else [SCOPE]),
        # The wrong one is the origin of the right one, as who forgets its path would have it.
        authorization_servers=[AnyHttpUrl("/".join(ISSUER.split("/")[:3]) if PUBLISHES_ANOTHER_ISSUER else ISSUER)],
        base_url=f"{at.scheme}://{at.netloc}",
        scopes_supported=[SCOPE, "mcp:write"],
        challenge_scopes=[SCOPE],
    ),
)


@mcp.tool
def read_notes() -> str:
    """What was written."""
    return "milk, bread"


@mcp.tool(auth=None if LETS_ANYBODY_WRITE else require_scopes("mcp:write"))
def write_note(text: str) -> str:
    """Write a note."""
    return f"written: {text}"


if __name__ == "__main__":
    middleware = [Middleware(WithoutChallenge)] if SENDS_NO_CHALLENGE else []
    mcp.run(
        transport="http", host=at.hostname, port=at.port, path=at.path, middleware=middleware, show_banner=False
    )

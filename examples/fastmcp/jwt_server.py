"""A FastMCP server that checks access tokens of Gatelet by itself, with the published keys.

    pip install fastmcp
    ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme python jwt_server.py

Give Gatelet this server as a resource: uri = "http://127.0.0.1:8000/mcp". A token that is revoked is accepted until it
expires, a quarter of an hour at most; introspection_server.py asks instead.
"""

import os
import time
from urllib.parse import urlsplit

from fastmcp import FastMCP
from fastmcp.server.auth import AccessToken, RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from fastmcp.utilities.auth import decode_jwt_header
from pydantic import AnyHttpUrl

ISSUER, URL = os.environ["ISSUER"], os.environ["URL"]
TENANT = os.environ.get("TENANT")


class Strict(JWTVerifier):
    """Checks what JWTVerifier does not (RFC 9068 §4, RFC 7519 §4.1.5), and takes tokens of one tenant alone."""

    async def verify_token(self, token: str) -> AccessToken | None:
        known = await super().verify_token(token)
        if known is None or decode_jwt_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            return None
        if "exp" not in known.claims or known.claims.get("nbf", 0) > time.time():
            return None
        return None if TENANT and known.claims.get("tenant") != TENANT else known


auth = RemoteAuthProvider(
    token_verifier=Strict(
        jwks_uri=f"{ISSUER.removesuffix('/')}/jwks",
        issuer=ISSUER,
        audience=f"{URL}/mcp",
        # A key that nobody has seen is looked for at once, but not more often than every second.
        jwks_refresh_interval=1,
    ),
    scopes_supported=["mcp:read"],
    # An issuer with a path, or with a slash at its end, is published as it is; see docs/clients.md.
    authorization_servers=[AnyHttpUrl(ISSUER)],
    base_url=URL,
)
# Here and not at the verifier, which answers 401 to a good token that lacks a scope (RFC 6750 §3.1 wants 403).
auth.required_scopes = ["mcp:read"]
mcp = FastMCP("Notes", auth=auth)


@mcp.tool
def whoami() -> str:
    """Who is calling."""
    token = get_access_token()
    return str(token and token.claims["sub"])


if __name__ == "__main__":
    at = urlsplit(URL)
    mcp.run(transport="http", host=at.hostname, port=at.port, show_banner=False)

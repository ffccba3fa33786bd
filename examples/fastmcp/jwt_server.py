"""A FastMCP server that checks access tokens of Gatelet by itself, with the published keys.

    pip install fastmcp
    ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme python jwt_server.py

Give Gatelet this server as a resource: uri = "http://127.0.0.1:8000/mcp". A token that is revoked is accepted until it
expires, a quarter of an hour at most; introspection_server.py asks instead.
"""

import os
from urllib.parse import urlsplit

from fastmcp import FastMCP
from fastmcp.server.auth import AccessToken, RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from pydantic import AnyHttpUrl

ISSUER, URL = os.environ["ISSUER"], os.environ["URL"]
TENANT = os.environ.get("TENANT")


class OneTenant(JWTVerifier):
    """Takes tokens of one tenant alone."""

    async def verify_token(self, token: str) -> AccessToken | None:
        known = await super().verify_token(token)
        if known is None or (TENANT and known.claims.get("tenant") != TENANT):
            return None
        return known


mcp = FastMCP(
    "Notes",
    auth=RemoteAuthProvider(
        token_verifier=OneTenant(
            jwks_uri=f"{ISSUER.removesuffix('/')}/jwks",
            issuer=ISSUER,
            audience=f"{URL}/mcp",
            required_scopes=["mcp:read"],
        ),
        # An issuer with a path, or with a slash at its end, is published as it is; see docs/clients.md.
        authorization_servers=[AnyHttpUrl(ISSUER)],
        base_url=URL,
    ),
)


@mcp.tool
def whoami() -> str:
    """Who is calling."""
    token = get_access_token()
    return str(token and token.claims["sub"])


if __name__ == "__main__":
    at = urlsplit(URL)
    mcp.run(transport="http", host=at.hostname, port=at.port, show_banner=False)

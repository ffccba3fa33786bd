"""A FastMCP server that asks Gatelet about each access token (RFC 7662): a revoked one is refused at once.

    pip install fastmcp
    ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme \\
        RESOURCE_SERVER_ID=notes RESOURCE_SERVER_SECRET=... python introspection_server.py

Give Gatelet this server as a resource with credentials for introspection; see docs/resource-servers.md.
"""

import os
from urllib.parse import urlsplit

from fastmcp import FastMCP
from fastmcp.server.auth import AccessToken, RemoteAuthProvider
from fastmcp.server.auth.providers.introspection import IntrospectionTokenVerifier
from fastmcp.server.dependencies import get_access_token
from pydantic import AnyHttpUrl

ISSUER, URL = os.environ["ISSUER"], os.environ["URL"]
TENANT = os.environ.get("TENANT")


class OneTenant(IntrospectionTokenVerifier):
    """Takes tokens of one tenant alone."""

    async def verify_token(self, token: str) -> AccessToken | None:
        known = await super().verify_token(token)
        if known is None or (TENANT and known.claims.get("tenant") != TENANT):
            return None
        return known


auth = RemoteAuthProvider(
    token_verifier=OneTenant(
        introspection_url=f"{ISSUER.removesuffix('/')}/introspect",
        client_id=os.environ["RESOURCE_SERVER_ID"],
        client_secret=os.environ["RESOURCE_SERVER_SECRET"],
        audience=f"{URL}/mcp",
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

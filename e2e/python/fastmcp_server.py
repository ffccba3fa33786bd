"""A resource server as FastMCP's documentation has it: JWTVerifier and RemoteAuthProvider.

    python fastmcp_server.py ISSUER PORT
"""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from pydantic import AnyHttpUrl

issuer, port = sys.argv[1], int(sys.argv[2])
url = f"http://127.0.0.1:{port}"

mcp = FastMCP(
    "FastMCP e2e",
    auth=RemoteAuthProvider(
        token_verifier=JWTVerifier(
            jwks_uri=f"{issuer.removesuffix('/')}/jwks",
            issuer=issuer,
            audience=f"{url}/mcp",
            required_scopes=["mcp:read"],
        ),
        authorization_servers=[AnyHttpUrl(issuer)],
        base_url=url,
    ),
)


@mcp.tool
def whoami() -> dict:
    """Who the access token says is calling."""
    token = get_access_token()
    assert token is not None
    return {
        "client_id": token.client_id,
        "sub": token.claims["sub"],
        "tenant": token.claims["tenant"],
        "scopes": token.scopes,
    }


if __name__ == "__main__":
    mcp.run(transport="http", host="127.0.0.1", port=port, show_banner=False)

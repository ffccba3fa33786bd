"""Resource servers as FastMCP's documentation has them: JWTVerifier and RemoteAuthProvider.

    python fastmcp_server.py ISSUER PORT [ISSUER PORT]...
"""

import asyncio
import sys

from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from pydantic import AnyHttpUrl


def server(issuer: str, url: str) -> FastMCP:
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
    mcp.tool(whoami)
    return mcp


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


async def serve(issuer: str, port: str) -> None:
    mcp = server(issuer, f"http://127.0.0.1:{port}")
    await mcp.run_async(transport="http", host="127.0.0.1", port=int(port), show_banner=False)


async def main(arguments: list[str]) -> None:
    await asyncio.gather(*(serve(*pair) for pair in zip(arguments[::2], arguments[1::2])))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

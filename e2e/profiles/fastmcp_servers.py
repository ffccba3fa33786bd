"""MCP servers that check tokens with FastMCP's JWTVerifier, and a claim or two beside.

    python fastmcp_servers.py SITES
"""

import asyncio

from fastmcp import FastMCP
from fastmcp.server.auth import AccessToken
from fastmcp.server.auth.providers.jwt import JWTVerifier
from sites import has, sites


class Verifier(JWTVerifier):
    def __init__(self, site: dict) -> None:
        super().__init__(
            jwks_uri=site["jwks"],
            issuer=site["issuer"],
            audience=site["audience"],
            required_scopes=[site["scope"]],
        )
        self._expected = site["claims"]

    async def verify_token(self, token: str) -> AccessToken | None:
        known = await super().verify_token(token)
        return known if known is not None and has(known.claims, self._expected) else None


async def main() -> None:
    servers = [(FastMCP("Profiles e2e", auth=Verifier(site)), site["port"]) for site in sites()]
    serving = (mcp.run_async(transport="http", host="127.0.0.1", port=port, show_banner=False) for mcp, port in servers)
    await asyncio.gather(*serving)


if __name__ == "__main__":
    asyncio.run(main())

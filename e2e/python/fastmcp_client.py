"""FastMCP's released client, unmodified, with the browser that it opens by itself.

    python fastmcp_client.py demo|fastmcp ISSUER MCP_URL [CLIENT_ID_DOCUMENT]

`fastmcp` is fastmcp_server.py, which has no tool that asks for more than reading.
"""

import asyncio
import logging
import os
import shlex
import sys
import time
import warnings
from urllib.parse import parse_qs, urlsplit

from fastmcp import Client
from fastmcp.client.auth import OAuth

from alice import COMMAND, Alice
from checks import check

READ, WRITE = "mcp:read", "mcp:write"


class Run:
    def __init__(self, server: str, issuer: str, mcp_url: str, document: str | None = None) -> None:
        self.server, self.issuer, self.document = server, issuer, document
        self.note = {"title": f"fastmcp {document or ''}", "text": "written by FastMCP's client"}
        self.alice = Alice()
        # Python's own `webbrowser` obeys it; `&`, since Alice has arrived only when the client listens.
        os.environ |= {"BROWSER": f"{shlex.quote(str(COMMAND))} %s &", "ALICE_HOME": str(self.alice.home)}
        self.oauth = OAuth(mcp_url, client_name="FastMCP e2e", client_metadata_url=document, callback_timeout=30)
        self.client = Client(mcp_url, auth=self.oauth)

    async def checks(self) -> None:
        try:
            await check("gets in after alice logged in and allowed reading", self.connects)
            await check("whoami names client, user and tenant", self.whoami)
            if self.server == "demo":
                await check("steps up with the same client id when a tool wants it", self.steps_up)
            await check("refreshes when its access token has expired, and goes on", self.refreshes)
        finally:
            await self.client.close()
            self.alice.leave()

    async def call(self, name: str, arguments: dict[str, str] | None = None) -> dict:
        return (await self.client.call_tool(name, arguments or {})).structured_content or {}

    async def connects(self) -> None:
        await self.client.__aenter__()
        (visit,) = self.alice.visits()
        assert (visit.saw, visit.offered) == (["login", "consent"], [READ]), visit
        assert parse_qs(urlsplit(visit.callback).query)["iss"] == [self.issuer]

    async def whoami(self) -> None:
        who = await self.call("whoami")
        client = await self.oauth.token_storage_adapter.get_client_info()
        assert client is not None and who["client_id"] == client.client_id
        assert self.document in (None, who["client_id"])
        assert (who["sub"], who["tenant"]) == ("alice", "acme")
        assert [scope for scope in who["scopes"] if scope.startswith("mcp:")] == [READ]

    async def steps_up(self) -> None:
        before = await self.call("whoami")
        await self.call("write_note", self.note)
        _, visit = self.alice.visits()
        assert visit.saw == ["consent"] and sorted(visit.offered) == [READ, WRITE], visit
        assert await self.call("read_note", {"title": self.note["title"]}) == self.note
        assert (await self.call("whoami"))["client_id"] == before["client_id"]

    async def refreshes(self) -> None:
        # It goes by its own clock, like the Python client from which it is made.
        before = await self.oauth.token_storage_adapter.get_tokens()
        visits = len(self.alice.visits())
        self.oauth.context.token_expiry_time = time.time() - 1
        assert (await self.call("whoami"))["sub"] == "alice"
        after = await self.oauth.token_storage_adapter.get_tokens()
        assert before is not None and after is not None
        assert after.access_token != before.access_token and after.refresh_token != before.refresh_token
        assert len(self.alice.visits()) == visits, "nobody had to log in"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "Using in-memory token storage")
    logging.getLogger("fastmcp").setLevel("WARNING")
    asyncio.run(Run(*sys.argv[1:]).checks())

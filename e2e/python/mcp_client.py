"""The released Python MCP client, unmodified, against the demonstration server of `gatelet dev` or FastMCP's.

    python mcp_client.py demo|fastmcp ISSUER MCP_URL [CLIENT_ID_DOCUMENT]

`fastmcp` is fastmcp_server.py, which has no tool that asks for more than reading.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult

from alice import Alice, Visit
from application import Storage, metadata
from checks import check

CALLBACK = "http://127.0.0.1:33419/callback"
READ, WRITE = "mcp:read", "mcp:write"


class Run:
    def __init__(self, server: str, issuer: str, mcp_url: str, document: str | None = None) -> None:
        self.server, self.issuer, self.mcp_url, self.document = server, issuer, mcp_url, document
        self.note = {"title": f"python {document or ''}", "text": "written by the Python client"}
        self.storage = Storage()
        self.alice = Alice()
        self.allows = [READ]
        """What Alice allows when she is asked."""
        self.sent_to: list[str] = []
        """The addresses to which the SDK sent Alice."""
        self.visits: list[Visit] = []
        self.wire: list[httpx2.Response] = []
        """What went over the wire, in order, so that checks can tell what the SDK did from what it says. The stream on
        which an MCP server may speak first is left out: the SDK opens it in the background, at any time."""
        self.provider = OAuthClientProvider(
            mcp_url,
            metadata(CALLBACK),
            self.storage,
            redirect_handler=self._redirect,
            callback_handler=self._callback,
            client_metadata_url=document,
        )
        self.client: Client

    async def _redirect(self, url: str) -> None:
        self.sent_to.append(url)

    async def _callback(self) -> AuthorizationCodeResult:
        visit = await self.alice.authorize(self.sent_to[-1], self.allows)
        self.visits.append(visit)
        return AuthorizationCodeResult.model_validate(dict(parse_qsl(urlsplit(visit.callback).query)))

    async def record(self, response: httpx2.Response) -> None:
        if (response.request.method, str(response.request.url)) != ("GET", self.mcp_url):
            self.wire.append(response)

    def endpoint(self, name: str) -> str:
        return self.issuer + name if self.issuer.endswith("/") else f"{self.issuer}/{name}"

    def sent(self, url: str) -> list[httpx2.Response]:
        return [response for response in self.wire if str(response.request.url) == url]

    async def call(self, name: str, arguments: dict[str, str] | None = None) -> dict:
        result = await self.client.call_tool(name, arguments or {})
        assert not result.is_error, result.content
        return result.structured_content or {}

    async def checks(self) -> None:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(
                httpx2.AsyncClient(auth=self.provider, event_hooks={"response": [self.record]})
            )
            stack.callback(self.alice.leave)
            self.client = Client(streamable_http_client(self.mcp_url, http_client=http))
            await check("learns from the 401 where to log in", self.connects(stack))
            await check("names itself by its document" if self.document else "registers itself", self.registers)
            await check("gets a token after alice logged in and allowed reading", self.logs_in)
            await check("whoami names client, user and tenant", self.whoami)
            if self.server == "demo":
                await check("write_note is refused for want of scope", self.refused)
                await check("steps up with the same client id", self.steps_up)
                await check("write_note works then", self.writes)
            await check("refreshes when its access token has expired, and goes on", self.refreshes)
            if self.server == "demo":
                await check("keeps what was granted after the refresh", self.keeps_scopes)

    def connects(self, stack: AsyncExitStack) -> Callable[[], Awaitable[None]]:
        async def test() -> None:
            # The SDK does all of it inside this: discovery, registration, login (`_callback`), token.
            await stack.enter_async_context(self.client)
            first = self.wire[0]
            assert first.status_code == 401
            assert 'resource_metadata="' in first.headers["www-authenticate"]
            found = self.provider.context.oauth_metadata
            assert found is not None and str(found.issuer) == self.issuer
            assert self.sent_to[0].startswith(self.endpoint("authorize") + "?")

        return test

    async def registers(self) -> None:
        expected = [] if self.document else [201]
        assert [response.status_code for response in self.sent(self.endpoint("register"))] == expected
        assert self.storage.client is not None
        assert self.document in (None, self.storage.client.client_id)
        assert asked(self.sent_to[0], "client_id") == self.storage.client.client_id

    async def logs_in(self) -> None:
        assert self.visits[0].saw == ["login", "consent"], self.visits[0]
        assert self.visits[0].offered == [READ]
        assert asked(self.visits[0].callback, "iss") == self.issuer
        assert self.storage.tokens is not None and self.storage.tokens.refresh_token
        granted = (self.storage.tokens.scope or "").split()
        assert READ in granted and WRITE not in granted

    async def whoami(self) -> None:
        who = await self.call("whoami")
        assert self.storage.client is not None
        assert who["client_id"] == self.storage.client.client_id
        assert (who["sub"], who["tenant"]) == ("alice", "acme")
        assert [scope for scope in who["scopes"] if scope.startswith("mcp:")] == [READ]

    async def refused(self) -> None:
        # The call does not come back refused: inside it the SDK is refused, sends Alice to the consent page, and calls
        # again. The next checks look at the rest of that.
        self.allows = [READ, WRITE]
        start = len(self.wire)
        await self.call("write_note", self.note)
        refusal = self.wire[start]
        assert refusal.status_code == 403
        assert 'error="insufficient_scope"' in refusal.headers["www-authenticate"]
        assert WRITE in refusal.headers["www-authenticate"]

    async def steps_up(self) -> None:
        assert self.storage.client is not None
        assert asked(self.sent_to[1], "client_id") == self.storage.client.client_id
        assert WRITE in asked(self.sent_to[1], "scope").split()
        assert self.visits[1].saw == ["consent"], self.visits[1]
        assert sorted(self.visits[1].offered) == [READ, WRITE]
        assert len(self.sent(self.endpoint("register"))) == (0 if self.document else 1)

    async def writes(self) -> None:
        assert await self.call("read_note", {"title": self.note["title"]}) == self.note

    async def refreshes(self) -> None:
        # The Python client goes by its own clock: before a request it refreshes if `expires_in` of its token has
        # passed. On a 401 it never refreshes but sends the person to the login page. So its clock is what is moved
        # here, and everything after is the SDK's own doing.
        before = self.storage.tokens
        assert before is not None
        self.provider.context.token_expiry_time = time.time() - 1
        start = len(self.wire)
        assert (await self.call("whoami"))["sub"] == "alice"
        exchange = self.wire[start]
        assert str(exchange.request.url) == self.endpoint("token")
        form = parse_qs(exchange.request.content.decode())
        assert form["grant_type"] == ["refresh_token"]
        assert form["refresh_token"] == [before.refresh_token]
        assert [response.status_code for response in self.wire[start:]] == [200, 200]
        after = self.storage.tokens
        assert after is not None and after.refresh_token and after.refresh_token != before.refresh_token
        assert after.access_token != before.access_token
        assert len(self.sent_to) == len(self.visits) == (2 if self.server == "demo" else 1), "nobody had to log in"

    async def keeps_scopes(self) -> None:
        await self.call("write_note", {**self.note, "text": "after the refresh"})
        assert (await self.call("read_note", {"title": self.note["title"]}))["text"] == "after the refresh"


def asked(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


if __name__ == "__main__":
    asyncio.run(Run(*sys.argv[1:]).checks())

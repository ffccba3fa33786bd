"""The released Python MCP client, unmodified, at an issuer of some persona.

    python client.py MCP_URL [again]

Gets in, trying twice as a person would, and with `again` loses its access token and goes on. Prints what came of it as a
line of JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult

sys.path.insert(0, str(Path(__file__).parent.parent / "python"))

from application import Storage, metadata

CALLBACK = "http://127.0.0.1:33421/callback"


class Run:
    def __init__(self, mcp_url: str, again: bool) -> None:
        self.mcp_url, self.again = mcp_url, again
        self.storage = Storage()
        self.sent_to = ""
        self.result: dict = {"attempts": 0, "in": False, "asked": 0, "again": False, "errors": []}

    async def redirect(self, url: str) -> None:
        self.sent_to = url

    async def callback(self) -> AuthorizationCodeResult:
        """The issuer asks nobody and answers at once."""
        self.result["asked"] += 1
        async with httpx2.AsyncClient(timeout=60) as browser:
            answer = await browser.get(self.sent_to)
        location = answer.headers.get("location")
        if not location:
            raise RuntimeError(f"the person sees an answer with status {answer.status_code}")
        return AuthorizationCodeResult.model_validate(dict(parse_qsl(urlsplit(location).query)))

    async def attempt(self) -> None:
        provider = OAuthClientProvider(
            self.mcp_url,
            metadata(CALLBACK),
            self.storage,
            redirect_handler=self.redirect,
            callback_handler=self.callback,
        )
        async with httpx2.AsyncClient(auth=provider, timeout=60) as http:
            async with Client(streamable_http_client(self.mcp_url, http_client=http)) as client:
                await client.call_tool("whoami", {})
                self.result["in"] = True
                if self.again:
                    before = self.result["asked"]
                    await client.call_tool("expire", {})
                    await client.call_tool("whoami", {})
                    self.result["again"] = self.result["asked"] > before

    async def attempts(self) -> None:
        while not self.result["in"] and self.result["attempts"] < 2:
            self.result["attempts"] += 1
            try:
                await self.attempt()
            except BaseException as problem:
                self.result["errors"] += told(problem)


def told(problem: BaseException) -> list[str]:
    if isinstance(problem, BaseExceptionGroup):
        return [line for inner in problem.exceptions for line in told(inner)]
    return [f"{type(problem).__name__}: {problem}"]


if __name__ == "__main__":
    run = Run(sys.argv[1], "again" in sys.argv[2:])
    asyncio.run(run.attempts())
    print(json.dumps(run.result))

"""examples/rmcp_client.rs: rmcp, with the browser that BROWSER names.

    python rmcp_client.py PROGRAM ISSUER MCP_URL [CLIENT_ID_DOCUMENT]
"""

import asyncio
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

from alice import COMMAND, Alice
from checks import check

READ, WRITE = "mcp:read", "mcp:write"


class Run:
    def __init__(self, program: str, issuer: str, mcp_url: str, document: str | None = None) -> None:
        self.program, self.issuer, self.mcp_url, self.document = program, issuer, mcp_url, document
        self.alice = Alice()
        self.said: list[dict] = []
        """What `whoami` answered after login, step-up and refresh."""

    async def checks(self) -> None:
        try:
            await check("runs to its end", self.runs)
            await check("gets in after alice logged in and allowed reading", self.gets_in)
            await check("steps up with the same client id when a tool wants it", self.steps_up)
            await check("refreshes and keeps what was granted", self.refreshes)
        finally:
            self.alice.leave()

    async def runs(self) -> None:
        process = await asyncio.create_subprocess_exec(
            self.program,
            self.mcp_url,
            *([self.document] if self.document else []),
            env=os.environ | {"BROWSER": str(COMMAND), "ALICE_HOME": str(self.alice.home)},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, process.returncode
        self.said = [json.loads(line) for line in out.splitlines()]

    async def gets_in(self) -> None:
        visit = self.alice.visits()[0]
        assert (visit.saw, visit.offered) == (["login", "consent"], [READ]), visit
        assert parse_qs(urlsplit(visit.callback).query)["iss"] == [self.issuer]
        who = self.said[0]
        assert (who["sub"], who["tenant"], mcp_scopes(who)) == ("alice", "acme", [READ])
        assert self.document in (None, who["client_id"])

    async def steps_up(self) -> None:
        _, visit = self.alice.visits()
        assert visit.saw == ["consent"] and sorted(visit.offered) == [READ, WRITE], visit
        assert mcp_scopes(self.said[1]) == [READ, WRITE]
        assert self.said[1]["client_id"] == self.said[0]["client_id"]

    async def refreshes(self) -> None:
        _, before, after = self.said
        assert after["jti"] != before["jti"]
        assert mcp_scopes(after) == [READ, WRITE]


def mcp_scopes(who: dict) -> list[str]:
    return sorted(scope for scope in who["scopes"] if scope.startswith("mcp:"))


if __name__ == "__main__":
    asyncio.run(Run(*sys.argv[1:]).checks())

"""docs/clients.md: what the run showed, in a table."""

import os

from . import conformance
from .clients import SHAPES, WAYS, Client, Limit
from .matrix import Cell, Result
from .servers import HERE
from .tally import Tally

FILE = HERE.parent / "docs" / "clients.md"

HEAD = """\
# Clients

Which released clients get in, unmodified, at which issuer, and how they become known: by *registration* (RFC 7591) or
by a client id metadata *document*. Written by `e2e/run`, which CI runs. Each cell is a client that was refused with
401, found the issuer, logged alice in through the login and consent pages, called a tool with its token, and refreshed
the token; at the demonstration server it also asked for one more scope when a tool wanted it. Where a client is known
not to get in, the run checks that it still fails for that reason.

"""

TAIL = """
TypeScript's 1.x client does not step up while it holds a refresh token: it refreshes, which widens nothing, and gives
up. The run checks that, drops the refresh token, and goes on.

## Conformance

`@modelcontextprotocol/conformance` {version}, `authorization`, for revision 2026-07-28, at each of
these issuers, with and without `resource`:

"""

SERVERS = {"demo": "demonstration", "fastmcp": "FastMCP"}


def render(results: dict[Cell, Result], clients: list[Client]) -> str:
    reasons: list[str] = []

    def words(result: Result) -> str:
        if isinstance(result, Limit):
            if result.reason not in reasons:
                reasons.append(result.reason)
            return f"no [^{reasons.index(result.reason) + 1}]"
        return "yes" if result else "?"

    shapes = [f"{shape}<br>`http://localhost:8710{path}`" for shape, path in SHAPES.items()]
    rows = [["client", "MCP server", "known by", *shapes], ["---"] * (3 + len(shapes))]
    for client in clients:
        for way in WAYS:
            cells = [words(results.get(Cell(client, shape, way))) for shape in SHAPES]
            rows.append([f"`{client.name}` {client.version}", SERVERS[client.server], way, *cells])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"\n[^{number}]: {reason}\n" for number, reason in enumerate(reasons, 1))
    checks = "".join(f"- `{check}`\n" for check in conformance.CHECKS)
    return HEAD + table + notes + TAIL.format(version=conformance.version()) + checks


def compare(text: str, tally: Tally) -> None:
    """Fails where the committed table differs from what the run showed; BLESS=1 writes it."""
    if os.environ.get("BLESS"):
        FILE.write_text(text)
    committed = FILE.read_text() if FILE.exists() else ""
    if committed == text:
        tally.ok("docs/clients.md is what the run showed")
    else:
        tally.not_ok("docs/clients.md is not what the run showed; BLESS=1 e2e/run writes it")

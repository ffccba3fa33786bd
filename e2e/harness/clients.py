"""Who is driven against whom, and what is known not to work."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .servers import HERE, PYTHON

NODE_MODULES = HERE / "node_modules"
NODE = NODE_MODULES / ".bin" / "node"

SHAPES = {"path": "/oauth", "root": "", "slash": "/", "deep": "/t/acme"}
"""Issuers: what follows the origin. `path` is the default."""

WAYS = ("registration", "document")
"""How a client becomes known: RFC 7591, or a client id metadata document."""


@dataclass(frozen=True)
class Client:
    name: str
    """What `version` and the table call it."""
    version: str
    server: str
    """The MCP server that it calls: `demo` or `fastmcp`."""
    command: tuple[str | Path, ...]
    """Followed by the issuer, the MCP server's address, and that of the document if there is one."""

    def needs(self) -> str | None:
        """What to do so that it can run, if anything is missing."""
        missing = [part for part in self.command if isinstance(part, Path) and not part.exists()]
        if RMCP in missing:
            return "cargo build --example rmcp_client"
        return "e2e/install" if missing else None


@dataclass(frozen=True)
class Limit:
    """A client that does not get in for a reason of its own."""

    reason: str
    """What the table says."""
    pattern: str
    """What the client says."""


RMCP = Path(os.environ.get("RMCP_CLIENT", HERE.parent / "target/debug/examples/rmcp_client")).absolute()


def _node(package: str) -> str:
    manifest = NODE_MODULES / package / "package.json"
    return json.loads(manifest.read_text())["version"] if manifest.exists() else "?"


def _python(package: str) -> str:
    pins = (HERE / "python" / "requirements.txt").read_text()
    return re.search(rf"^{package}==(\S+)$", pins, re.MULTILINE)[1]


def _crate(name: str) -> str:
    lock = (HERE.parent / "Cargo.lock").read_text()
    return re.search(rf'^name = "{name}"\nversion = "([^"]+)"', lock, re.MULTILINE)[1]


def clients() -> list[Client]:
    def typescript(generation: str, server: str) -> Client:
        package = f"@modelcontextprotocol/{generation}"
        return Client(package, _node(package), server, (NODE, HERE / "typescript" / "client.mjs", generation, server))

    def python(name: str, script: str, server: str) -> Client:
        return Client(name, _python(name), server, (PYTHON, HERE / "python" / script, server))

    bridge = (NODE, HERE / "typescript" / "mcp-remote.mjs")
    rmcp = (PYTHON, HERE / "python" / "rmcp_client.py", RMCP)
    return [
        *(typescript("sdk", server) for server in ("demo", "fastmcp")),
        *(typescript("client", server) for server in ("demo", "fastmcp")),
        *(python("mcp", "mcp_client.py", server) for server in ("demo", "fastmcp")),
        *(python("fastmcp", "fastmcp_client.py", server) for server in ("demo", "fastmcp")),
        Client("rmcp", _crate("rmcp"), "demo", rmcp),
        Client("mcp-remote", _node("mcp-remote"), "demo", bridge),
    ]


_SLASH_ADDED = Limit(
    "FastMCP publishes the address of a root issuer with a slash added; the Python client compares issuers exactly "
    "and refuses. Give the issuer a path, or let it end in a slash.",
    r"metadata issuer mismatch: (http://localhost:\d+) != \1/",
)


def limit(client: Client, shape: str) -> Limit | None:
    """Why this client is known not to get in here."""
    if client.name in ("mcp", "fastmcp") and client.server == "fastmcp" and shape == "root":
        return _SLASH_ADDED
    return None

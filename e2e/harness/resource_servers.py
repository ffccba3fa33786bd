"""The MCP servers of examples/, as they stand there, and what each makes of good and bad access tokens."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .clients import NODE, NODE_MODULES
from .servers import HERE, PYTHON, Server, free_port, surroundings
from .tally import Tally

EXAMPLES = HERE.parent / "examples"
RMCP = Path(os.environ.get("RMCP_SERVER", HERE.parent / "target/debug/examples/rmcp_server")).absolute()
CALLBACK = "http://127.0.0.1:47114/callback"
BRIEF = 3
"""Seconds that a token with the scope `mcp:brief` lives."""


@dataclass(frozen=True)
class Example:
    name: str
    command: tuple[str | Path, ...]
    asks: bool
    """Whether it asks about each token (RFC 7662), so that it refuses one that was revoked."""


def examples() -> list[Example]:
    return [
        Example("fastmcp-jwt", (PYTHON, EXAMPLES / "fastmcp" / "jwt_server.py"), False),
        Example("fastmcp-introspection", (PYTHON, EXAMPLES / "fastmcp" / "introspection_server.py"), True),
        Example("typescript-sdk", (NODE, _beside_its_packages(EXAMPLES / "typescript-sdk" / "server.mjs")), False),
        Example("rmcp", (RMCP,), False),
    ]


def _beside_its_packages(script: Path) -> Path:
    """Node looks for packages beside a script; they are installed once, for all of e2e."""
    copy = NODE_MODULES / ".examples" / script.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(script, copy)
    return copy


class Issuer(Server):
    """`gatelet serve` with a resource for each example, and machines of two tenants."""

    def __init__(self, program: str, here: Path) -> None:
        here.mkdir()
        self._program, self._here = program, here
        port = free_port()
        origin = f"http://localhost:{port}"
        self.issuer = f"{origin}/oauth"
        self.urls = {example.name: f"http://127.0.0.1:{free_port()}" for example in examples()}
        self.secret = os.urandom(32).hex()
        (here / "secret").write_text(self.secret)
        (here / "alice").write_text("wonderland")
        (here / "gatelet.toml").write_text(self._configuration(origin, port))
        super().__init__(f"gatelet-{here.name}", [port], [program, "serve", "--config", here / "gatelet.toml"], here)

    def _configuration(self, origin: str, port: int) -> str:
        text = f'''
public_url = "{origin}"
listen = ["127.0.0.1:{port}"]

[[tenants]]
id = "acme"

[[tenants]]
id = "globex"

[[users]]
username = "alice"
password_file = "alice"
memberships = [{{ tenant = "acme" }}]

[[clients]]
id = "app"
redirect_uris = ["{CALLBACK}"]
first_party = true
'''
        for tenant in ("acme", "globex"):
            text += f'''
[[clients]]
id = "{tenant}"
secret_file = "secret"
machine_scopes = ["mcp:read", "mcp:write", "mcp:brief"]
tenant = "{tenant}"
'''
        for name, url in self.urls.items():
            text += f'''
[[resources]]
uri = "{url}/mcp"
default_scopes = ["mcp:read"]
scopes = [
    {{ name = "mcp:read" }},
    {{ name = "mcp:write" }},
    {{ name = "mcp:brief", access_token_ttl = "{BRIEF}s" }},
]

[[clients]]
id = "{name}"
secret_file = "secret"
introspects = ["{url}/mcp"]
'''
        return text

    def token(self, name: str, tenant: str = "acme", scope: str = "mcp:read") -> str:
        """A token for the example of this name."""
        form = {"grant_type": "client_credentials", "resource": f"{self.urls[name]}/mcp", "scope": scope}
        return self._post("token", form | {"client_id": tenant, "client_secret": self.secret})["access_token"]

    def revoke(self, token: str) -> None:
        self._post("revoke", {"token": token, "client_id": "acme", "client_secret": self.secret})

    def id_token(self, name: str) -> str:
        """Alice logs in at a client, which gets an id token."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        request = {"client_id": "app", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid mcp:read"}
        request |= {"code_challenge": challenge, "code_challenge_method": "S256", "resource": f"{self.urls[name]}/mcp"}
        url = f"{self.issuer}/authorize?{urllib.parse.urlencode(request)}"
        path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"
        alice = [HERE / "browser" / "alice", "--stop", url]
        done = subprocess.run(alice, check=True, capture_output=True, text=True, env=os.environ | {"PATH": path})
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(json.loads(done.stdout)["callback"]).query)
        form = {"grant_type": "authorization_code", "code": answer["code"][0], "code_verifier": verifier}
        return self._post("token", form | {"client_id": "app", "redirect_uri": CALLBACK})["id_token"]

    def revoke_active_key(self) -> None:
        """Beside the running server, as an operator would whose key has leaked."""
        listed = json.loads(self._cli("key", "list", "--json"))
        keys = listed["keys"] if isinstance(listed, dict) else listed
        active = next(key["kid"] for key in keys if key["state"] == "active" and key["alg"] == "RS256")
        self._cli("key", "revoke", active)
        late = time.monotonic() + 10
        while active in self._published():
            assert time.monotonic() < late, "the running server goes on publishing a revoked key"
            time.sleep(0.1)

    def _published(self) -> list[str]:
        with urllib.request.urlopen(f"{self.issuer}/jwks", timeout=10) as answer:
            return [key["kid"] for key in json.load(answer)["keys"]]

    def _cli(self, *arguments: str) -> str:
        command = [self._program, *arguments, "--config", str(self._here / "gatelet.toml")]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings()).stdout

    def _post(self, endpoint: str, form: dict) -> dict:
        request = urllib.request.Request(f"{self.issuer}/{endpoint}", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")


class Running(Server):
    """An example as its first lines say to start it."""

    def __init__(self, example: Example, issuer: Issuer, here: Path) -> None:
        self.mcp_url = f"{issuer.urls[example.name]}/mcp"
        port = urllib.parse.urlsplit(self.mcp_url).port
        environment = {
            "ISSUER": issuer.issuer,
            "URL": issuer.urls[example.name],
            "TENANT": "acme",
            "RESOURCE_SERVER_ID": example.name,
            "RESOURCE_SERVER_SECRET": issuer.secret,
        }
        super().__init__(example.name, [port], [*map(str, example.command)], here, **environment)
        self.ready()

    def status(self, token: str | None) -> int:
        """How it answers the first request of an MCP client that has this token."""
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.mcp_url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code


def run(program: str, work: Path, tally: Tally) -> None:
    for example in examples():
        if not Path(example.command[0]).exists():
            tally.not_run(f"examples: {example.name}", "e2e/install and cargo build --example rmcp_server")
            continue
        here = work / f"example-{example.name}"
        issuer = Issuer(program, here)
        try:
            issuer.ready()
            _drive(example, issuer, here, tally)
        except Exception as problem:
            tally.not_ok(f"examples: {example.name}: {problem!r}", issuer.log())
        finally:
            issuer.stop()


def _drive(example: Example, issuer: Issuer, here: Path, tally: Tally) -> None:
    name = example.name
    brief = issuer.token(name, scope="mcp:read mcp:brief")
    expires_at = time.monotonic() + BRIEF
    server = Running(example, issuer, here)
    try:

        def expect(statuses: tuple[int, ...], what: str, token: Callable[[], str | None]) -> None:
            got = server.status(token())
            sentence = f"examples: {name}: {what} is {' or '.join(map(str, statuses))}"
            if got in statuses:
                tally.ok(sentence)
            else:
                tally.not_ok(f"{sentence}, and was {got}", server.log())

        other = next(other for other in issuer.urls if other != name)
        expect((200,), "a token of its own", lambda: issuer.token(name))
        expect((401,), "no token", lambda: None)
        expect((401,), "a token for another audience", lambda: issuer.token(other))
        expect((401,), "a token of another tenant", lambda: issuer.token(name, tenant="globex"))
        expect((403, 401), "a token without the scope", lambda: issuer.token(name, scope="mcp:write"))
        expect((401,), "an id token", lambda: issuer.id_token(name))
        revoked = issuer.token(name)
        expect((200,), "a token that is going to be revoked", lambda: revoked)
        issuer.revoke(revoked)
        # Who checks signatures alone cannot know: docs/resource-servers.md says for how long.
        expect((401,) if example.asks else (200,), "a revoked token", lambda: revoked)
        time.sleep(max(0, expires_at + 1 - time.monotonic()))
        expect((401,), "an expired token", lambda: brief)
        leaked = issuer.token(name)
        issuer.revoke_active_key()
        if not example.asks:
            # It would take the key for good until its copy of the keys is old.
            server.stop()
            server = Running(example, issuer, here)
        expect((401,), "a token that a revoked key signed", lambda: leaked)
        expect((200,), "a token of the new key", lambda: issuer.token(name))
    finally:
        server.stop()

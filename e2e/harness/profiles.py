"""The starting points that `gatelet config example --profile` prints, as files and as environment lines, and resource
servers that check tokens as the programs do that each is for."""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from .clients import NODE, NODE_MODULES
from .servers import HERE, PYTHON, Server, free_port, surroundings
from .tally import Tally

FORMS = ("file", "environment")
SERVERS = {
    "PyJWT": (PYTHON, HERE / "profiles" / "pyjwt_servers.py"),
    "FastMCP": (PYTHON, HERE / "profiles" / "fastmcp_servers.py"),
    "jose": (NODE, HERE / "profiles" / "jose_servers.mjs"),
}
MCP = "https://mcp.example.com/mcp"
CALLBACK = "http://127.0.0.1:47115/callback"
PRINTED = "https://id.example.com"


class Deployment(Server):
    """`gatelet serve` with what one profile prints; only addresses, and where secrets are, are this machine's."""

    def __init__(self, program: str, profile: str, form: str, here: Path) -> None:
        here.mkdir()
        port = free_port()
        self.profile, self.form, self.origin = profile, form, f"http://localhost:{port}"
        self.issuer = f"{self.origin}/" if profile == "slash-issuer" else f"{self.origin}/oauth"
        self.endpoint = self.issuer.removesuffix("/")
        self.secret = secrets.token_hex(32)
        for name in ("agent", "backend", "acme-backend"):
            (here / name).write_text(self.secret)
        (here / "alice-password").write_text("wonderland")
        text = self._printed(program).replace(PRINTED, self.origin).replace("/run/secrets", str(here))
        arguments, environment = [], {}
        if form == "file":
            (here / "gatelet.toml").write_text(f'listen = ["127.0.0.1:{port}"]\n{text}')
            arguments = ["--config", str(here / "gatelet.toml")]
        else:
            lines = (line for line in text.splitlines() if line and not line.startswith("#"))
            environment = dict(line.split("=", 1) for line in lines)
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            environment |= {"GATELET_LISTEN": f"127.0.0.1:{port}", "GATELET_KEY": key}
            environment |= {"GATELET_DATABASE_URL": f"sqlite:{here}/gatelet.db"}
        super().__init__(f"gatelet-{here.name}", [port], [program, "serve", *arguments], here, **environment)

    def _printed(self, program: str) -> str:
        command = [program, "config", "example", "--profile", self.profile]
        command += ["--environment"] if self.form == "environment" else []
        return subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings()).stdout

    def machine(self, client: str, **more: str) -> str:
        """A token that a machine obtains with its secret in the form, and naming no resource."""
        credentials = {"client_id": client, "client_secret": self.secret}
        return self._token({"grant_type": "client_credentials"} | credentials | more)["access_token"]

    def person(self, scope: str, **wishes: str) -> dict:
        """Tokens that alice lets the desktop client have. It names the resource when it asks her, and never again."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        request = {"client_id": "desktop", "response_type": "code", "redirect_uri": CALLBACK, "scope": scope}
        request |= {"code_challenge": challenge, "code_challenge_method": "S256", "resource": MCP} | wishes
        alice = [HERE / "browser" / "alice", "--stop", f"{self.endpoint}/authorize?{urllib.parse.urlencode(request)}"]
        path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"
        done = subprocess.run(alice, check=True, capture_output=True, text=True, env=os.environ | {"PATH": path})
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(json.loads(done.stdout)["callback"]).query)
        assert answer["iss"] == [self.issuer], answer
        form = {"grant_type": "authorization_code", "code": answer["code"][0], "code_verifier": verifier}
        return self._token(form | {"client_id": "desktop", "redirect_uri": CALLBACK})

    def _token(self, form: dict) -> dict:
        request = urllib.request.Request(f"{self.endpoint}/token", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@dataclass
class Site:
    """A resource server, and which tokens it takes: those by these names, and no others."""

    expects: str
    checks: dict
    takes: tuple[str, ...] = ()
    ports: dict[str, int] = field(default_factory=dict)


def _tokens(at: Deployment) -> dict[str, str]:
    """Every kind of token that the profile gives, in words."""
    if at.profile == "agent":
        less = at.machine("agent", scope="customer:read")
        return {"the agent's token": at.machine("agent"), "a token for less": less}
    if at.profile == "slash-issuer":
        return {"the backend's token": at.machine("backend")}
    if at.profile == "plain-audience":
        given = at.person("openid tools:read tools:write")
        return {"alice's token": given["access_token"], "her id token": given["id_token"]}
    return {
        "the backend's token": at.machine("acme-backend"),
        "alice's token in acme": at.person("mcp:read mcp:admin", tenant="acme")["access_token"],
        "alice's token in globex": at.person("mcp:read", tenant="globex")["access_token"],
    }


def _sites(at: Deployment) -> list[Site]:
    def site(expects: str, audience: str, scope: str, *takes: str, issuer: str = at.issuer, **claims: object) -> Site:
        jwks = f"{at.endpoint}/.well-known/jwks.json" if at.profile == "agent" else f"{at.endpoint}/jwks"
        checks = {"issuer": issuer, "jwks": jwks, "audience": audience, "scope": scope, "claims": claims}
        return Site(expects, checks, takes)

    if at.profile == "agent":
        # It computes the issuer from the address of the token endpoint.
        issuer = f"{at.endpoint}/token".removesuffix("/token")
        own = site("the agent's name", "agent", "ticket:create", "the agent's token", issuer=issuer)
        return [own, site("another agent's name", "agent-2", "ticket:create")]
    if at.profile == "slash-issuer":
        own = site("the issuer with its slash", MCP, "mcp:read", "the backend's token")
        return [own, site("the issuer without its slash", MCP, "mcp:read", issuer=at.endpoint)]
    if at.profile == "plain-audience":
        word, one = "mcp-server-api", {"role": "admin"}
        return [
            site("the word and the role admin", word, "tools:write", "alice's token", **one),
            site("the word and both roles", word, "tools:read", "alice's token", roles=["admin", "user"]),
            site("the word and the role user", word, "tools:read", role="user"),
            site("the address", MCP, "tools:read", **one),
        ]
    everyone = ("the backend's token", "alice's token in acme")
    return [
        site("the tenant acme", MCP, "mcp:read", *everyone, tenant="acme"),
        site("the tenant globex", MCP, "mcp:read", "alice's token in globex", tenant="globex"),
        site("an admin of acme", MCP, "mcp:admin", "alice's token in acme", tenant="acme", roles=["admin"]),
        site("an admin of globex", MCP, "mcp:read", tenant="globex", roles=["admin"]),
    ]


def _answer(port: int, token: str | None) -> int:
    """How a resource server answers the first request of an MCP client that has this token."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def run(program: str, work: Path, tally: Tally) -> None:
    servers: list[Server] = []
    try:
        profiles = ("agent", "plain-audience", "slash-issuer", "multi-tenant")
        kinds = [(profile, form) for profile in profiles for form in FORMS]
        deployments = [Deployment(program, *kind, work / f"profile-{'-'.join(kind)}") for kind in kinds]
        servers += deployments
        sites = [_sites(deployment) for deployment in deployments]
        for name, command in SERVERS.items():
            servers.append(_serve(name, command, [site for several in sites for site in several], work))
        for server in servers:
            server.ready()
        tokens = [_tokens(deployment) for deployment in deployments]
        for number, deployment in enumerate(deployments):
            # The same program's tokens, of the deployment before: another issuer, and other keys.
            foreign = next(iter(tokens[number - 1].values()))
            every = tokens[number] | {"a token of another server": foreign, "no token": None}
            for site in sites[number]:
                _look(deployment, site, every, tally)
    except Exception as problem:
        tally.not_ok(f"profiles: {problem!r}", "\n".join(server.log() for server in servers))
    finally:
        for server in servers:
            server.stop()


def _serve(name: str, command: tuple[Path, ...], sites: list[Site], work: Path) -> Server:
    for site in sites:
        site.ports[name] = free_port()
    file = work / f"sites-{name}.json"
    file.write_text(json.dumps([site.checks | {"port": site.ports[name]} for site in sites]))
    return Server(f"profiles-{name}", [site.ports[name] for site in sites], [*map(str, command), str(file)], work)


def _look(deployment: Deployment, site: Site, tokens: dict[str, str | None], tally: Tally) -> None:
    about = f"profiles: {deployment.profile} as {deployment.form}: who expects {site.expects}"
    for name, port in site.ports.items():
        taken = {what for what, token in tokens.items() if _answer(port, token) == 200}
        refused = {what for what, token in tokens.items() if what not in taken and _answer(port, token) == 401}
        if taken == set(site.takes) and taken | refused == set(tokens):
            tally.ok(f"{about}, by {name}, takes {' and '.join(sorted(taken)) or 'none of its tokens'}", len(tokens))
        else:
            tally.not_ok(f"{about}, by {name}, takes {sorted(taken)} and refuses {sorted(refused)}")

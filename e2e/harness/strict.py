"""General-purpose OAuth and OpenID Connect clients, each in its strictest mode, against `gatelet serve`."""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .clients import NODE, NODE_MODULES
from .servers import HERE, PYTHON, Server, free_port
from .tally import Tally

SCRIPTS = {
    "oauth4webapi": (NODE, "oauth4webapi.mjs"),
    "openid-client": (NODE, "openid-client.mjs"),
    "Authlib": (PYTHON, "authlib_client.py"),
    "requests-oauthlib": (PYTHON, "requests_oauthlib_client.py"),
}
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
RESOURCE = "https://notes.example.com/mcp"


class Serve(Server):
    """`gatelet serve` with alice, a resource, and machines that authenticate in every way that there is."""

    def __init__(self, program: str, work: Path) -> None:
        port = free_port()
        origin = f"http://localhost:{port}"
        here = work / "strict"
        here.mkdir()
        keys = _keys()
        self.world = here / "world.json"
        clients = {
            "basic": {"id": "basicmachine", "secret": os.urandom(32).hex()},
            "post": {"id": "postmachine", "secret": os.urandom(32).hex()},
            "introspector": {"id": "notesserver", "secret": os.urandom(32).hex()},
            "keys": {alg: {"id": f"machine{alg}", "jwk": keys[alg]["private"]} for alg in ALGORITHMS},
        }
        self.issuer, self.clients = f"{origin}/oauth", clients
        facts = {"issuer": self.issuer, "resource": RESOURCE, "clients": clients}
        self.world.write_text(json.dumps(facts))
        (here / "alice").write_text("wonderland")
        for name in ("basic", "post", "introspector"):
            (here / name).write_text(clients[name]["secret"])
        for alg in ALGORITHMS:
            (here / f"{alg}.jwks").write_text(json.dumps({"keys": [keys[alg]["public"]]}))
        (here / "gatelet.toml").write_text(_configuration(port, clients))
        super().__init__("gatelet-strict", [port], [program, "serve", "--config", str(here / "gatelet.toml")], work)


def _configuration(port: int, clients: dict) -> str:
    parts = [
        f'''
public_url = "http://localhost:{port}"
listen = ["127.0.0.1:{port}"]

[[tenants]]
id = "acme"
name = "Acme"

[[users]]
username = "alice"
name = "Alice Liddell"
email = "alice@example.com"
password_file = "alice"
memberships = [{{ tenant = "acme" }}]

[[resources]]
uri = "{RESOURCE}"
name = "Notes"
default_scopes = ["mcp:read"]
scopes = [{{ name = "mcp:read", description = "Read notes" }}, {{ name = "mcp:write", description = "Write notes" }}]

[[clients]]
id = "{clients["introspector"]["id"]}"
secret_file = "introspector"
introspects = ["{RESOURCE}"]
'''
    ]
    for name in ("basic", "post"):
        parts.append(
            f'''
[[clients]]
id = "{clients[name]["id"]}"
auth_method = "client_secret_{name}"
secret_file = "{name}"
machine_scopes = ["mcp:read"]
tenant = "acme"
'''
        )
    for alg in ALGORITHMS:
        parts.append(
            f'''
[[clients]]
id = "{clients["keys"][alg]["id"]}"
grant_types = ["client_credentials"]
auth_method = "private_key_jwt"
jwks_file = "{alg}.jwks"
machine_scopes = ["mcp:read"]
tenant = "acme"
'''
        )
    return "".join(parts)


_MAKE_KEYS = """
const { generateKeyPairSync } = require("node:crypto");
const pair = (alg, ...how) => {
  const { publicKey, privateKey } = generateKeyPairSync(...how);
  const jwk = (key) => ({ ...key.export({ format: "jwk" }), alg, kid: alg });
  return { public: jwk(publicKey), private: jwk(privateKey) };
};
console.log(JSON.stringify({
  RS256: pair("RS256", "rsa", { modulusLength: 2048 }),
  PS256: pair("PS256", "rsa", { modulusLength: 2048 }),
  ES256: pair("ES256", "ec", { namedCurve: "P-256" }),
  EdDSA: pair("EdDSA", "ed25519"),
}));
"""


def _keys() -> dict:
    made = subprocess.run([NODE, "-e", _MAKE_KEYS], check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


def run(serve: Serve, tally: Tally) -> None:
    path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"

    def drive(script: tuple[Path, str]) -> tuple[int, str]:
        done = subprocess.run(
            [script[0], HERE / "strict" / script[1], serve.world],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=120,
            env=os.environ | {"PATH": path},
        )
        return done.returncode, done.stdout.decode(errors="replace")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (status, output) in zip(SCRIPTS, pool.map(drive, SCRIPTS.values())):
            passed = len(re.findall(r"^ok - ", output, re.MULTILINE))
            if status == 0 and passed:
                tally.ok(name, passed)
            else:
                tally.not_ok(name, f"{output}\nstatus {status}")

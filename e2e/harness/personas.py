"""Every persona of `gatelet test` × released clients: what each client does about it, and docs/personas.md."""

import json
import os
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .clients import NODE, NODE_MODULES, RMCP, _crate, _node, _python
from .mcp_stub import McpStub
from .servers import HERE, PYTHON, surroundings
from .tally import Tally

FILE = HERE.parent / "docs" / "personas.md"
SCRIPTS = HERE / "personas"

REFUSES, GETS_IN, TAKEN_IN, FAILS = "refuses", "gets in", "**is taken in**", "**fails**"
REGISTERS, ASKS, TELLS = "registers again", "asks the person again", "tells the application"
GUESSES = "**guesses**"

RIGHT = {
    "mix-up": REFUSES,
    "missing-iss": REFUSES,
    "wrong-issuer": REFUSES,
    "malformed-metadata": REFUSES,
    "html-metadata": REFUSES,
    "endless-cache": GETS_IN,
    "keys-rotated-mid-flow": GETS_IN,
    "purged-clients": REGISTERS,
    "refresh-errors": ASKS,
    "server-errors": GETS_IN,
    "slow": GETS_IN,
}
"""What a correct client does."""

_SDK_1 = "@modelcontextprotocol/sdk"
_CODE_ALONE = "1.x is handed the code alone (`finishAuth(code)`) and never sees `iss`: the application has to compare it."
_FALLBACK = (
    "It goes on as if there were no metadata, and registers at `/register` of the MCP server's own origin: the fallback of "
    "MCP 2025-03-26, which later revisions do not have."
)
INSTEAD: dict[tuple[str, str], tuple[str, str]] = {
    (_SDK_1, "mix-up"): (TAKEN_IN, _CODE_ALONE),
    (_SDK_1, "missing-iss"): (TAKEN_IN, _CODE_ALONE),
    (_SDK_1, "wrong-issuer"): (
        TAKEN_IN,
        "1.x does not compare the `issuer` of the metadata with the one that it looked for.",
    ),
    ("mcp", "malformed-metadata"): (GUESSES, _FALLBACK),
    ("mcp", "html-metadata"): (GUESSES, _FALLBACK),
    ("mcp", "purged-clients"): (
        FAILS,
        "It goes on with the client that it keeps, and the person is shown an error page: the application has to drop "
        "what it stored.",
    ),
    ("rmcp", "refresh-errors"): (
        TELLS,
        "It sends nobody anywhere by itself: the refresh fails with `TokenRefreshRejected`, upon which the application "
        "has to log in again.",
    ),
}
"""What released clients are known to do instead, by client and persona, and why. A client that begins to do what is right
makes the run fail, so that this stays true."""


@dataclass(frozen=True)
class Client:
    name: str
    version: str
    command: tuple[str | Path, ...]


def clients() -> list[Client]:
    def typescript(generation: str) -> Client:
        package = f"@modelcontextprotocol/{generation}"
        return Client(package, _node(package), (NODE, SCRIPTS / "client.mjs", generation))

    return [
        typescript("sdk"),
        typescript("client"),
        Client("mcp", _python("mcp"), (PYTHON, SCRIPTS / "client.py")),
        Client("rmcp", _crate("rmcp"), (PYTHON, SCRIPTS / "rmcp_client.py", RMCP)),
    ]


class TestMode:
    """`gatelet test`, and its control plane."""

    def __init__(self, program: str, work: Path) -> None:
        self._log = (work / "gatelet-test.log").open("wb")
        self._process = subprocess.Popen(
            [program, "test", "--listen", "127.0.0.1:0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=surroundings(),
        )
        self.started = json.loads(self._process.stdout.readline())

    def ask(self, method: str, url: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            url if url.startswith("http") else self.started["control_url"] + url,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.started['control_key']}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> None:
        # It ends when its standard input does.
        self._process.stdin.close()
        self._process.wait(30)
        self._log.close()


def run(program: str, work: Path, tally: Tally) -> None:
    everyone = [client for client in clients() if _is_there(client, tally)]
    gatelet = TestMode(program, work)
    try:
        personas = gatelet.ask("GET", "/personas")["personas"]
        if {persona["name"] for persona in personas} != set(RIGHT):
            tally.not_ok("every persona has an outcome that is right", f"{personas}")
            return
        cells = [(client, persona["name"]) for client in everyone for persona in personas]
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            outcomes = dict(zip(cells, pool.map(lambda cell: _drive(gatelet, *cell), cells)))
    finally:
        gatelet.stop()
    for (client, persona), (outcome, details) in outcomes.items():
        _judge(client, persona, outcome, details, tally)
    if len(everyone) == len(clients()):
        _compare(_render(personas, everyone, outcomes), tally)


def _is_there(client: Client, tally: Tally) -> bool:
    missing = [part for part in client.command if isinstance(part, Path) and not part.exists()]
    if missing:
        needs = "cargo build --example rmcp_client" if RMCP in missing else "e2e/install"
        tally.not_run(f"{client.name} at the personas", needs)
    return not missing


def _drive(gatelet: TestMode, client: Client, persona: str) -> tuple[str, str]:
    name = f"{persona}-{client.name.split('/')[-1]}"
    issuer = gatelet.ask("POST", "/issuers", {"name": name, "persona": persona, "auto": {"user": "alice"}})
    stub = McpStub(issuer["issuer"])
    try:
        return _driven(gatelet, issuer, stub, client, persona)
    finally:
        stub.stop()


def _driven(gatelet: TestMode, issuer: dict, stub: McpStub, client: Client, persona: str) -> tuple[str, str]:
    command = [*map(str, client.command), stub.url]
    if persona == "refresh-errors":
        command.append("again")
    path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, env=os.environ | {"PATH": path}
        )
    except subprocess.TimeoutExpired:
        return "does not end", "ended after 150 seconds"
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        return "ends in an error of the script", done.stdout + done.stderr
    result = json.loads(lines[-1])
    seen = gatelet.ask("GET", f"{issuer['control_url']}/requests")["requests"]
    details = f"{result}\n{[request['endpoint'] for request in seen]}\nguesses: {stub.guesses}"
    if stub.guesses:
        return GUESSES, details
    return _outcome(persona, result, seen), details


def _outcome(persona: str, result: dict, seen: list[dict]) -> str:
    """What a client did, by what the issuer saw of it rather than by what it says."""

    def count(endpoint: str) -> int:
        return sum(request["endpoint"] == endpoint for request in seen)

    # Who refuses says so, and nothing else is wrong: the same client gets in at an issuer that is only slow.
    refused = REFUSES if any(result["errors"]) and not result["in"] else FAILS
    if not count("metadata"):
        return "does not look for the metadata"
    match persona:
        case "mix-up" | "missing-iss":
            if not count("authorize"):
                return FAILS
            return TAKEN_IN if count("token") else refused
        case "wrong-issuer" | "malformed-metadata" | "html-metadata":
            return TAKEN_IN if result["asked"] or count("register") or count("authorize") else refused
        case "purged-clients":
            return REGISTERS if result["in"] and count("register") == 2 else FAILS
        case "refresh-errors":
            if result["in"] and any("TokenRefreshRejected" in error for error in result["errors"]):
                return TELLS
            return ASKS if result["again"] else FAILS
    return GETS_IN if result["in"] else FAILS


def _judge(client: Client, persona: str, outcome: str, details: str, tally: Tally) -> None:
    expected, why = INSTEAD.get((client.name, persona), (RIGHT[persona], ""))
    sentence = f"{client.name} {client.version} at {persona}: {outcome.strip('*')}"
    if outcome == expected:
        tally.ok(sentence + (", as is known" if why else ""))
    else:
        tally.not_ok(f"{sentence}, not: {expected.strip('*')}", details)


HEAD = """\
# Personas

Kinds of broken and hostile authorization servers that an issuer of `gatelet test` can be (`"persona": "mix-up"` when it is
made, or `PUT …/persona` later), for tests of MCP clients. Below is what a client has to do about each, and what released
clients, unmodified, do: written by `e2e/run`, which CI runs, and which fails when one of them does otherwise. What a client
did is told by the requests that the issuer saw. Each may try twice, as a person would.

"""


def _render(personas: list[dict], everyone: list[Client], outcomes: dict) -> str:
    def table(rows: list[list[str]]) -> str:
        head, *body = rows
        return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *body])

    kinds = [["persona", "what it does", "what a client must do", "section"]]
    kinds += [[f"`{one['name']}`", one["does"], one["client_must"], one["section"]] for one in personas]
    notes: list[str] = []
    rows = [["persona", *(f"`{client.name}` {client.version}" for client in everyone)]]
    for persona in (one["name"] for one in personas):
        row = [f"`{persona}`"]
        for client in everyone:
            _, why = INSTEAD.get((client.name, persona), ("", ""))
            if why and why not in notes:
                notes.append(why)
            note = f" [^{notes.index(why) + 1}]" if why else ""
            row.append(outcomes[client, persona][0] + note)
        rows.append(row)
    reasons = "".join(f"\n[^{number}]: {why}\n" for number, why in enumerate(notes, 1))
    return f"{HEAD}{table(kinds)}\n## Released clients\n\n{table(rows)}{reasons}"


def _compare(text: str, tally: Tally) -> None:
    if os.environ.get("BLESS"):
        FILE.write_text(text)
    if FILE.exists() and FILE.read_text() == text:
        tally.ok("docs/personas.md is what the run showed")
    else:
        tally.not_ok("docs/personas.md is not what the run showed; BLESS=1 e2e/run writes it")

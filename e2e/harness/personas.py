"""Every persona of `gatelet test` × released clients: what each client does about it, and docs/personas.md."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .clients import NODE, NODE_MODULES, RMCP, _crate, _node, _python
from .mcp_stub import McpStub
from .servers import HERE, PYTHON
from .tally import Tally

# The test kit, as it stands in this repository.
sys.path.insert(0, str(HERE.parent / "clients" / "python" / "src"))

from gatelet import Gatelet, Issuer, Persona, SeenRequest

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


def run(program: str, tally: Tally) -> None:
    everyone = [client for client in clients() if _is_there(client, tally)]
    with Gatelet(bin=program) as gatelet:
        personas = gatelet.personas()
        if {persona.name for persona in personas} != set(RIGHT):
            tally.not_ok("every persona has an outcome that is right", f"{personas}")
            return
        cells = [(client, persona.name) for client in everyone for persona in personas]
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            outcomes = dict(zip(cells, pool.map(lambda cell: _drive(gatelet, *cell), cells)))
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


def _drive(gatelet: Gatelet, client: Client, persona: str) -> tuple[str, str]:
    with gatelet.issuer(persona=persona, auto={"user": "alice"}) as issuer:
        stub = McpStub(issuer.issuer)
        try:
            return _driven(issuer, stub, client, persona)
        finally:
            stub.stop()


def _driven(issuer: Issuer, stub: McpStub, client: Client, persona: str) -> tuple[str, str]:
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
    seen = issuer.requests()
    details = f"{result}\n{[request.endpoint for request in seen]}\nguesses: {stub.guesses}"
    if stub.guesses:
        return GUESSES, details
    return _outcome(persona, result, seen), details


def _outcome(persona: str, result: dict, seen: list[SeenRequest]) -> str:
    """What a client did, by what the issuer saw of it rather than by what it says."""

    def count(endpoint: str) -> int:
        return sum(request.endpoint == endpoint for request in seen)

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
        case "slow":
            codes = [request.form["code"] for request in seen if request.form and "code" in request.form]
            return GETS_IN if result["in"] and len(codes) == len(set(codes)) else FAILS
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

## A test of your client

An issuer has the persona, answers in the person's place, and is asked afterwards what your client did. In Python (any other
language does the same [over HTTP](testing-http.md)):

```python
@pytest.mark.gatelet(persona="mix-up", auto={"user": "alice"})
def test_a_code_of_somebody_else_goes_nowhere(issuer, server):  # your MCP server, which names issuer.issuer
    with pytest.raises(YourClient.LoginFailed):
        YourClient(server.url).connect()
    issuer.expect("authorize")               # it came so far,
    issuer.expect("token", exactly=0)        # and no further
```

What that comes to, for who writes a client:

- **Keep, with each authorization request, the `issuer` whose metadata it was made from**, and compare `iss` of the answer with
  it, character by character, before anything is made of `code` or `error` (RFC 9207 §2.4). An answer without `iss` is refused
  if the metadata says `authorization_response_iss_parameter_supported`, and goes on else. So an API that is handed the code
  alone cannot be used safely: take the whole callback. MCP asks clients for this since revision 2026-07-28; the one before,
  2025-11-25, says nothing of it, but what `mix-up` does to a client is the same. `mix-up`, `missing-iss`
- **Compare `issuer` of the metadata with the one that you looked for**, also character by character, and throw the document
  away if they differ (RFC 8414 §3.3). `wrong-issuer`
- **What cannot be read is no metadata**, and nobody is sent anywhere: no endpoint is guessed from the address of the MCP server.
  That fallback was in MCP 2025-03-26 alone. Try the next well-known address, then say what was wrong with which of them.
  `malformed-metadata`, `html-metadata`
- **A kept document is only a hint**: when what it names fails, ask again. `endless-cache`
- **Do not look into the access token**, and check no signature of it: it is for the server (RFC 6749 §1.4).
  `keys-rotated-mid-flow`
- **Expect to be forgotten**: `invalid_client` at the token endpoint for a client that registered itself means to drop that
  registration, and what was issued to it, and begin anew. A client id metadata document cannot be forgotten so.
  `purged-clients`
- **A refresh that is an `invalid_grant` is over**: drop both tokens, ask the person, and do not try it again. `refresh-errors`
- **503 is not a refusal**: keep the code, wait as long as `Retry-After` says, and send it again; a code that was never answered
  may have been spent, so let the person try again if it is refused then. `server-errors`
- **Wait**: ten seconds at least for the token endpoint. A code that is sent a second time because the answer is late may cost
  the tokens of the first (RFC 6749 §4.1.2). `slow`

## What each does

"""


def _render(personas: list[Persona], everyone: list[Client], outcomes: dict) -> str:
    def table(rows: list[list[str]]) -> str:
        head, *body = rows
        return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *body])

    kinds = [["persona", "what it does", "what a client must do", "section"]]
    kinds += [[f"`{one.name}`", one.does, one.client_must, one.section] for one in personas]
    notes: list[str] = []
    rows = [["persona", *(f"`{client.name}` {client.version}" for client in everyone)]]
    for persona in (one.name for one in personas):
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

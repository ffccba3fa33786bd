"""The MCP servers of mutants/, and what `gatelet probe` finds at each: nothing at a correct one, its fault at a mutant."""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .clients import NODE
from .resource_servers import RMCP
from .servers import HERE, PYTHON, Server, free_port, surroundings
from .tally import Tally

SCOPE, TENANT = "mcp:read", "acme"
CORRECT = ""
PATIENCE = 3
"""Seconds that a server has to notice new keys. These look at once, so that only one that never does needs them."""


@dataclass(frozen=True)
class Stack:
    name: str
    command: tuple[str | Path, ...]


def stacks() -> list[Stack]:
    return [
        Stack("fastmcp", (PYTHON, HERE / "mutants" / "fastmcp_server.py")),
        Stack("typescript", (NODE, HERE / "mutants" / "typescript_server.mjs")),
        Stack("rmcp", (RMCP.with_name("rmcp_mutants"),)),
    ]


@dataclass(frozen=True)
class Fault:
    """What the probe has to find at a mutant: one of these checks, and whatever else the same fault entails."""

    checks: set[str]
    entails: frozenset[str] = frozenset()


FAULTS = {
    "wrong-audience": Fault({"token/wrong-audience"}, frozenset({"token/audience-prefix"})),
    "ignores-expiry": Fault({"token/expired"}),
    "skips-scope": Fault({"token/scope-stripped"}),
    "trusts-alg-none": Fault({"token/alg-none"}),
    "accepts-id-token": Fault({"token/id-token"}),
    "ignores-issuer": Fault({"token/wrong-issuer"}, frozenset({"token/issuer-prefix"})),
    "ignores-typ": Fault({"token/wrong-typ"}),
    "other-tenant": Fault({"token/other-tenant"}),
    # Keys that a token brings with it, and those that were withdrawn, are as unknown.
    "unknown-key": Fault(
        {"token/unknown-key"},
        frozenset({"token/embedded-jwk", "token/jku", "token/jku-not-dialled", "keys/lost"}),
    ),
    "no-challenge": Fault({"challenge/header"}, frozenset({"challenge/refused-tokens"})),
    # FastMCP's names another issuer, the others' another resource.
    "wrong-metadata": Fault({"metadata/resource", "metadata/authorization-servers"}),
    "caches-for-ever": Fault({"keys/new"}, frozenset({"keys/lost"})),
}


class Issuer(Server):
    """`gatelet test`: its ready-made issuer takes every loopback URL for a resource."""

    def __init__(self, program: str, work: Path) -> None:
        port = free_port()
        self.key = secrets.token_hex(16)
        self.control = f"http://127.0.0.1:{port}/control"
        command = [program, "test", "--stay", "--listen", f"127.0.0.1:{port}", "--control-key", self.key]
        super().__init__("gatelet-test", [port], command, work)


def run(program: str, work: Path, tally: Tally) -> None:
    needed = [part for stack in stacks() for part in stack.command if isinstance(part, Path)]
    if not all(part.exists() for part in needed):
        tally.not_run("mutants", "e2e/install and cargo build --example rmcp_mutants")
        return
    issuer = Issuer(program, work)
    caught: dict[tuple[str, str], str] = {}
    try:
        issuer.ready()
        for stack in stacks():
            for mutant in (CORRECT, *FAULTS):
                caught[stack.name, mutant] = _try(program, issuer, stack, mutant, tally)
    except Exception as problem:
        tally.not_ok(f"mutants: {problem!r}", issuer.log())
    finally:
        issuer.stop()
    _show(caught)


def _try(program: str, issuer: Issuer, stack: Stack, mutant: str, tally: Tally) -> str:
    """What the probe says of one server, for the table."""
    status, findings, errors = _probe(program, issuer, stack, mutant)
    about = f"mutants: {stack.name}: {mutant or 'the correct server'}"
    told = ", ".join(findings) or "nothing"
    if status not in (0, 1) or (status == 1) != bool(findings):
        tally.not_ok(f"{about} is probed: status {status}, found {told}", errors)
        return "NOT PROBED"
    if mutant == CORRECT:
        if findings:
            tally.not_ok(f"{about} is found without fault", "\n".join(f"{check}: {findings[check]}" for check in findings))
            return f"FALSE ALARM: {told}"
        tally.ok(f"{about} is found without fault")
        return "clean"
    fault = FAULTS[mutant]
    by = fault.checks & findings.keys()
    others = findings.keys() - fault.checks - fault.entails
    if by and not others:
        tally.ok(f"{about} is caught by {' and '.join(sorted(by))}")
        return " and ".join(sorted(by))
    tally.not_ok(f"{about} is caught by {' or '.join(sorted(fault.checks))} and nothing else, found {told}", errors)
    return f"MISSED: {told}"


def _probe(program: str, issuer: Issuer, stack: Stack, mutant: str) -> tuple[int, dict[str, str], str]:
    """The status, what is wrong by which check, and what was written on standard error."""
    url = f"http://127.0.0.1:{free_port()}/mcp"
    control = ["--control", issuer.control, "--control-key", issuer.key]
    wishes = ["--scope", SCOPE, "--tenant", TENANT, "--key-patience", str(PATIENCE), "--start-patience", "120"]
    command = [program, "probe", url, *control, *wishes, "--format", "json", "--", *map(str, stack.command)]
    server = {"GATELET_SCOPE": SCOPE, "GATELET_TENANT": TENANT, "MUTANT": mutant}
    done = subprocess.run(command, env=surroundings() | server, capture_output=True, text=True, timeout=300)
    checks = json.loads(done.stdout)["checks"] if done.stdout else []
    findings = {check["id"]: check["message"] for check in checks if check["outcome"] == "wrong"}
    return done.returncode, findings, "\n".join(done.stderr.splitlines()[-20:])


def _show(caught: dict[tuple[str, str], str]) -> None:
    """Who was caught by which check."""
    width = max(map(len, FAULTS))
    print()
    rows = {mutant: [caught.get((stack.name, mutant), "NOT RUN") for stack in stacks()] for mutant in (CORRECT, *FAULTS)}
    for first, cells in (("mutant", [stack.name for stack in stacks()]), *rows.items()):
        print(f"{first or '(correct)':{width}}  {'  '.join(f'{cell:32}' for cell in cells)}".rstrip())
    print(flush=True)

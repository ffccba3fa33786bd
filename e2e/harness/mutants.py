"""The MCP servers of mutants/, and what `gatelet probe` finds at each: nothing at a correct one, its fault at a mutant."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .clients import NODE
from .resource_servers import RMCP
from .servers import HERE, PYTHON, free_port, surroundings
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


def run(program: str, work: Path, tally: Tally) -> None:
    needed = [part for stack in stacks() for part in stack.command if isinstance(part, Path)]
    if not all(part.exists() for part in needed):
        tally.not_run("mutants", "e2e/install and cargo build --example rmcp_mutants")
        return
    servers = [(stack, mutant) for stack in stacks() for mutant in (CORRECT, *FAULTS)]
    caught = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        # Each probe is an issuer of its own and starts a server of its own.
        probes = [pool.submit(Probed.of, program, work, *server) for server in servers]
        for (stack, mutant), probe in zip(servers, probes):
            try:
                caught[stack.name, mutant] = _judge(stack, mutant, probe.result(), tally)
            except Exception as problem:
                tally.not_ok(f"mutants: {stack.name}: {mutant or 'the correct server'}: {problem!r}")
    _show(caught)


@dataclass(frozen=True)
class Probed:
    status: int
    findings: dict[str, str]
    """What is wrong, by check."""
    errors: str

    @classmethod
    def of(cls, program: str, work: Path, stack: Stack, mutant: str) -> "Probed":
        """Has the probe start the server and look at it."""
        url = f"http://127.0.0.1:{free_port()}/mcp"
        report = work / f"{stack.name}-{mutant or 'correct'}.json"
        wishes = ["--scope", SCOPE, "--tenant", TENANT, "--key-patience", str(PATIENCE), "--start-patience", "120"]
        command = [program, "probe", url, *wishes, "--format", "json", "--output", report, "--", *stack.command]
        server = {"GATELET_SCOPE": SCOPE, "GATELET_TENANT": TENANT, "MUTANT": mutant}
        done = subprocess.run(command, env=surroundings() | server, capture_output=True, text=True, timeout=300)
        checks = json.loads(report.read_text())["checks"] if report.exists() else []
        findings = {check["id"]: check["message"] for check in checks if check["outcome"] == "wrong"}
        return cls(done.returncode, findings, "\n".join(done.stderr.splitlines()[-20:]))


def _judge(stack: Stack, mutant: str, probed: Probed, tally: Tally) -> str:
    """What the probe makes of one server, for the table."""
    findings = probed.findings
    told = ", ".join(findings) or "nothing"
    about = f"mutants: {stack.name}: {mutant or 'the correct server'}"
    if probed.status not in (0, 1) or (probed.status == 1) != bool(findings):
        tally.not_ok(f"{about} is probed: status {probed.status}, found {told}", probed.errors)
        return "NOT PROBED"
    if mutant == CORRECT:
        if findings:
            said = "\n".join(f"{check}: {message}" for check, message in findings.items())
            tally.not_ok(f"{about} is found without fault", said)
            return f"FALSE ALARM: {told}"
        tally.ok(f"{about} is found without fault")
        return "clean"
    fault = FAULTS[mutant]
    by = " and ".join(sorted(fault.checks & findings.keys()))
    if by and findings.keys() <= fault.checks | fault.entails:
        tally.ok(f"{about} is caught by {by}")
        return by
    wanted = " or ".join(sorted(fault.checks))
    tally.not_ok(f"{about} is caught by {wanted} and nothing else, found {told}", probed.errors)
    return f"{'FALSE ALARM' if by else 'MISSED'}: {told}"


def _show(caught: dict[tuple[str, str], str]) -> None:
    """Who was caught by which check."""
    width = max(map(len, FAULTS))
    print()
    rows = {mutant: [caught.get((stack.name, mutant), "NOT RUN") for stack in stacks()] for mutant in (CORRECT, *FAULTS)}
    for first, cells in (("mutant", [stack.name for stack in stacks()]), *rows.items()):
        print(f"{first or '(correct)':{width}}  {'  '.join(f'{cell:32}' for cell in cells)}".rstrip())
    print(flush=True)

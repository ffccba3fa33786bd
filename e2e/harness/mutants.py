"""The MCP servers of mutants/, and what `gatelet probe` finds at each: nothing at a correct one, its fault at a mutant."""

import json
import os
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .clients import NODE
from .resource_servers import EXAMPLES, RMCP
from .servers import HERE, PYTHON, free_port, surroundings
from .tally import Tally

SCOPE, TENANT = "mcp:read", "acme"
TOOL = 'write_note=mcp:write {"text": "eggs"}'
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
    "wrong-audience": Fault({"token/wrong-audience"}, frozenset({"token/audience-prefix", "token/audience-list"})),
    "ignores-expiry": Fault({"token/expired"}, frozenset({"token/expired-in-1970", "token/expired-as-text"})),
    "skips-scope": Fault({"token/scope-stripped"}, frozenset({"token/scope-prefix"})),
    "trusts-alg-none": Fault({"token/alg-none"}),
    "accepts-id-token": Fault({"token/id-token"}),
    "ignores-issuer": Fault({"token/wrong-issuer"}, frozenset({"token/issuer-prefix"})),
    "ignores-typ": Fault({"token/wrong-typ"}),
    "other-tenant": Fault({"token/other-tenant"}),
    # Keys that a token brings with it, and those that were withdrawn, are as unknown.
    "unknown-key": Fault(
        {"token/unknown-key"},
        frozenset(
            {"token/embedded-jwk", "token/jku", "token/jku-not-dialled", "token/kid-path", "token/kid-sql", "keys/lost"}
        ),
    ),
    "no-challenge": Fault({"challenge/header"}, frozenset({"challenge/refused-tokens"})),
    # FastMCP's names another issuer, the others' another resource.
    "wrong-metadata": Fault({"metadata/resource", "metadata/authorization-servers"}),
    "caches-for-ever": Fault({"keys/new"}, frozenset({"keys/lost"})),
    "skips-tool-scope": Fault({"tool/write_note/scope-missing"}),
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
    try:
        asking = Stack("fastmcp-introspection", (PYTHON, EXAMPLES / "fastmcp" / "introspection_server.py"))
        _judge(asking, CORRECT, _asking(program, work, asking), tally)
    except Exception as problem:
        tally.not_ok(f"mutants: fastmcp-introspection: {problem!r}")
    _show(caught)


def _asking(program: str, work: Path, stack: Stack) -> "Probed":
    """Probes the server that asks about each token, at an issuer of `gatelet test` where it has credentials."""
    url = f"http://127.0.0.1:{free_port()}"
    test = [program, "test", "--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(test, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings()) as issuer:
        ready = json.loads(issuer.stdout.readline())
        client = {"id": "notes", "secret": "a-secret-of-the-notes", "introspects": [f"{url}/mcp"]}
        scopes = [{"name": SCOPE}]
        config = {
            "resources": [{"uri": f"{url}/mcp", "scopes": scopes, "default_scopes": [SCOPE]}],
            "clients": [
                client | {"grant_types": ["client_credentials"]},
                {"id": "app", "redirect_uris": ["http://127.0.0.1/callback"]},
            ],
        }
        asked = urllib.request.Request(
            f"{ready['control_url']}/issuers",
            json.dumps({"name": "asked", "config": config}).encode(),
            {"authorization": f"Bearer {ready['control_key']}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            made = json.load(answer)
        environment = {"ISSUER": made["issuer"], "URL": url, "TENANT": TENANT}
        environment |= {"RESOURCE_SERVER_ID": client["id"], "RESOURCE_SERVER_SECRET": client["secret"]}
        wishes = ["--control", ready["control_url"], "--control-key", ready["control_key"], "--issuer", "asked"]
        try:
            return Probed.at(program, work, stack.name, f"{url}/mcp", wishes, stack.command, environment)
        finally:
            issuer.stdin.close()


@dataclass(frozen=True)
class Probed:
    status: int
    findings: dict[str, str]
    """What is wrong, by check."""
    errors: str
    misread: list[str] = field(default_factory=list)
    """What readers of SARIF and JUnit have against the reports."""

    @classmethod
    def of(cls, program: str, work: Path, stack: Stack, mutant: str) -> "Probed":
        """Has the probe start the server and look at it."""
        url = f"http://127.0.0.1:{free_port()}/mcp"
        server = {"GATELET_SCOPE": SCOPE, "GATELET_TENANT": TENANT, "MUTANT": mutant}
        name = f"{stack.name}-{mutant or 'correct'}"
        return cls.at(program, work, name, url, ["--tool", TOOL], stack.command, server)

    @classmethod
    def at(cls, program, work: Path, name: str, url: str, more: list[str], server: tuple, environment: dict) -> "Probed":
        report, sarif, junit = (work / f"{name}.{kind}" for kind in ("json", "sarif", "xml"))
        wishes = ["--scope", SCOPE, "--tenant", TENANT, "--key-patience", str(PATIENCE), "--start-patience", "120", *more]
        wishes += ["--report", f"json={report}", "--report", f"sarif={sarif}", "--report", f"junit={junit}"]
        command = [program, "probe", url, *wishes, "--", *server]
        done = subprocess.run(command, env=surroundings() | environment, capture_output=True, text=True, timeout=300)
        errors = "\n".join(done.stderr.splitlines()[-20:])
        if not report.exists():
            return cls(done.returncode, {}, errors)
        checks = json.loads(report.read_text())["checks"]
        findings = {check["id"]: check["message"] for check in checks if check["outcome"] == "wrong"}
        reader = [PYTHON, HERE / "harness" / "reports.py", report, sarif, junit]
        read = subprocess.run(reader, capture_output=True, text=True, timeout=60)
        return cls(done.returncode, findings, errors, (read.stdout + read.stderr).splitlines())


def _judge(stack: Stack, mutant: str, probed: Probed, tally: Tally) -> str:
    """What the probe makes of one server, for the table."""
    findings = probed.findings
    told = ", ".join(findings) or "nothing"
    about = f"mutants: {stack.name}: {mutant or 'the correct server'}"
    if probed.status not in (0, 1) or (probed.status == 1) != bool(findings):
        tally.not_ok(f"{about} is probed: status {probed.status}, found {told}", probed.errors)
        return "NOT PROBED"
    if probed.misread:
        tally.not_ok(f"{about}: the reports are read by others as they were meant", "\n".join(probed.misread))
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

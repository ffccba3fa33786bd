"""The official conformance tool, `@modelcontextprotocol/conformance authorization`."""

import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .clients import NODE, NODE_MODULES
from .servers import HERE, Gatelet, free_port
from .tally import Tally

TOOL = NODE_MODULES / "@modelcontextprotocol" / "conformance"
CHECKS = ("authorization-server-metadata", "authorization-server-metadata-cimd", "authorization-code-grant")
"""All its checks of an authorization server. It leaves some out without a word, so they are counted."""


def version() -> str:
    return json.loads((TOOL / "package.json").read_text())["version"]


def run(gatelets: list[Gatelet], work: Path, tally: Tally) -> None:
    """At each issuer, with RFC 8707's `resource` and without."""
    runs = [(gatelet, with_resource) for gatelet in gatelets for with_resource in (True, False)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ran = pool.map(lambda one: _statuses(*one, work / f"conformance-{one[0].name}-{one[1]}"), runs)
        for (gatelet, with_resource), (statuses, output) in zip(runs, ran):
            name = f"conformance, {gatelet.name}, {'with' if with_resource else 'without'} resource"
            _judge(name, statuses, output, tally)


def _judge(sentence: str, statuses: dict[str, str], output: str, tally: Tally) -> None:
    for check in CHECKS:
        if (got := statuses.get(check)) == "SUCCESS":
            tally.ok(f"{sentence}: {check}")
        else:
            tally.not_ok(f"{sentence}: {check} is {got}", output)
    if more := statuses.keys() - set(CHECKS):
        tally.not_ok(f"{sentence}: has checks that are not looked at: {', '.join(sorted(more))}")


def _statuses(gatelet: Gatelet, with_resource: bool, out: Path) -> tuple[dict[str, str], str]:
    port = free_port()
    client = gatelet.register(
        {
            "client_name": "Conformance",
            "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "none",
        }
    )
    command = [NODE, TOOL / "dist" / "index.js", "authorization", "--url", gatelet.issuer, "--client-id", client]
    command += ["--port", port, "--spec-version", "2026-07-28", "-o", out]
    command += ["--resource", gatelet.mcp_url] if with_resource else []
    log = out.with_suffix(".log")
    with log.open("wb") as sink:
        tool = subprocess.Popen([*map(str, command)], stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
    try:
        # It prints the address of the login page and waits; a browser is the operator's affair.
        _visit(tool, log)
        tool.wait(60)
    except subprocess.TimeoutExpired:
        pass
    finally:
        tool.kill()
        tool.wait()
    checks = [check for file in out.glob("*/checks.json") for check in json.loads(file.read_text())]
    return {check["id"]: check["status"] for check in checks}, log.read_text()


def _visit(tool: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        if address := re.search(r"^http\S+/authorize\?\S+", log.read_text(), re.MULTILINE):
            path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"
            with log.open("ab") as sink:
                subprocess.run(
                    [HERE / "browser" / "alice", address[0]],
                    env=os.environ | {"PATH": path},
                    stdout=sink,
                    stderr=sink,
                    timeout=60,
                )
            return
        if tool.poll() is not None:
            return
        time.sleep(0.1)

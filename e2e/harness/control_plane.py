"""schemathesis: generated requests, good and bad, for every operation of the control plane of `gatelet test`."""

import os
import re
import subprocess
from pathlib import Path

from .openapi import TOOL
from .personas import Gatelet
from .servers import HERE
from .tally import Tally

CONFIG = HERE / "control"
LEFT_OUT = {
    "positive_data_acceptance": "a configuration, a URL or a name can be of the right type and no good; that is a 400",
    "missing_required_header": "no operation has a header of its own",
    "use_after_free": "requests are about one issuer, which stays",
    "ensure_resource_availability": "for the same reason",
    "object_level_authorization": "there is one key",
}
"""Checks that are not for this document, and why."""
ISSUERS = ("fuzzed", "short-lived")
LEAST = 1000
"""So many requests at least, or it did not do what it is for."""


def run(program: str, work: Path, tally: Tally) -> None:
    if not TOOL.exists():
        return tally.not_run("schemathesis, at the control plane", "e2e/install")
    with Gatelet(bin=program) as gatelet:
        for name in ISSUERS:
            gatelet.issuer(name=name)
        gatelet.issuer_named("fuzzed").snapshot("kept")
        done = _fuzzed(gatelet, work)
        # It stands, whatever it was asked.
        gatelet.issuer_named("fuzzed").mint()
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    if done.returncode == 0 and counted and counted[1] == counted[2] and int(counted[1]) > LEAST:
        tally.ok(f"schemathesis, at the control plane: {counted[1]} requests, each answered as documented")
    else:
        tally.not_ok("schemathesis, at the control plane", done.stdout[-6000:] + done.stderr)


def _fuzzed(gatelet: Gatelet, work: Path) -> subprocess.CompletedProcess:
    command = [TOOL, "--config-file", CONFIG / "schemathesis.toml", "run", f"{gatelet.control_url}/openapi.json"]
    command += ["--checks", "all", "--exclude-checks", ",".join(LEFT_OUT), "--header", f"Authorization: Bearer {gatelet.control_key}"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"]
    command += ["--seed", "1", "--continue-on-failure", "--request-timeout", "30"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(CONFIG)}
    return subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, timeout=600)

"""schemathesis: generated requests for every operation of the OpenAPI document, with and without a client's credentials."""

import re
import subprocess
from pathlib import Path

from .servers import HERE
from .strict import Serve
from .tally import Tally

TOOL = HERE / "python" / ".schemathesis" / "bin" / "schemathesis"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""No 5xx, and no answer that the document does not have."""


def run(serve: Serve, work: Path, tally: Tally) -> None:
    if not TOOL.exists():
        return tally.not_run("schemathesis", "e2e/install")
    machine = serve.clients["basic"]
    ways = {"by a stranger": [], "by a client": ["--auth", f"{machine['id']}:{machine['secret']}"]}
    for way, options in ways.items():
        command = [TOOL, "run", f"{serve.issuer}/openapi.json", "--checks", ",".join(CHECKS)]
        command += ["--phases", "examples,coverage,fuzzing", "--max-time", "40", "--seed", "1", "--continue-on-failure"]
        done = subprocess.run([*command, *options], cwd=work, capture_output=True, text=True, timeout=300)
        counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
        if done.returncode == 0 and counted and counted[1] == counted[2] and int(counted[1]) > 500:
            tally.ok(f"schemathesis, {way}: {counted[1]} requests, each answered as documented")
        else:
            tally.not_ok(f"schemathesis, {way}", done.stdout[-6000:] + done.stderr)

"""examples/rmcp_client.rs at an issuer of some persona, with a browser that goes where it is sent.

    python rmcp_client.py PROGRAM MCP_URL [again]

Tries twice as a person would. Prints what came of it as a line of JSON. The example refreshes at its end, after two
logins, and has nothing to do about a refresh that fails: that is an application's own business with rmcp.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

BROWSER = Path(__file__).parent / "browser"


def main(program: str, mcp_url: str) -> None:
    result: dict = {"attempts": 0, "in": False, "asked": 0, "again": False, "errors": []}
    while not result["in"] and result["attempts"] < 2:
        result["attempts"] += 1
        environment = os.environ | {"BROWSER": str(BROWSER)}
        try:
            done = subprocess.run([program, mcp_url], env=environment, capture_output=True, text=True, timeout=45)
            out, said = done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            out, said = (late.stdout or b"").decode(), "nothing comes back from the browser"
        # A line for what `whoami` said, after each login and after the refresh.
        result["in"] = bool(out.strip())
        result["errors"].append(said.strip()[-400:])
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""Checks, each a sentence that is printed with how it went; the world that the harness has made; alice at her browser."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import requests

# Loopback is as good as TLS; these libraries want that said.
os.environ |= {"AUTHLIB_INSECURE_TRANSPORT": "1", "OAUTHLIB_INSECURE_TRANSPORT": "1"}

WORLD = json.loads(Path(sys.argv[1]).read_text())
"""Issuer, resource, clients and keys: see harness/strict.py."""

ALICE = Path(__file__).parent.parent / "browser" / "alice"


def check(sentence: str, test: Callable[[], object]) -> object:
    try:
        result = test()
    except BaseException:
        # What follows builds on it.
        print(f"not ok - {sentence}", flush=True)
        traceback.print_exc()
        sys.exit(1)
    print(f"ok - {sentence}", flush=True)
    return result


def raises(kind: type[Exception], test: Callable[[], object]) -> Exception:
    try:
        test()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def authorize(url: str) -> str:
    """Alice logs in and allows what is ticked; answers where she is sent."""
    done = subprocess.run([ALICE, "--stop", url], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["callback"]


def register(metadata: dict, **more: object) -> dict:
    """Registers a client (RFC 7591)."""
    answer = requests.post(f"{WORLD['issuer']}/register", json=metadata | more, timeout=10)
    assert answer.status_code == 201, answer.text
    return answer.json()

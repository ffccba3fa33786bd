"""What the resource servers of this directory have in common: where each listens, and what it checks.

A site is `port`, `issuer`, `jwks`, `audience`, `scope` and `claims`: one text that a claim has to be, or several that a
list has to hold.
"""

import json
import sys
from pathlib import Path


def sites() -> list[dict]:
    return json.loads(Path(sys.argv[1]).read_text())


def has(claims: dict, expected: dict[str, str | list[str]]) -> bool:
    def is_there(name: str, wanted: str | list[str]) -> bool:
        found = claims.get(name)
        if isinstance(wanted, list):
            return isinstance(found, list) and set(wanted) <= set(found)
        return found == wanted

    return all(is_there(name, wanted) for name, wanted in expected.items())

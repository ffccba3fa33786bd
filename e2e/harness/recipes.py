"""The programs of docs/testing-http.md for languages without a kit of their own, taken out of the page and run as they stand
there: the page cannot drift from what works.
"""

import base64
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .servers import HERE, surroundings
from .tally import Tally

PAGE = HERE.parent / "docs" / "testing-http.md"


@dataclass(frozen=True)
class Recipe:
    language: str
    """What its block on the page is marked with."""
    file: str
    command: tuple[str, ...]
    tool: str
    """What has to be there: `java` alone may be that of a runtime, which compiles nothing."""
    needs: str
    """The package of Debian that brings it."""


RECIPES = (
    Recipe("java", "Tests.java", ("java", "Tests.java"), "javac", "default-jdk-headless"),
    Recipe("go", "gatelet_test.go", ("go", "test", "-v", "-count=1", "gatelet_test.go"), "go", "golang-go"),
)
SAYS = re.compile(r"start your server with (\S+), and it takes (\S+), not (\S+)")
"""What each recipe prints: an issuer, a token that is good, and one for another MCP server."""
# Stands in for the program, so that it can be told how often it was started and how it ended.
WITNESS = '#!/bin/sh\n"$WITNESSED" "$@"\necho "ended with $?" >> "$WITNESS"\n'


def run(program: str, work: Path, tally: Tally) -> None:
    for recipe in RECIPES:
        sentence = f"docs/testing-http.md: its program in {recipe.language} runs as it stands there"
        if shutil.which(recipe.tool) is None:
            tally.not_run(sentence, f"apt-get install {recipe.needs}")
            continue
        here = work / f"recipe-{recipe.language}"
        here.mkdir()
        problem = _problem(recipe, program, here)
        if problem is None:
            tally.ok(sentence)
        else:
            tally.not_ok(sentence, problem)


def block(page: str, language: str) -> str:
    """The text of the only block in this language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"{len(found)} blocks are marked {language}, not one")
    return found[0]


def _problem(recipe: Recipe, program: str, here: Path) -> str | None:
    """What is wrong with it."""
    (here / recipe.file).write_text(block(PAGE.read_text(), recipe.language))
    witness, ended = here / "bin" / "gatelet", here / "ended"
    witness.parent.mkdir()
    witness.write_text(WITNESS)
    witness.chmod(0o755)
    env = surroundings() | {"PATH": f"{witness.parent}:{os.environ['PATH']}", "WITNESSED": program, "WITNESS": str(ended)}
    # Neither has to fetch anything.
    env |= {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
    done = subprocess.run(recipe.command, cwd=here, env=env, capture_output=True, text=True, timeout=300)
    said = f"{done.stdout}\n{done.stderr}"
    told = SAYS.search(done.stdout)
    if done.returncode != 0 or told is None:
        return said
    issuer, good, bad = told[1], _claims(told[2]), _claims(told[3])
    if good["iss"] != issuer or good["sub"] != "alice" or good["aud"] == bad["aud"]:
        return f"these are not the tokens that were asked for: {good} {bad}\n{said}"
    lines = ended.read_text().splitlines() if ended.exists() else []
    return None if lines == ["ended with 0"] else f"the program: {lines}\n{said}"


def _claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

"""Alice at her browser: browser/alice, for Python."""

import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(__file__).parent.parent / "browser" / "alice"


@dataclass
class Visit:
    callback: str
    """Where she was sent."""
    saw: list[str]
    """The pages that she saw."""
    offered: list[str]
    """The scopes that the consent page offered."""


class Alice:
    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        """Where she keeps cookies and a diary."""

    async def authorize(self, url: str, scopes: list[str]) -> Visit:
        """Follows an authorization request to its end, allowing `scopes` and nothing else."""
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            "--stop",
            url,
            env=os.environ | {"ALICE_HOME": str(self.home), "ALICE_ALLOWS": " ".join(scopes)},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        return Visit(**json.loads(out))

    def visits(self) -> list[Visit]:
        """Those that a client led her to by itself."""
        diary = self.home / "diary"
        lines = [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []
        return [Visit(line["callback"], line["saw"], line["offered"]) for line in lines]

    def leave(self) -> None:
        shutil.rmtree(self.home)

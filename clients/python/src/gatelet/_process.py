"""Finding the gatelet program, and running it for as long as the tests run."""

from __future__ import annotations

import importlib.metadata
import json
import os
import queue
import shutil
import subprocess
import threading
from collections import deque
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ._http import GateletError

STARTING = 30.0
"""Seconds that the program may take to answer."""
LOG_LINES = 1000


class DidNotStart(GateletError):
    """The program was not found or did not start."""


def program() -> str:
    """The gatelet program: `GATELET_BIN`, else the one in this package, else the one on `PATH`."""
    named = os.environ.get("GATELET_BIN")
    if named:
        return named
    found = _packaged() or shutil.which("gatelet")
    if found is None:
        raise DidNotStart("there is no gatelet program in this package or on PATH; GATELET_BIN can name one")
    return found


def _packaged() -> str | None:
    try:
        files = importlib.metadata.files("gatelet") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if PurePosixPath(file).name in ("gatelet", "gatelet.exe"):
            path = Path(str(file.locate())).resolve()
            if path.is_file():
                return str(path)
    return None


class Process:
    """`gatelet test`. It ends when its standard input closes, and so with this process, however that ends."""

    def __init__(self, bin: str | None, arguments: list[str]) -> None:
        command = [bin or program(), "test", *arguments]
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        except OSError as problem:
            raise DidNotStart(f"{command[0]} cannot be run: {problem}") from problem
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._reader = threading.Thread(target=self._read_log, args=(self._child.stderr,), daemon=True)
        self._reader.start()
        self.announcement: dict[str, Any] = self._announced(command)

    def _read_log(self, stderr: IO[str]) -> None:
        for line in stderr:
            self._log.append(line)

    def _announced(self, command: list[str]) -> dict[str, Any]:
        lines: queue.Queue[str] = queue.Queue()
        stdout = self._child.stdout
        assert stdout is not None
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=STARTING)
        except queue.Empty:
            line = ""
        try:
            announcement = json.loads(line)
        except ValueError:
            self.stop()
            self._reader.join(timeout=1)
            code = self._child.returncode
            raise DidNotStart(f"`{' '.join(command)}` did not start (exit code {code}): {line}{self.log()}") from None
        assert isinstance(announcement, dict)
        return announcement

    @property
    def pid(self) -> int:
        return self._child.pid

    def log(self) -> str:
        """The newest lines of the program's log."""
        return "".join(list(self._log))

    def stop(self) -> None:
        """Closes its standard input and waits for it to end; kills it if it does not."""
        child = self._child
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()

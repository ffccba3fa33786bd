"""Finding the gatelet program, and running it for as long as the tests run."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
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
ENDING = 10.0
"""Seconds that it may take to end: it answers for eight what it was asked before."""
LOG_LINES = 1000
LAST_LINES = 20
"""So many lines of the log are in the message about a program that has ended."""


class DidNotStart(GateletError):
    """The program was not found or did not start."""


def program() -> str:
    """The gatelet program: `GATELET_BIN`, else the one in this package, else the one on `PATH`."""
    named = os.environ.get("GATELET_BIN")
    if named:
        return named
    found = _packaged() or shutil.which("gatelet")
    if found is None:
        raise DidNotStart(
            f"there is no gatelet program for {platform.system()} on {platform.machine()} in this package, and none on PATH: "
            "build one (`cargo install --path .` in a checkout of Gatelet puts it on PATH), or name one by GATELET_BIN"
        )
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
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Whatever the locale: what cannot be read would end the thread that empties the pipe.
                encoding="utf-8",
                errors="replace",
                # Ctrl-C is for the tests, which delete their issuers then.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as problem:
            raise DidNotStart(f"{command[0]} cannot be run: {problem}") from problem
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._reader = threading.Thread(target=self._read_log, args=(self._child.stderr,), daemon=True)
        self._reader.start()
        self.announcement: dict[str, Any] = self._announced(command)

    def _read_log(self, stderr: IO[str]) -> None:
        with stderr:
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

    def epitaph(self) -> str | None:
        """How it ended, and the last that it said; None, if it runs."""
        try:
            # Its connections may break a moment before it is gone.
            code = self._child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(timeout=1)
        last = "".join(list(self._log)[-LAST_LINES:]).rstrip()
        return f"gatelet has ended (exit code {code}); the end of its log:\n{last or 'nothing'}"

    def stop(self) -> None:
        """Has it end, and waits for that; kills it if it does not."""
        child = self._child
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        if os.name == "posix":
            # A process that was forked from this one has the pipe too, and may keep it open.
            child.terminate()
        try:
            child.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._reader.join(timeout=1)
        if child.stdout is not None:
            child.stdout.close()

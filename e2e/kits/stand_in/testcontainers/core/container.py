"""As much of testcontainers as docs/testing-http.md uses, for a machine without Docker: a container is the program, and the
port that it would be mapped to is the one that it listens on. PROGRAM names the program.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from typing import Any


class DockerContainer:
    def __init__(self, image: str) -> None:
        self.image = image
        self._command: list[str] = []
        self._env: dict[str, str] = {}
        self._mapped: dict[int, int] = {}

    def with_command(self, command: str) -> DockerContainer:
        self._command = command.split()
        return self

    def with_env(self, name: str, value: str) -> DockerContainer:
        self._env[name] = value
        return self

    def with_exposed_ports(self, *ports: int) -> DockerContainer:
        for port in ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._mapped[port] = free.getsockname()[1]
        return self

    def get_exposed_port(self, port: int) -> int:
        return self._mapped[port]

    def get_logs(self) -> tuple[bytes, bytes]:
        self._out.seek(0)
        return self._out.read(), b""

    def __enter__(self) -> DockerContainer:
        command = " ".join(self._command)
        for port, mapped in self._mapped.items():
            # Docker brings what arrives at the mapped port to all of the container's addresses.
            command = command.replace(f"0.0.0.0:{port}", f"127.0.0.1:{mapped}")
        self._out = tempfile.TemporaryFile()
        # Nobody holds the standard input of a container open.
        self._process = subprocess.Popen(
            [os.environ["PROGRAM"], *command.split()], stdin=subprocess.DEVNULL, stdout=self._out, env=os.environ | self._env
        )
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._out.close()

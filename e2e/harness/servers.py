"""The servers that the clients meet: gatelet, FastMCP's, and one for the clients' documents."""

import http.server
import json
import os
import random
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent.parent
PYTHON = HERE / "python" / ".venv" / "bin" / "python"


def surroundings() -> dict[str, str]:
    """This run's environment, less what gatelet would take for configuration (GATELET_BIN)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATELET_")}


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody has, given once; below those that systems take for outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        if port not in _given and not _answers(port):
            _given.add(port)
            return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A program that listens on loopback ports, and its log."""

    def __init__(self, name: str, ports: list[int], command: list[str], work: Path, **env: str) -> None:
        self.name, self._ports = name, ports
        self._log = work / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL, env=surroundings() | env
            )

    def ready(self) -> None:
        """Waits until it accepts connections."""
        late = time.monotonic() + 120
        while not all(_answers(port) for port in self._ports):
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with status {self._process.returncode}")
            if time.monotonic() > late:
                raise RuntimeError(f"{self.name} does not listen")
            time.sleep(0.1)

    def log(self, lines: int = 40) -> str:
        """The end of what it wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Gatelet(Server):
    """`gatelet dev` with an issuer of the given shape, and its demonstration MCP server."""

    def __init__(self, program: str, shape: str, path: str, work: Path, trust: Path) -> None:
        port = free_port()
        self.origin = f"http://localhost:{port}"
        self.issuer = self.origin + path
        self.mcp_url = f"{self.origin}/demo/mcp"
        listen = ["--listen", f"127.0.0.1:{port}", "--issuer", self.issuer, "--data", str(work / f"data-{shape}")]
        super().__init__(f"gatelet-{shape}", [port], [program, "dev", *listen], work, SSL_CERT_FILE=str(trust))

    def endpoint(self, name: str) -> str:
        return self.issuer + name if self.issuer.endswith("/") else f"{self.issuer}/{name}"

    def register(self, metadata: dict) -> str:
        """Registers a client (RFC 7591) and answers its identifier."""
        request = urllib.request.Request(
            self.endpoint("register"), json.dumps(metadata).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["client_id"]


class FastMcp(Server):
    """FastMCP's resource servers, one for each issuer, in one process."""

    def __init__(self, issuers: list[str], work: Path) -> None:
        ports = [free_port() for _ in issuers]
        self.mcp_urls = [f"http://127.0.0.1:{port}/mcp" for port in ports]
        pairs = [str(part) for pair in zip(issuers, ports) for part in pair]
        super().__init__("fastmcp", ports, [str(PYTHON), str(HERE / "python" / "fastmcp_server.py"), *pairs], work)


class Documents:
    """Client id metadata documents on https, one for each name that is asked for: `/NAME/client.json`."""

    def __init__(self, work: Path) -> None:
        self.trust = work / "ca.pem"
        certificate, key = _certificate(work, self.trust)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Document)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        return f"https://localhost:{self._server.server_port}/{name}/client.json"


class _Document(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.split("/")[1]
        document = {
            "client_id": f"https://{self.headers['Host']}{self.path}",
            "client_name": f"{name} e2e",
            # Without ports, as products publish it: RFC 8252 §7.3 lets a native app take any.
            "redirect_uris": [
                "http://127.0.0.1/callback",
                "http://localhost/callback",
                "http://localhost/oauth/callback",
            ],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=300")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _certificate(work: Path, trust: Path) -> tuple[Path, Path]:
    """A certificate for localhost by an authority of its own, made for this run."""
    certificate, key, request, names = (work / name for name in ("tls.pem", "tls.key", "tls.csr", "tls.ext"))
    names.write_text("subjectAltName=DNS:localhost\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for command in (
        ["req", "-x509", *curve, "-keyout", work / "ca.key", "-out", trust, "-days", "2", "-subj", "/CN=e2e authority"],
        ["req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", request, "-CA", trust, "-CAkey", work / "ca.key", "-CAcreateserial", "-days", "2"]
        + ["-extfile", names, "-out", certificate],
    ):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return certificate, key

"""The two servers, started by the tests of test_servers.py, and an issuer for each."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from gatelet import Gatelet, Issuer

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}).encode()
SECRET = "this-is-only-for-the-tests-of-notes"


@dataclass
class Server:
    script: str
    url: str

    @property
    def asks(self) -> bool:
        """Whether it asks the issuer about each token, so that it knows which were revoked."""
        return self.script == "introspection_server.py"

    def post(self, token: str | None) -> tuple[int, str]:
        """What a client gets that begins with this token: the status, and the challenge."""
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.url}/mcp", BODY, headers), timeout=10) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers.get("WWW-Authenticate", "")

    def status(self, token: str | None) -> int:
        return self.post(token)[0]


@pytest.fixture(scope="module", params=["jwt_server.py", "introspection_server.py"])
def unstarted(request: pytest.FixtureRequest) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Server(request.param, f"http://127.0.0.1:{free.getsockname()[1]}")


@pytest.fixture(scope="module")
def issuer(gatelet: Gatelet, unstarted: Server) -> Issuer:
    """One issuer for as long as the server runs. People and tenants are the ready-made ones."""
    uri = f"{unstarted.url}/mcp"
    scopes = [{"name": "mcp:read"}, {"name": "mcp:write"}]
    resource = {"uri": uri, "scopes": scopes, "default_scopes": ["mcp:read"]}
    return gatelet.issuer(
        config={"resources": [resource], "clients": [{"id": "notes", "secret": SECRET, "introspects": [uri]}]}
    )


@pytest.fixture(scope="module")
def server(issuer: Issuer, unstarted: Server) -> Iterator[Server]:
    surroundings = {"ISSUER": issuer.issuer, "URL": unstarted.url, "TENANT": "acme"}
    surroundings |= {"RESOURCE_SERVER_ID": "notes", "RESOURCE_SERVER_SECRET": SECRET}
    script = Path(__file__).parent / unstarted.script
    with subprocess.Popen([sys.executable, script], env=os.environ | surroundings) as process:
        try:
            late = time.monotonic() + 60
            while not listens(unstarted.url):
                assert process.poll() is None and time.monotonic() < late, f"{unstarted.script} does not start"
                time.sleep(0.1)
            yield unstarted
        finally:
            process.terminate()


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0

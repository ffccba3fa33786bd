"""Every client at an issuer of every shape, known in either way."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .clients import NODE_MODULES, SHAPES, WAYS, Client, Limit, limit
from .servers import Documents, Gatelet
from .tally import Tally


@dataclass
class Site:
    """What runs for one shape of issuer."""

    gatelet: Gatelet
    fastmcp_url: str

    def mcp_url(self, client: Client) -> str:
        return self.gatelet.mcp_url if client.server == "demo" else self.fastmcp_url


@dataclass(frozen=True)
class Cell:
    client: Client
    shape: str
    way: str

    def __str__(self) -> str:
        server = "" if self.client.server == "demo" else " at FastMCP's server"
        return f"{self.client.name} {self.client.version}{server}, {self.shape} issuer, by {self.way}"


Result = bool | Limit | None
"""Gets in; does not for a known reason; is not as expected, or did not run."""


def run(sites: dict[str, Site], documents: Documents, clients: list[Client], tally: Tally) -> dict[Cell, Result]:
    cells = []
    for client in clients:
        if needs := client.needs():
            tally.not_run(client.name, needs)
            continue
        cells += [Cell(client, shape, way) for way in WAYS for shape in SHAPES]

    def drive(cell: Cell) -> tuple[int, str]:
        site = sites[cell.shape]
        arguments = [site.gatelet.issuer, site.mcp_url(cell.client)]
        if cell.way == "document":
            arguments.append(documents.url(cell.client.name.split("/")[-1]))
        return _run([*map(str, cell.client.command), *arguments])

    results: dict[Cell, Result] = {}
    # More than there are processors: a client often waits for its browser.
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for cell, (status, output) in zip(cells, pool.map(drive, cells)):
            results[cell] = _judge(cell, status, output, tally)
    return results


def _run(command: list[str]) -> tuple[int, str]:
    # The scripts run each other's programs, and those want the same node.
    path = f"{NODE_MODULES / '.bin'}:{os.environ['PATH']}"
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=120,
            env=os.environ | {"PATH": path},
        )
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return 1, (late.stdout or b"").decode(errors="replace") + "\nended after 120 seconds"


def _judge(cell: Cell, status: int, output: str, tally: Tally) -> Result:
    passed = len(re.findall(r"^ok - ", output, re.MULTILINE))
    known = limit(cell.client, cell.shape)
    if known is None:
        # A script that ends early, or checks nothing, must not pass for one that found nothing wrong.
        if status == 0 and passed:
            tally.ok(str(cell), passed)
            return True
        tally.not_ok(str(cell), f"{output}\nstatus {status}")
        return None
    # A limit that is gone, or has become another, is to be noticed.
    if status != 0 and re.search(known.pattern, output):
        tally.ok(f"{cell}: does not get in, as is known")
        return known
    tally.not_ok(f"{cell}: should fail, since: {known.reason}", f"{output}\nstatus {status}")
    return None

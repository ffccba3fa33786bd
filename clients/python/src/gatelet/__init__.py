"""A whole OAuth 2.1 authorization server for the tests of MCP servers and clients.

    from gatelet import Gatelet

    with Gatelet() as gatelet:                      # one process
        issuer = gatelet.issuer()                   # one authorization server of its own
        token = issuer.mint(user="alice", scope="mcp:read")
        ...                                         # Authorization: f"Bearer {token}"

With pytest there is nothing to start: a test that has a parameter `issuer` gets one (see `gatelet.pytest_plugin`).
`AsyncGatelet` is the same for asyncio.
"""

from ._answers import (
    Client,
    Clock,
    Fault,
    Keys,
    Location,
    Membership,
    Person,
    Persona,
    Resource,
    SeenRequest,
    Specimen,
    Token,
)
from ._async import AsyncGatelet, AsyncIssuer
from ._gatelet import Gatelet
from ._http import ExpectationFailed, GateletError
from ._issuer import Issuer
from ._process import DidNotStart, program

__all__ = [
    "AsyncGatelet",
    "AsyncIssuer",
    "Client",
    "Clock",
    "DidNotStart",
    "ExpectationFailed",
    "Fault",
    "Gatelet",
    "GateletError",
    "Issuer",
    "Keys",
    "Location",
    "Membership",
    "Person",
    "Persona",
    "Resource",
    "SeenRequest",
    "Specimen",
    "Token",
    "program",
]

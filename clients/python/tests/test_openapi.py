"""Whatever the control plane can do, this package can: it calls everything that openapi.json lists, and nothing else."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gatelet import (
    Client,
    Clock,
    Fault,
    Gatelet,
    GateletError,
    Issuer,
    Keys,
    Persona,
    Person,
    Resource,
    SeenRequest,
    Specimen,
    Token,
)
from gatelet._http import Control

METHODS = {"get", "put", "post", "delete", "patch"}
DOCUMENT = "https://client.example/client.json"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """The methods and paths of all calls."""
    seen: set[tuple[str, str]] = set()
    call = Control.call

    def recorded(self: Control, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        seen.add((method.lower(), path))
        return call(self, method, path, *args, **kwargs)

    monkeypatch.setattr(Control, "call", recorded)
    yield seen


def call_everything(gatelet: Gatelet) -> None:
    """Calls each method once. None of these may be refused."""
    issuer = gatelet.issuer(keys="fresh", seed=7, issuer_path="/here", documents={}, auto={"user": "alice"})
    assert issuer.name in [each.name for each in gatelet.issuers()]
    assert gatelet.issuer_named(issuer.name).issuer == issuer.issuer
    assert gatelet.personas()
    change(issuer)
    look(issuer)
    issuer.delete()
    with pytest.raises(GateletError, match="404"):
        gatelet.issuer_named(issuer.name)


def change(issuer: Issuer) -> None:
    with issuer.restored():
        issuer.set_clock(1_900_000_000, frozen=True)
        issuer.advance(5)
        assert issuer.clock().now == 1_900_000_005
        issuer.revoke(issuer.mint(user="alice", ttl=60))
        late = issuer.publish_key_late()
        assert late.signing not in late.keys
        assert late.signing in issuer.publish_key().keys
        issuer.fault("token", status=503, delay_ms=1, drop=False, headers={"retry-after": "1"}, processed=False)
        number = issuer.fault("metadata", times=None, set={"issuer": None}, redirect_set={"iss": None})
        assert [fault.id for fault in issuer.faults()][-1] == number
        issuer.remove_fault(number)
        issuer.clear_faults()
        assert issuer.faults() == []
        issuer.persona(None)
        issuer.auto(None)
        issuer.document(DOCUMENT, {"client_id": DOCUMENT}, fresh_for=60)
        issuer.forget_document(DOCUMENT)
        issuer.add_tenant({"id": "initech"})
        issuer.add_user({"username": "bob", "password": "builder", "memberships": [{"tenant": "initech"}]})
        issuer.add_resource({"uri": "https://mcp.example/mcp", "scopes": [{"name": "x"}]})
        issuer.add_client({"id": "robot", "secret": "a-secret-of-a-robot", "machine_scopes": ["x"], "tenant": "initech"})
        assert issuer.mint(client="robot", scope="x", resource="https://mcp.example/mcp").claims["sub"] == "robot"
        issuer.delete_client("robot")
    assert len(issuer.snapshots()) == 1


def look(issuer: Issuer) -> None:
    query = "client_id=test-app&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&state=s"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    url = f"{issuer.issuer}/authorize?{query}&code_challenge={challenge}&code_challenge_method=S256"
    assert issuer.authorize(url).params["state"] == "s"
    assert [each.name for each in issuer.zoo()] == [each.name for each in issuer.specimens()]
    assert issuer.requests() == []
    assert issuer.expect("token", exactly=0) == []
    issuer.forget_requests()


def test_every_path_of_the_control_plane_is_reachable(gatelet: Gatelet, called: set[tuple[str, str]]) -> None:
    described = gatelet.openapi()
    call_everything(gatelet)
    offered = {(method, path) for path, at in described["paths"].items() for method in at if method in METHODS}

    def template(method: str, path: str) -> tuple[str, str]:
        fits = [known for verb, known in offered if verb == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path)]
        # A path without a parameter is meant before one with.
        return method, min(fits, key=lambda known: known.count("{"), default=path)

    assert {template(method, path) for method, path in called} == offered


SPECS: dict[str, Callable[..., object]] = {
    "IssuerSpec": Gatelet.issuer,
    "ZooSpec": Issuer.zoo,
    "MintSpec": Issuer.mint,
    "ClockSetting": Issuer.set_clock,
    "Advance": Issuer.advance,
    "FaultSpec": Issuer.fault,
    "Decide": Issuer.authorize,
    "Auto": Issuer.auto,
    "Pattern": Issuer.expect,
    "Document": Issuer.document,
}
ANSWERS: dict[str, type] = {
    "Person": Person,
    "Client": Client,
    "Resource": Resource,
    "Specimen": Specimen,
    "Clock": Clock,
    "Fault": Fault,
    "Keys": Keys,
    "Persona": Persona,
    "Request": SeenRequest,
}


def test_what_can_be_asked_for_has_a_parameter(gatelet: Gatelet) -> None:
    schemas = gatelet.openapi()["components"]["schemas"]
    for name, method in SPECS.items():
        assert set(inspect.signature(method).parameters) - {"self"} == set(schemas[name]["properties"]), name


def test_what_is_answered_has_a_place(gatelet: Gatelet) -> None:
    schemas = gatelet.openapi()["components"]["schemas"]
    for name, kind in ANSWERS.items():
        fields = {field.name: field for field in dataclasses.fields(kind)}
        assert set(fields) == set(schemas[name]["properties"]), name
        # What may be left out has a value all the same.
        left_out = set(fields) - set(schemas[name]["required"])
        nothing = dataclasses.MISSING
        assert all(fields[each].default is not nothing or fields[each].default_factory is not nothing for each in left_out), name
    assert {"token", *Token.__annotations__} == set(schemas["Minted"]["properties"])

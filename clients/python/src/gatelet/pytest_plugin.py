"""Fixtures for pytest. Nothing is started for a run that uses none of them.

- `gatelet` (session): the process.
- `issuer`: an issuer for this test alone. `@pytest.mark.gatelet(frozen=True, config={…})` or a fixture `issuer_spec` of
  your own say what it is like (the parameters of `Gatelet.issuer`). A fixture `issuer` of your own, with a wider scope,
  replaces it: an MCP server that is started once for a module wants one issuer for that long.
- `async_issuer`: the same issuer, for tests that are coroutines.
- `zoo_specimen`: makes a test of each specimen of the zoo, with tokens of `issuer`. A fixture `zoo_spec` of your own says
  what they are like (the parameters of `Issuer.zoo`).

When a test with an `issuer` fails, its report lists the requests that this issuer got.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ._answers import Specimen
from ._async import AsyncIssuer
from ._gatelet import Gatelet
from ._http import GateletError
from ._issuer import Issuer

_PROCESS = pytest.StashKey[Gatelet]()
_SHOWN = 20


def _process(config: pytest.Config) -> Gatelet:
    if _PROCESS not in config.stash:
        config.stash[_PROCESS] = Gatelet.from_environment()
    return config.stash[_PROCESS]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gatelet(**spec): what the issuer of this test is like, as Gatelet.issuer takes it")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _PROCESS in config.stash:
        config.stash[_PROCESS].close()
        del config.stash[_PROCESS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "zoo_specimen" in metafunc.fixturenames:
        names = [specimen.name for specimen in _process(metafunc.config).default.specimens()]
        metafunc.parametrize("zoo_specimen", names, indirect=True)


@pytest.fixture(scope="session")
def gatelet(pytestconfig: pytest.Config) -> Gatelet:
    """The process: one for the whole run, or the one that GATELET_CONTROL_URL and GATELET_CONTROL_KEY name."""
    return _process(pytestconfig)


@pytest.fixture
def issuer_spec() -> dict[str, Any]:
    """What issuers are like: the parameters of `Gatelet.issuer`. The marker `gatelet` adds to it."""
    return {}


@pytest.fixture
def issuer(gatelet: Gatelet, issuer_spec: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Issuer]:
    """An issuer for this test alone."""
    spec = dict(issuer_spec)
    for marker in reversed(list(request.node.iter_markers("gatelet"))):
        spec |= marker.kwargs
    with gatelet.issuer(**spec) as made:
        yield made


@pytest.fixture
def async_issuer(issuer: Issuer) -> AsyncIssuer:
    """The issuer of this test, for coroutines."""
    return AsyncIssuer(issuer)


@pytest.fixture
def zoo_spec() -> dict[str, Any]:
    """What the tokens of the zoo are like: the parameters of `Issuer.zoo`."""
    return {}


@pytest.fixture
def zoo_specimen(issuer: Issuer, zoo_spec: dict[str, Any], request: pytest.FixtureRequest) -> Specimen:
    """A specimen of the zoo: the test runs once for each."""
    return next(specimen for specimen in issuer.zoo(**zoo_spec) if specimen.name == request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report: pytest.TestReport = yield
    issuer = getattr(item, "funcargs", {}).get("issuer")
    if report.failed and report.when != "teardown" and isinstance(issuer, Issuer):
        try:
            seen = issuer.requests()[-_SHOWN:]
        except GateletError as problem:
            report.sections.append(("gatelet", str(problem)))
        else:
            report.sections.append((f"gatelet: what {issuer.issuer} was asked", "\n".join(map(str, seen)) or "nothing"))
    return report

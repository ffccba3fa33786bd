"""The package as it is installed, with the program in it."""

import asyncio
import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gatelet import AsyncGatelet, AsyncIssuer, DidNotStart, ExpectationFailed, Gatelet, GateletError, Issuer, program


def fetched(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_an_issuer_is_whole_without_any_configuration(issuer: Issuer) -> None:
    status, metadata = fetched(issuer.metadata_url)
    assert (status, metadata["issuer"], metadata["jwks_uri"]) == (200, issuer.issuer, issuer.jwks_uri)
    assert [person.username for person in issuer.people] == ["alice", "admin", "grace"]
    assert issuer.people[0].password == "wonderland"
    assert [client.client_id for client in issuer.clients] == ["test-app", "test-machine"]
    assert issuer.clients[1].client_secret == "test-machine-secret"
    assert issuer.resources[0].uri == "http://127.0.0.1:8000/mcp"


def test_a_token_is_its_text_and_says_what_is_in_it(issuer: Issuer) -> None:
    token = issuer.mint(scope=["mcp:read", "mcp:write"], claims={"color": "blue", "jti": None}, ttl=90)
    assert f"Bearer {token}".count(".") == 2
    assert token.header["typ"] == "at+jwt"
    assert (token.claims["iss"], token.claims["sub"]) == (issuer.issuer, "alice")
    assert token.claims["scope"] == "mcp:read mcp:write"
    assert token.claims["color"] == "blue" and "jti" not in token.claims
    assert token.claims["exp"] - token.claims["iat"] == 90


@pytest.mark.gatelet(now=1_900_000_000, config={"users": [{"username": "carol", "memberships": [{"tenant": "initech"}]}]})
def test_a_marker_says_what_the_issuer_is_like(issuer: Issuer) -> None:
    assert issuer.clock().now == 1_900_000_000 and issuer.clock().frozen
    assert [person.username for person in issuer.people] == ["carol"]


@pytest.fixture
def issuer_spec(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"issuer_path": "/here"} if "fixture" in request.node.name else {}


def test_a_fixture_says_what_the_issuer_is_like(issuer: Issuer) -> None:
    assert issuer.issuer == f"{issuer.url}/here"


def test_issuers_have_nothing_in_common(issuer: Issuer, gatelet: Gatelet) -> None:
    other = gatelet.issuer()
    issuer.rotate_key()
    assert len(fetched(other.jwks_uri)[1]["keys"]) == 1
    assert len(fetched(issuer.jwks_uri)[1]["keys"]) == 2
    issuer.freeze(1_900_000_000)
    assert not other.clock().frozen
    other.delete()


def test_an_expectation_that_fails_says_what_was_seen(issuer: Issuer) -> None:
    fetched(issuer.jwks_uri)
    assert issuer.expect("jwks", method="GET", exactly=1)[0].status == 200
    with pytest.raises(ExpectationFailed, match="jwks") as failed:
        issuer.expect("token", form={"grant_type": "refresh_token"})
    # pytest reports it as what it is: an assertion that does not hold.
    assert isinstance(failed.value, AssertionError)


def test_a_fault_happens_so_often(issuer: Issuer) -> None:
    issuer.fault("jwks", status=503, times=2)
    assert [fetched(issuer.jwks_uri)[0] for _ in range(3)] == [503, 503, 200]


def test_a_snapshot_is_put_back(issuer: Issuer) -> None:
    before = issuer.mint().header["kid"]
    with issuer.restored():
        issuer.lose_key()
        assert issuer.mint().header["kid"] != before
    assert issuer.mint().header["kid"] == before


def test_a_refusal_says_why(gatelet: Gatelet) -> None:
    with pytest.raises(GateletError, match="404 not_found") as refused:
        gatelet.issuer_named("nobody")
    assert (refused.value.status, refused.value.error) == (404, "not_found")
    with pytest.raises(GateletError, match="401"):
        Gatelet.connect(gatelet.control_url, "not-the-control-key").issuers()


def test_who_is_running_already_is_used(gatelet: Gatelet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATELET_CONTROL_URL", gatelet.control_url)
    monkeypatch.setenv("GATELET_CONTROL_KEY", gatelet.control_key)
    with Gatelet.from_environment() as same:
        assert same.pid is None and same.version == gatelet.version
        assert same.default.issuer == gatelet.default.issuer
    assert gatelet.issuers(), "closing it leaves it running"


def test_one_that_is_about_to_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    key = "the-key-of-a-container"
    monkeypatch.setenv("GATELET_CONTROL_URL", f"http://{at}/control")
    monkeypatch.setenv("GATELET_CONTROL_KEY", key)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(Gatelet.from_environment)
        time.sleep(0.5)
        assert not waiting.done()
        with Gatelet(arguments=["--listen", at]):
            assert waiting.result(timeout=20).control_key == key


def test_coroutines_wait_for_the_same(async_issuer: AsyncIssuer) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(async_issuer.requests(endpoint="jwks", wait=10))
        token = await async_issuer.mint()
        assert token.claims["iss"] == async_issuer.issuer
        await asyncio.to_thread(fetched, async_issuer.jwks_uri)
        assert [request.endpoint for request in await waiting] == ["jwks"]
        async with async_issuer.restored() as issuer:
            await issuer.freeze(1_900_000_000)
        assert not (await async_issuer.clock()).frozen
        async with AsyncGatelet() as gatelet:
            async with await gatelet.issuer(seed=1) as issuer:
                assert issuer.issuer == (await gatelet.issuer_named(issuer.name)).issuer
            with pytest.raises(GateletError, match="404"):
                await gatelet.issuer_named(issuer.name)
            assert [each.name for each in await gatelet.issuers()] == ["default"]
            assert await gatelet.personas() and await gatelet.openapi()

    asyncio.run(scenario())


def test_everything_can_be_awaited() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Issuer) <= public(AsyncIssuer)
    # Who awaits names the issuer `default`, and hands the ways to begin to AsyncGatelet.
    assert public(Gatelet) - public(AsyncGatelet) == {"default", "connect", "from_environment"}


def test_a_gatelet_that_was_not_entered_says_so() -> None:
    with pytest.raises(GateletError, match="async with"):
        AsyncGatelet().log()


def test_an_issuer_that_has_ended_can_be_deleted(gatelet: Gatelet) -> None:
    with gatelet.issuer() as issuer:
        issuer.delete()
    issuer.delete()
    with pytest.raises(GateletError, match="404"):
        issuer.mint()


def test_what_goes_wrong_inside_is_what_is_told() -> None:
    with pytest.raises(ZeroDivisionError), Gatelet() as gatelet, gatelet.issuer():
        gatelet.close()
        raise ZeroDivisionError


def test_a_fault_is_listed_as_it_was_asked_for(issuer: Issuer) -> None:
    number = issuer.fault("par", form={"client_id": "x"}, times=None, headers={"retry-after": "1"}, set={"a": None})
    (fault,) = issuer.faults()
    assert (fault.id, fault.endpoint, fault.times, fault.form) == (number, "par", None, {"client_id": "x"})
    assert (fault.headers, fault.set, fault.status) == ({"retry-after": "1"}, {"a": None}, None)


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_process_that_died_is_reported_with_how_it_ended() -> None:
    with Gatelet() as gatelet:
        issuer = gatelet.issuer()
        assert gatelet.pid is not None
        os.kill(gatelet.pid, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(GateletError, match=r"does not answer: (.|\n)*has ended \(exit code -9\); the end of its log:") as told:
            issuer.mint()
        assert told.value.status is None
        assert time.monotonic() - began < 5


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a group of processes")
def test_who_interrupts_the_tests_does_not_interrupt_their_server(gatelet: Gatelet) -> None:
    assert gatelet.pid is not None
    # A terminal's Ctrl-C goes to its foreground group.
    assert os.getpgid(gatelet.pid) != os.getpgid(0)


def test_nothing_is_left_open() -> None:
    script = "import gatelet, gc\nwith gatelet.Gatelet() as it: it.issuer().mint()\ndel it; gc.collect()"
    done = subprocess.run([sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_process_does_not_keep_it_running() -> None:
    # It has inherited the pipe that the program waits on.
    script = """
import gatelet, os, time
it = gatelet.Gatelet()
if os.fork() == 0:
    time.sleep(20)
    os._exit(0)
began = time.monotonic()
it.close()
assert time.monotonic() - began < 8, "it had to be killed"
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def ended(pid: int) -> bool:
    late = time.monotonic() + 10
    while time.monotonic() < late:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", ["close", "kill"])
def test_the_process_ends_with_that_which_started_it(how: str) -> None:
    script = "import gatelet, sys, time; print(gatelet.Gatelet().pid, flush=True); time.sleep(600)"
    if how == "close":
        script = "import gatelet; it = gatelet.Gatelet(); print(it.pid, flush=True); it.close()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        if how == "kill":
            started.send_signal(signal.SIGKILL)
    assert ended(pid)


def test_the_program_is_looked_for_in_three_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GATELET_BIN", raising=False)
    packaged = Path(program())
    # pip puts it beside the interpreter.
    assert packaged.parent == Path(sys.executable).parent
    on_path = tmp_path / "gatelet"
    on_path.write_text("#!/bin/sh\n")
    on_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(program()) == packaged
    monkeypatch.setattr("importlib.metadata.files", lambda name: [])
    assert Path(program()) == on_path
    monkeypatch.setenv("GATELET_BIN", str(packaged))
    assert Path(program()) == packaged
    monkeypatch.delenv("GATELET_BIN")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(DidNotStart, match="cargo install(.*)GATELET_BIN"):
        program()


def test_a_program_that_does_not_start_is_reported_with_what_it_says(tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match="not-an-address"):
        Gatelet(arguments=["--listen", "not-an-address"])
    with pytest.raises(DidNotStart, match="cannot be run"):
        Gatelet(bin=str(tmp_path / "nothing"))

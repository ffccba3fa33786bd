"""The same for coroutines, of asyncio or trio: each call waits in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ._facts import IssuerFacts
from ._gatelet import Gatelet
from ._http import GateletError
from ._issuer import Issuer

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class _FaceOf(Protocol[S_co]):
    @property
    def synchronous(self) -> S_co: ...


async def _in_a_thread(call: Callable[[], R]) -> R:
    """What `call` answers. The loop goes on meanwhile, be it asyncio's or trio's. Who is cancelled leaves the thread behind,
    and nothing waits for that: neither the loop's end, as it would for `asyncio.to_thread`, nor the interpreter's.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        answer: R = await trio.to_thread.run_sync(call, abandon_on_cancel=True)
        return answer
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[R] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        if not answered.done():
            done()

    def work() -> None:
        try:
            answer = call()
            done = functools.partial(answered.set_result, answer)
        except BaseException as problem:
            done = functools.partial(answered.set_exception, problem)
        with contextlib.suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(settle, done)

    threading.Thread(target=work, name="gatelet", daemon=True).start()
    return await answered


def _awaited(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[_FaceOf[S], P], Coroutine[Any, Any, R]]:
    """The method of the asynchronous face that is a method of the synchronous one, with the same parameters."""

    @functools.wraps(method)
    async def called(self: _FaceOf[S], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await _in_a_thread(functools.partial(method, self.synchronous, *args, **kwargs))

    return called


def _issuing(
    method: Callable[Concatenate[S, P], Issuer],
) -> Callable[Concatenate[_FaceOf[S], P], Coroutine[Any, Any, AsyncIssuer]]:
    """`_awaited` for what answers an issuer: it answers the asynchronous face of that."""

    @functools.wraps(method)
    async def called(self: _FaceOf[S], /, *args: P.args, **kwargs: P.kwargs) -> AsyncIssuer:
        return AsyncIssuer(await _in_a_thread(functools.partial(method, self.synchronous, *args, **kwargs)))

    return called


class AsyncIssuer(IssuerFacts):
    """An `Issuer` whose methods are awaited."""

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(issuer._control, issuer.facts)
        self.synchronous = issuer
        """The same issuer, without `await`."""

    async def __aenter__(self) -> AsyncIssuer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        await _in_a_thread(functools.partial(self.synchronous.__exit__, kind, problem, where))

    delete = _awaited(Issuer.delete)
    mint = _awaited(Issuer.mint)
    zoo = _awaited(Issuer.zoo)
    specimens = _awaited(Issuer.specimens)
    revoke = _awaited(Issuer.revoke)
    clock = _awaited(Issuer.clock)
    set_clock = _awaited(Issuer.set_clock)
    freeze = _awaited(Issuer.freeze)
    unfreeze = _awaited(Issuer.unfreeze)
    advance = _awaited(Issuer.advance)
    rotate_key = _awaited(Issuer.rotate_key)
    lose_key = _awaited(Issuer.lose_key)
    revoke_key = _awaited(Issuer.revoke_key)
    publish_key_late = _awaited(Issuer.publish_key_late)
    publish_key = _awaited(Issuer.publish_key)
    fault = _awaited(Issuer.fault)
    faults = _awaited(Issuer.faults)
    remove_fault = _awaited(Issuer.remove_fault)
    clear_faults = _awaited(Issuer.clear_faults)
    persona = _awaited(Issuer.persona)
    authorize = _awaited(Issuer.authorize)
    auto = _awaited(Issuer.auto)
    requests = _awaited(Issuer.requests)
    forget_requests = _awaited(Issuer.forget_requests)
    expect = _awaited(Issuer.expect)
    snapshot = _awaited(Issuer.snapshot)
    snapshots = _awaited(Issuer.snapshots)
    restore = _awaited(Issuer.restore)
    document = _awaited(Issuer.document)
    forget_document = _awaited(Issuer.forget_document)
    add_user = _awaited(Issuer.add_user)
    add_client = _awaited(Issuer.add_client)
    add_resource = _awaited(Issuer.add_resource)
    add_tenant = _awaited(Issuer.add_tenant)
    delete_client = _awaited(Issuer.delete_client)

    @contextlib.asynccontextmanager
    async def restored(self) -> AsyncGenerator[AsyncIssuer, None]:
        """What is done inside `async with issuer.restored():` is undone at its end."""
        name = await self.snapshot()
        try:
            yield self
        finally:
            await self.restore(name)


class AsyncGatelet:
    """A `Gatelet` that is awaited: `async with AsyncGatelet() as gatelet:`. It starts when it is entered."""

    def __init__(self, start: Callable[[], Gatelet] = Gatelet) -> None:
        """`start` makes the process: `functools.partial(Gatelet, bin=…)` and `Gatelet.from_environment` do as well."""
        self._start = start
        self._started: Gatelet | None = None

    async def __aenter__(self) -> AsyncGatelet:
        self._started = await _in_a_thread(self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def synchronous(self) -> Gatelet:
        """The same process, without `await`."""
        if self._started is None:
            raise GateletError("it has not been started: `async with AsyncGatelet() as gatelet:` starts it")
        return self._started

    @property
    def version(self) -> str:
        """The version of the program."""
        return self.synchronous.version

    @property
    def control_url(self) -> str:
        return self.synchronous.control_url

    @property
    def control_key(self) -> str:
        return self.synchronous.control_key

    @property
    def pid(self) -> int | None:
        """The process, if this started it."""
        return self.synchronous.pid

    def log(self) -> str:
        """The newest lines of the program's log; empty, if this did not start it."""
        return self.synchronous.log()

    close = _awaited(Gatelet.close)
    issuer = _issuing(Gatelet.issuer)
    issuer_named = _issuing(Gatelet.issuer_named)
    personas = _awaited(Gatelet.personas)
    openapi = _awaited(Gatelet.openapi)

    async def issuers(self) -> list[AsyncIssuer]:
        """All issuers that there are."""
        return [AsyncIssuer(issuer) for issuer in await _in_a_thread(self.synchronous.issuers)]

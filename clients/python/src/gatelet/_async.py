"""The same for asyncio: each call waits in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from ._gatelet import Gatelet
from ._issuer import Issuer, IssuerFacts

P = ParamSpec("P")
R = TypeVar("R")


def _in_a_thread(
    method: Callable[Concatenate[Issuer, P], R],
) -> Callable[Concatenate[AsyncIssuer, P], Coroutine[Any, Any, R]]:
    async def called(self: AsyncIssuer, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self.synchronous, *args, **kwargs)

    functools.update_wrapper(called, method)
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
        await self.delete()

    delete = _in_a_thread(Issuer.delete)
    mint = _in_a_thread(Issuer.mint)
    zoo = _in_a_thread(Issuer.zoo)
    specimens = _in_a_thread(Issuer.specimens)
    revoke = _in_a_thread(Issuer.revoke)
    clock = _in_a_thread(Issuer.clock)
    set_clock = _in_a_thread(Issuer.set_clock)
    freeze = _in_a_thread(Issuer.freeze)
    unfreeze = _in_a_thread(Issuer.unfreeze)
    advance = _in_a_thread(Issuer.advance)
    rotate_key = _in_a_thread(Issuer.rotate_key)
    lose_key = _in_a_thread(Issuer.lose_key)
    revoke_key = _in_a_thread(Issuer.revoke_key)
    publish_key_late = _in_a_thread(Issuer.publish_key_late)
    publish_key = _in_a_thread(Issuer.publish_key)
    fault = _in_a_thread(Issuer.fault)
    faults = _in_a_thread(Issuer.faults)
    remove_fault = _in_a_thread(Issuer.remove_fault)
    clear_faults = _in_a_thread(Issuer.clear_faults)
    persona = _in_a_thread(Issuer.persona)
    authorize = _in_a_thread(Issuer.authorize)
    auto = _in_a_thread(Issuer.auto)
    requests = _in_a_thread(Issuer.requests)
    forget_requests = _in_a_thread(Issuer.forget_requests)
    expect = _in_a_thread(Issuer.expect)
    snapshot = _in_a_thread(Issuer.snapshot)
    snapshots = _in_a_thread(Issuer.snapshots)
    restore = _in_a_thread(Issuer.restore)
    document = _in_a_thread(Issuer.document)
    forget_document = _in_a_thread(Issuer.forget_document)
    add_user = _in_a_thread(Issuer.add_user)
    add_client = _in_a_thread(Issuer.add_client)
    add_resource = _in_a_thread(Issuer.add_resource)
    add_tenant = _in_a_thread(Issuer.add_tenant)
    delete_client = _in_a_thread(Issuer.delete_client)

    @contextlib.asynccontextmanager
    async def restored(self) -> AsyncIterator[AsyncIssuer]:
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
        self.synchronous: Gatelet
        """The same process, without `await`."""

    async def __aenter__(self) -> AsyncGatelet:
        self.synchronous = await asyncio.to_thread(self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.synchronous.close)

    async def issuer(self, **spec: Any) -> AsyncIssuer:
        """A new issuer; `spec` as for `Gatelet.issuer`."""
        return AsyncIssuer(await asyncio.to_thread(self.synchronous.issuer, **spec))

    async def issuer_named(self, name: str) -> AsyncIssuer:
        """The issuer of this name, as it is now."""
        return AsyncIssuer(await asyncio.to_thread(self.synchronous.issuer_named, name))

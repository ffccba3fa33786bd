"""What a type checker makes of the package, in strict mode. It is not run. Each `type: ignore` is an error that has to be
found: one that is not needed is an error too.
"""

import functools
from typing import Any, Literal

from gatelet import AsyncGatelet, AsyncIssuer, Clock, Fault, Gatelet, Issuer, Keys, Location, SeenRequest, Specimen, Token
from typing_extensions import assert_type


def synchronous(gatelet: Gatelet) -> None:
    issuer = gatelet.issuer(now=1, frozen=False, keys="fresh", auto={"user": "alice"}, config={"users": []})
    assert_type(issuer, Issuer)
    token = issuer.mint(user="alice", scope=["mcp:read"], claims={"aud": None})
    assert_type(token, Token)
    assert_type(token.claims, dict[str, Any])
    assert_type(issuer.zoo(), list[Specimen])
    assert_type(issuer.zoo()[0].depends_on, Literal["introspection", "tenant"] | None)
    assert_type(issuer.requests()[0].form, dict[str, str] | None)
    assert_type(issuer.faults(), list[Fault])
    assert_type(issuer.authorize("url", decision="deny"), Location)
    issuer.fault("par", headers={"x": None})
    with issuer.restored() as same, issuer as again:
        assert_type(same, Issuer)
        assert_type(again, Issuer)
    issuer.mint(usr="alice")  # type: ignore[call-arg]
    issuer.mint(ttl="60")  # type: ignore[arg-type]
    issuer.authorize("url", decision="maybe")  # type: ignore[arg-type]
    gatelet.issuer(keys="old")  # type: ignore[arg-type]


async def awaited() -> None:
    async with AsyncGatelet(functools.partial(Gatelet, bin="gatelet")) as gatelet:
        issuer = await gatelet.issuer(now=1, frozen=False)
        assert_type(issuer, AsyncIssuer)
        assert_type(await gatelet.issuers(), list[AsyncIssuer])
        assert_type(await gatelet.issuer_named("default"), AsyncIssuer)
        assert_type(await issuer.mint(user="alice"), Token)
        assert_type(await issuer.expect("token", form={"grant_type": "refresh_token"}), list[SeenRequest])
        assert_type(await issuer.clock(), Clock)
        assert_type(await issuer.rotate_key(), Keys)
        assert_type(await issuer.snapshot(), str)
        async with issuer.restored() as same, issuer as again:
            assert_type(same, AsyncIssuer)
            assert_type(again, AsyncIssuer)
        await issuer.mint(usr="alice")  # type: ignore[call-arg]
        await issuer.mint(ttl="60")  # type: ignore[arg-type]
        await gatelet.issuer(nmae="one")  # type: ignore[call-arg]
        issuer.mint().claims  # type: ignore[attr-defined]

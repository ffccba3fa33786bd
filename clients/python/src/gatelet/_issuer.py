"""One issuer: an authorization server of its own inside the process."""

from __future__ import annotations

import contextlib
import urllib.parse
from collections.abc import Generator, Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, TypeAlias

from ._answers import Clock, Fault, Keys, Location, SeenRequest, Specimen, Token, read
from ._facts import IssuerFacts
from ._http import GateletError, written

Json: TypeAlias = Mapping[str, Any]
Texts: TypeAlias = Mapping[str, str]
Decision: TypeAlias = Literal["allow", "deny"]
Endpoint: TypeAlias = (
    Literal["token", "authorize", "metadata", "jwks", "register", "introspect", "revoke", "userinfo", "*"] | str
)
"""The name of an endpoint: these, or the last part of any other path."""


def words(scope: str | Iterable[str] | None) -> str | None:
    """A scope as text, from text or from its tokens."""
    return scope if scope is None or isinstance(scope, str) else " ".join(scope)


def listed(items: Iterable[str] | None) -> list[str] | None:
    """Any number of words as a list."""
    return None if items is None else list(items)


class Issuer(IssuerFacts):
    """An authorization server for one test or a few: its people, clients, keys, clock and database are its own."""

    def _call(self, method: str, path: str, body: object = ..., query: Json | None = None, wait: float = 0.0) -> Any:
        return self._control.call(method, f"/issuers/{urllib.parse.quote(self.name)}{path}", body, query, wait)

    def __enter__(self) -> Issuer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self.delete()
        except GateletError:
            # What went wrong inside is what there is to tell.
            if problem is None:
                raise

    def delete(self) -> None:
        """Ends this issuer, as `with` does; one that has ended already is left at that. By itself it ends an hour after it
        was made (`expires_in`).
        """
        try:
            self._call("DELETE", "")
        except GateletError as refused:
            if refused.status != 404:
                raise

    # Tokens

    def mint(
        self,
        *,
        user: str | None = None,
        client: str | None = None,
        resource: str | None = None,
        scope: str | Iterable[str] | None = None,
        tenant: str | None = None,
        ttl: int | None = None,
        claims: Json | None = None,
        header: Json | None = None,
        defect: str | None = None,
    ) -> Token:
        """A token as this issuer would issue it, without the way through a browser.

        It is of `user` (alice, if nobody is named) or, where only `client` is named, of that machine; for the first
        resource and its default scopes, if nothing else is said. It lives for `ttl` seconds, which may be negative.
        Members of `claims` and `header` are set or, if they are None, removed. `defect` names a specimen of the zoo.
        """
        asked = written(user=user, client=client, resource=resource, scope=words(scope), tenant=tenant)
        asked |= written(ttl=ttl, claims=claims, header=header, defect=defect)
        return Token.read(self._call("POST", "/tokens", asked))

    def zoo(
        self,
        *,
        user: str | None = None,
        client: str | None = None,
        resource: str | None = None,
        scope: str | Iterable[str] | None = None,
        tenant: str | None = None,
        ttl: int | None = None,
        claims: Json | None = None,
        header: Json | None = None,
    ) -> list[Specimen]:
        """One valid token, then tokens with one defect each, and what a resource server has to answer to each."""
        asked = written(user=user, client=client, resource=resource, scope=words(scope), tenant=tenant)
        asked |= written(ttl=ttl, claims=claims, header=header)
        answer = self._call("POST", "/zoo", asked)
        return [read(Specimen, specimen) for specimen in answer["specimens"]]

    def specimens(self) -> list[Specimen]:
        """The list of the zoo, without tokens."""
        return [read(Specimen, specimen) for specimen in self._call("GET", "/zoo")["specimens"]]

    def revoke(self, token: str) -> None:
        """Revokes a token, as its client would (RFC 7009)."""
        self._call("POST", "/revoke", {"token": token})

    # Time and keys

    def clock(self) -> Clock:
        """What this issuer takes for the time."""
        return read(Clock, self._call("GET", "/clock"))

    def set_clock(self, now: int | None = None, *, frozen: bool | None = None) -> Clock:
        """Puts the clock to `now` (unix seconds), stops it or lets it go."""
        return read(Clock, self._call("PUT", "/clock", written(now=now, frozen=frozen)))

    def freeze(self, now: int | None = None) -> Clock:
        """Stops the clock, at `now` if that is given."""
        return self.set_clock(now, frozen=True)

    def unfreeze(self) -> Clock:
        """Lets the clock go on from where it stands."""
        return self.set_clock(frozen=False)

    def advance(self, seconds: int) -> Clock:
        """Moves the clock forward by so many seconds. What is due by then is done."""
        return read(Clock, self._call("POST", "/clock/advance", {"seconds": seconds}))

    def rotate_key(self) -> Keys:
        """A new key signs; the old one stays published."""
        return self._keys("rotate")

    def lose_key(self) -> Keys:
        """A new key signs; the old one is not published any longer, and is not said to be bad."""
        return self._keys("lose")

    def revoke_key(self) -> Keys:
        """The key that signs is revoked as one that leaked, and a new one signs."""
        return self._keys("revoke")

    def publish_key_late(self) -> Keys:
        """A new key signs that is not published until `publish_key`."""
        return self._keys("publish_late")

    def publish_key(self) -> Keys:
        """Publishes the key of `publish_key_late`."""
        return self._keys("publish")

    def _keys(self, action: str) -> Keys:
        return read(Keys, self._call("POST", "/keys", {"action": action}))

    # Faults

    def fault(
        self,
        endpoint: Endpoint = "*",
        *,
        form: Texts | None = None,
        times: int | None = 1,
        status: int | None = None,
        body: str | None = None,
        delay_ms: int | None = None,
        drop: bool | None = None,
        processed: bool | None = None,
        headers: Mapping[str, str | None] | None = None,
        set: Json | None = None,
        redirect_set: Mapping[str, str | None] | None = None,
    ) -> int:
        """Makes the next `times` answers of an endpoint bad (None: all of them). Answers the fault's number.

        `form` leaves alone what has not these parameters in its body, such as `{"grant_type": "refresh_token"}`.
        `delay_ms` waits first. `drop` cuts the connection; `status` and `body` replace the answer; the request takes no
        effect then, unless it is `processed`: only the answer is lost. `headers` sets headers, `set` members of an answer
        in JSON and `redirect_set` parameters with which the browser is sent to the client; None there takes one away.
        """
        asked = written(form=form, status=status, body=body, delay_ms=delay_ms, drop=drop, headers=headers)
        asked |= written(processed=processed, set=set, redirect_set=redirect_set)
        return int(self._call("POST", "/faults", {"endpoint": endpoint, "times": times, **asked})["id"])

    def faults(self) -> list[Fault]:
        """The faults that are still going to happen."""
        return [read(Fault, fault) for fault in self._call("GET", "/faults")["faults"]]

    def remove_fault(self, number: int) -> None:
        """Takes one fault away."""
        self._call("DELETE", f"/faults/{number}")

    def clear_faults(self) -> None:
        """Takes all faults away but those of a persona."""
        self._call("DELETE", "/faults")

    def persona(self, name: str | None) -> None:
        """Lets the issuer misbehave as `Gatelet.personas` says; None ends that."""
        self._call("PUT", "/persona", {"persona": name})

    # People at a browser

    def authorize(
        self,
        url: str,
        user: str = "alice",
        *,
        decision: Decision = "allow",
        scopes: Iterable[str] | None = None,
        tenant: str | None = None,
    ) -> Location:
        """Somebody logs in at the authorization URL that a client built, and decides. Answers where the browser goes
        then. `scopes` are those that are ticked, all if it is not given.
        """
        body = written(url=url, user=user, decision=decision, scopes=listed(scopes), tenant=tenant)
        return Location(self._call("POST", "/authorize", body)["location"])

    def auto(self, user: str | None = "alice", decision: Decision = "allow") -> None:
        """From now on authorization requests are answered at once, without a page; None for `user` ends that."""
        self._call("PUT", "/auto", None if user is None else {"user": user, "decision": decision})

    # What was seen

    def requests(self, *, after: int = 0, endpoint: Endpoint | None = None, wait: float | None = None) -> list[SeenRequest]:
        """The requests that this issuer got, from the one after number `after`. With `wait` it waits for the first, for
        so many seconds (60 at most).
        """
        query = written(after=after, endpoint=endpoint, wait=wait)
        answer = self._call("GET", "/requests", query=query, wait=wait or 0)
        return [read(SeenRequest, request) for request in answer["requests"]]

    def forget_requests(self) -> None:
        """Forgets the requests up to now."""
        self._call("DELETE", "/requests")

    def expect(
        self,
        endpoint: Endpoint | None = None,
        *,
        method: str | None = None,
        form: Texts | None = None,
        query: Texts | None = None,
        headers: Texts | None = None,
        status: int | None = None,
        after: int | None = None,
        count: int | None = None,
        exactly: int | None = None,
        wait: float | None = None,
    ) -> list[SeenRequest]:
        """The requests that look like this: at least `count` (1), or `exactly` so many; `form`, `query` and `headers` are
        what they have among others, `after` the number that they are later than. Waits `wait` seconds for them, if told
        (60 at most). Raises `ExpectationFailed`, an AssertionError that says what was seen instead.
        """
        asked = written(endpoint=endpoint, method=method, form=form, query=query, headers=headers)
        asked |= written(status=status, after=after, count=count, exactly=exactly, wait=wait)
        answer = self._call("POST", "/requests/expect", asked, wait=wait or 0)
        return [read(SeenRequest, request) for request in answer["requests"]]

    # State

    def snapshot(self, name: str | None = None) -> str:
        """Keeps database, clock, keys and faults as they are. Answers the name for `restore`."""
        return str(self._call("POST", "/snapshots", written(name=name))["name"])

    def snapshots(self) -> list[str]:
        """The names of the snapshots."""
        return [str(name) for name in self._call("GET", "/snapshots")["snapshots"]]

    def restore(self, name: str) -> None:
        """Puts everything back to a snapshot."""
        self._call("POST", f"/snapshots/{urllib.parse.quote(name, safe='')}/restore")

    @contextlib.contextmanager
    def restored(self) -> Generator[Issuer, None, None]:
        """What is done inside `with issuer.restored():` is undone at its end."""
        name = self.snapshot()
        try:
            yield self
        finally:
            self.restore(name)

    def document(
        self, url: str, document: Json | None = None, *, status: int | None = None, fresh_for: int | None = None
    ) -> None:
        """The client id metadata document that the issuer finds at `url`, or the `status` it gets instead. Nothing is
        dialled. `fresh_for` is how many seconds it may be kept.
        """
        body = written(url=url, document=document, status=status, fresh_for=fresh_for)
        self._call("PUT", "/documents", body)

    def forget_document(self, url: str) -> None:
        """There is nothing any more at `url`."""
        self._call("DELETE", "/documents", query={"url": url})

    def add_user(self, user: Json) -> None:
        """One more person, in the terms of `[[users]]` in the configuration, `password` beside them."""
        self._call("POST", "/users", dict(user))

    def add_client(self, client: Json) -> None:
        """One more client, in the terms of `[[clients]]`, `secret` beside them."""
        self._call("POST", "/clients", dict(client))

    def add_resource(self, resource: Json) -> None:
        """One more MCP server, in the terms of `[[resources]]`."""
        self._call("POST", "/resources", dict(resource))

    def add_tenant(self, tenant: Json) -> None:
        """One more tenant, in the terms of `[[tenants]]`."""
        self._call("POST", "/tenants", dict(tenant))

    def delete_client(self, client_id: str) -> None:
        """Purges a client: it is as if it had never been known."""
        self._call("DELETE", f"/clients/{urllib.parse.quote(client_id, safe='')}")

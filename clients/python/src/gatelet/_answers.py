"""What the control plane answers, as types. Members that a newer server adds are left out."""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def read(kind: type[T], members: Mapping[str, Any]) -> T:
    """The dataclass `kind` from the members of a JSON object."""
    known = {known.name for known in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in members.items() if name in known})


class Token(str):
    """A token. It is its own text (`f"Bearer {token}"`), and says what is in it."""

    header: dict[str, Any]
    """The header of the JWT, decoded."""
    claims: dict[str, Any]
    """The claims, decoded."""

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> Token:
        token = cls(members["token"])
        token.header, token.claims = members["header"], members["claims"]
        return token


class Location(str):
    """Where the browser is sent after a login: the client's redirect URI with the answer."""

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the answer, such as `code`, `state` and `iss`."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self).query, keep_blank_values=True))

    @property
    def code(self) -> str | None:
        """The authorization code, if there is one."""
        return self.params.get("code")

    @property
    def error(self) -> str | None:
        """The error code, if the answer is an error."""
        return self.params.get("error")


@dataclass(frozen=True)
class Specimen:
    """A token of the zoo: a valid one, or one with a single defect."""

    name: str
    """What is wrong with it, in kebab-case; `valid` for the one that must be accepted."""
    valid: bool
    """Whether a resource server has to accept it."""
    status: int
    """The status that a resource server must answer with."""
    section: str
    """The section that says so."""
    why: str
    """What is wrong with it, and what accepting it would mean."""
    remedy: str = ""
    """What to change in a server that takes it."""
    error: str | None = None
    """The error code that belongs into the `WWW-Authenticate` header."""
    depends_on: Literal["introspection", "tenant"] | None = None
    """None where every resource server has to answer so. Else only one has to that asks the issuer about each token, or
    that belongs to one tenant.
    """
    token: str = field(default="", repr=False)
    """The token. Empty in `Issuer.specimens`."""


@dataclass(frozen=True)
class Clock:
    """The clock of an issuer."""

    now: int
    """Unix seconds."""
    frozen: bool
    """Whether it stands still until it is moved."""


@dataclass(frozen=True)
class Keys:
    """The signing keys of an issuer."""

    keys: list[str]
    """The `kid` of each published key."""
    signing: str
    """The `kid` of the key that signs."""


@dataclass(frozen=True)
class Membership:
    """A tenant that a person belongs to."""

    tenant: str
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    username: str
    password: str | None = None
    memberships: list[Membership] = field(default_factory=list)

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> Person:
        memberships = [read(Membership, membership) for membership in members.get("memberships") or []]
        return cls(members["username"], members.get("password"), memberships)


@dataclass(frozen=True)
class Client:
    """A client that the issuer knows."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Resource:
    """An MCP server that the issuer knows."""

    uri: str
    audience: str | None = None
    """The `aud` of tokens for it."""
    scopes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SeenRequest:
    """A request that the issuer got."""

    n: int
    """Its number, counted from 1 at each issuer."""
    endpoint: str
    """`token`, `authorize`, `metadata`, `jwks`, `register` …"""
    method: str
    path: str
    status: int | None = None
    """What it was answered with; None where the connection was cut."""
    at: int = 0
    """When, in unix seconds of the issuer's clock."""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    """In lower case."""
    form: dict[str, str] | None = None
    json: Any = None

    def __str__(self) -> str:
        return f"{self.n}. {self.method} {self.path} ({self.endpoint}): {self.status}"


@dataclass(frozen=True)
class Fault:
    """A fault that is going to happen; its members are those of `Issuer.fault`."""

    id: int
    """Its number, for `Issuer.remove_fault`."""
    endpoint: str
    times: int | None = None
    """How often it still happens; None for good."""
    persona: str | None = None
    """The persona that brought it."""
    form: dict[str, str] | None = None
    status: int | None = None
    body: str | None = None
    delay_ms: int | None = None
    drop: bool = False
    processed: bool = False
    headers: dict[str, str | None] = field(default_factory=dict)
    set: dict[str, Any] = field(default_factory=dict)
    redirect_set: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Persona:
    """A way for an authorization server to misbehave."""

    name: str
    does: str
    """What it does."""
    client_must: str
    """What a client has to do about it."""
    section: str
    """The section that says so."""

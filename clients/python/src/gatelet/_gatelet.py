"""One process of `gatelet test`."""

from __future__ import annotations

import os
import time
import urllib.parse
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

from ._answers import Persona, read
from ._http import Control, GateletError, written
from ._issuer import Issuer
from ._process import STARTING, Process

NEEDS_NO_KEY = "none"


class Gatelet:
    """A running `gatelet test`, with room for many issuers. One process does for a whole test run."""

    def __init__(self, *, bin: str | None = None, arguments: list[str] | None = None) -> None:
        """Starts the program, which is `bin` or found as `program` says, with more `arguments` for `gatelet test`.

        Raises `DidNotStart`.
        """
        self._process: Process | None = Process(bin, arguments or [])
        announced = self._process.announcement
        self.version = str(announced["version"])
        """The version of the program."""
        self._control = Control(announced["control_url"], announced["control_key"], self._process.epitaph)

    @classmethod
    def connect(cls, control_url: str, control_key: str) -> Gatelet:
        """The one that is running already, in a container for instance. `close` leaves it running."""
        gatelet = cls.__new__(cls)
        gatelet._process = None
        gatelet._control = Control(control_url, control_key)
        gatelet.version = str(gatelet.openapi()["info"]["version"])
        return gatelet

    @classmethod
    def from_environment(cls) -> Gatelet:
        """The one that `GATELET_CONTROL_URL` and `GATELET_CONTROL_KEY` name, else a new one.

        The one that is named may be about to start, as a container is that was started together with the tests: waits
        until it answers, for half a minute at most.
        """
        url = os.environ.get("GATELET_CONTROL_URL")
        if not url:
            return cls()
        late = time.monotonic() + STARTING
        while True:
            try:
                return cls.connect(url, os.environ.get("GATELET_CONTROL_KEY", NEEDS_NO_KEY))
            except GateletError as problem:
                if problem.status is not None or time.monotonic() > late:
                    raise
            time.sleep(0.1)

    def __enter__(self) -> Gatelet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process, if this started it."""
        if self._process is not None:
            self._process.stop()

    @property
    def control_url(self) -> str:
        return self._control.url

    @property
    def control_key(self) -> str:
        return self._control.key

    @property
    def pid(self) -> int | None:
        """The process, if this started it."""
        return self._process.pid if self._process else None

    def log(self) -> str:
        """The newest lines of the program's log; empty, if this did not start it."""
        return self._process.log() if self._process else ""

    def issuer(
        self,
        *,
        name: str | None = None,
        seed: int | None = None,
        now: int | None = None,
        frozen: bool | None = None,
        expires_in: int | None = None,
        keys: Literal["pool", "fresh"] | None = None,
        origin: str | None = None,
        issuer_path: str | None = None,
        config: Mapping[str, Any] | None = None,
        loopback_resources: bool | None = None,
        documents: Mapping[str, Mapping[str, Any]] | None = None,
        auto: Mapping[str, str] | None = None,
        persona: str | None = None,
    ) -> Issuer:
        """A new issuer. Nothing has to be given: people, clients and a resource are ready-made.

        `config` has the keys of gatelet.toml, and what it names replaces what is ready-made. `seed` makes all chance and
        the start of the clock repeatable; `now` is where the clock starts, and stands unless `frozen` is False. After
        `expires_in` seconds (an hour) it ends by itself. `keys="fresh"` makes a signing key of its own, which takes a
        moment; else it is a key that everybody can know. `origin` is scheme, host and port by which it is reached, where
        that is another one than the program knows of, such as a port that a container has mapped. `issuer_path` is the
        path of the issuer (`/oauth`), `""` or `"/"` for none. `documents` are client id metadata documents by URL. `auto`
        (`{"user": "alice"}`) answers authorization requests at once, without a page.
        """
        asked = written(name=name, seed=seed, now=now, frozen=frozen, expires_in=expires_in, keys=keys)
        asked |= written(origin=origin, issuer_path=issuer_path, config=config, loopback_resources=loopback_resources)
        asked |= written(documents=documents, auto=auto, persona=persona)
        return Issuer(self._control, self._control.call("POST", "/issuers", asked))

    def issuers(self) -> list[Issuer]:
        """All issuers that there are."""
        return [Issuer(self._control, facts) for facts in self._control.call("GET", "/issuers")["issuers"]]

    def issuer_named(self, name: str) -> Issuer:
        """The issuer of this name, as it is now."""
        return Issuer(self._control, self._control.call("GET", f"/issuers/{urllib.parse.quote(name, safe='')}"))

    @property
    def default(self) -> Issuer:
        """The issuer that is there from the start."""
        return self.issuer_named("default")

    def personas(self) -> list[Persona]:
        """The ways for an issuer to misbehave, what each does and what a client must do."""
        return [read(Persona, persona) for persona in self._control.call("GET", "/personas")["personas"]]

    def openapi(self) -> dict[str, Any]:
        """The description of the control plane."""
        described = self._control.call("GET", "/openapi.json")
        assert isinstance(described, dict)
        return described

"""Requests to the control plane.

By the standard library alone: a test kit is installed beside the program that is tested, and must not have a say in which
version of an HTTP library that program gets. Asynchronous callers wait for it in a thread.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

PATIENCE = 30.0
"""Seconds that an answer may take, beyond what was asked for by `wait`."""


class GateletError(Exception):
    """The control plane refused a request, or could not be reached."""

    def __init__(self, message: str, status: int | None = None, error: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        """The status of the answer, None if there was none."""
        self.error = error
        """The answer's error code, such as `invalid_request`."""


class ExpectationFailed(GateletError, AssertionError):
    """What was expected did not happen. The message says what was seen instead."""


def written(**members: Any) -> dict[str, Any]:
    """The members that were given. None stands for *not given*."""
    return {name: value for name, value in members.items() if value is not None}


class Control:
    """The control plane of one process."""

    def __init__(self, url: str, key: str, epitaph: Callable[[], str | None] = lambda: None) -> None:
        """`epitaph` says how the process ended, where that is known."""
        self.url = url.rstrip("/")
        self.key = key
        self._epitaph = epitaph
        # Whatever proxy the environment names, it is not on the way to a server of one's own tests.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(
        self,
        method: str,
        path: str,
        body: object = ...,
        query: Mapping[str, Any] | None = None,
        wait: float = 0.0,
    ) -> Any:
        """What is answered, parsed; None for an answer without content. A `body` of `...` is none."""
        url = self.url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        data = None
        if body is not ...:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=PATIENCE + wait) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(method, path, refused.code, refused.read()) from None
        except (OSError, http.client.HTTPException) as problem:
            epitaph = self._epitaph()
            message = f"{method} {url}: gatelet does not answer: {problem or type(problem).__name__}"
            raise GateletError(f"{message}\n{epitaph}" if epitaph else message) from problem
        return json.loads(text) if text else None


def _refusal(method: str, path: str, status: int, text: bytes) -> GateletError:
    error, description = None, text.decode(errors="replace")
    try:
        members = json.loads(text)
        error, description = members["error"], members.get("error_description", "")
    except (ValueError, TypeError, KeyError):
        pass
    if error == "expectation_failed":
        return ExpectationFailed(description, status, error)
    return GateletError(f"{method} {path}: {status} {error or ''} {description}".rstrip(), status, error)

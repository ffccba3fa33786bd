"""What the servers beside this file make of good and bad access tokens.

    pip install fastmcp pytest gatelet     # not on PyPI yet: docs/testing-python.md says how to build it
    pytest

Nothing has to run or be configured: `issuer` is an authorization server for these tests alone.
"""

import json
import re
import time
import urllib.request

import pytest
from conftest import Server
from gatelet import Issuer, Specimen


def test_its_own_token_passes(server: Server, issuer: Issuer) -> None:
    assert server.status(issuer.mint(user="alice")) == 200


def test_without_a_token_it_says_where_to_get_one(server: Server, issuer: Issuer) -> None:
    status, challenge = server.post(None)
    assert status == 401
    # RFC 9728 §5.1
    metadata = re.search(r'resource_metadata="([^"]+)"', challenge)
    assert metadata, challenge
    with urllib.request.urlopen(metadata[1], timeout=10) as answer:
        described = json.load(answer)
    assert described["resource"] == issuer.resources[0].uri
    assert described["authorization_servers"] == [issuer.issuer]


def test_the_zoo(server: Server, zoo_specimen: Specimen) -> None:
    """Once for each specimen: a token with one defect, and the status that the RFCs want for it."""
    if zoo_specimen.depends_on == "introspection" and not server.asks:
        pytest.skip("who checks tokens by themselves cannot know")
    expected, error = zoo_specimen.status, zoo_specimen.error
    if zoo_specimen.name == "scope-prefix" and server.asks:
        # The issuer never gave these scopes, so it calls the token inactive.
        expected, error = 401, "invalid_token"
    status, challenge = server.post(zoo_specimen.token)
    assert status == expected, f"{zoo_specimen.why} ({zoo_specimen.section}) {zoo_specimen.remedy}"
    if error:
        assert f'error="{error}"' in challenge


def test_a_token_without_the_scope_does_not_pass(server: Server, issuer: Issuer) -> None:
    assert server.status(issuer.mint(scope="mcp:write")) == 403
    assert server.status(issuer.mint(scope=["mcp:read", "mcp:write"])) == 200


def test_another_tenant_is_refused(server: Server, issuer: Issuer) -> None:
    assert server.status(issuer.mint(user="grace")) == 401


def test_an_expired_token_is_refused(server: Server, issuer: Issuer) -> None:
    assert server.status(issuer.mint(ttl=-60)) == 401


def test_a_token_of_an_hour_ago_is_refused(server: Server, issuer: Issuer) -> None:
    # What a server takes for the time is its own; so it is the issuer that goes back, for as long as it takes to mint.
    with issuer.restored():
        issuer.set_clock(int(time.time()) - 3600)
        token = issuer.mint()
    assert server.status(token) == 401


def test_a_revoked_token_is_refused_by_who_asks(server: Server, issuer: Issuer) -> None:
    token = issuer.mint()
    assert server.status(token) == 200
    issuer.revoke(token)
    assert server.status(token) == (401 if server.asks else 200)


def test_it_takes_the_new_key_when_keys_rotate(server: Server, issuer: Issuer) -> None:
    old = issuer.mint()
    issuer.rotate_key()
    new = issuer.mint()
    assert old.header["kid"] != new.header["kid"]
    # It looks for keys once in a second at most.
    late = time.monotonic() + 5
    while server.status(new) != 200 and time.monotonic() < late:
        time.sleep(0.2)
    assert [server.status(old), server.status(new)] == [200, 200]


def test_it_asked_the_issuer_what_it_should(server: Server, issuer: Issuer) -> None:
    assert server.status(issuer.mint()) == 200
    issuer.expect("introspect" if server.asks else "jwks", status=200)

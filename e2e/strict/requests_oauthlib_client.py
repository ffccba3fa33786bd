"""requests-oauthlib against `gatelet serve`. It raises whenever the granted scope differs from the one that it asked for.

    python requests_oauthlib_client.py WORLD
"""

import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from world import WORLD, authorize, check, raises, register

ISSUER, RESOURCE, CLIENTS = WORLD["issuer"], WORLD["resource"], WORLD["clients"]
CALLBACK = "http://127.0.0.1:47113/callback"
SCOPE = ["openid", "email", "mcp:read", "mcp:write"]

metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
client = check(
    "a client registers",
    lambda: register(
        {"client_name": "requests-oauthlib", "redirect_uris": [CALLBACK]},
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="client_secret_post",
    ),
)
session = OAuth2Session(client["client_id"], redirect_uri=CALLBACK, scope=SCOPE, pkce="S256")


def exchanged() -> None:
    url, _ = session.authorization_url(metadata["authorization_endpoint"], resource=RESOURCE)
    session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=authorize(url),
        client_secret=client["client_secret"],
        include_client_id=True,
    )
    assert sorted(session.token["scope"]) == sorted(SCOPE), session.token


check("a code is exchanged for exactly the scope that was asked for", exchanged)


def refreshed() -> None:
    before = session.token["refresh_token"]
    session.refresh_token(
        metadata["token_endpoint"], client_id=client["client_id"], client_secret=client["client_secret"]
    )
    assert session.token["refresh_token"] != before


check("a refresh repeats the scope and names no resource", refreshed)


def person() -> None:
    assert session.get(metadata["userinfo_endpoint"]).json()["email"] == "alice@example.com"


check("userinfo", person)


def introspected(token: str) -> dict:
    auth = HTTPBasicAuth(CLIENTS["introspector"]["id"], CLIENTS["introspector"]["secret"])
    return requests.post(metadata["introspection_endpoint"], data={"token": token}, auth=auth, timeout=10).json()


def revoked() -> None:
    token = session.token
    assert introspected(token["access_token"])["active"]
    form = {"token": token["refresh_token"], "client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert requests.post(metadata["revocation_endpoint"], data=form, timeout=10).status_code == 200
    assert introspected(token["access_token"]) == {"active": False}
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    raises(InvalidGrantError, lambda: session.refresh_token(metadata["token_endpoint"], **credentials))


check("introspection sees the token, until its refresh token is revoked", revoked)


def machine(way: str) -> None:
    id, secret = CLIENTS[way]["id"], CLIENTS[way]["secret"]
    session = OAuth2Session(client=BackendApplicationClient(client_id=id, scope=["mcp:read"]))
    credentials = {"auth": HTTPBasicAuth(id, secret)} if way == "basic" else {"client_secret": secret}
    session.fetch_token(
        metadata["token_endpoint"], resource=RESOURCE, include_client_id=way == "post", **credentials
    )
    assert introspected(session.token["access_token"])["sub"] == id


for method in ("basic", "post"):
    check(f"client credentials by client_secret_{method}", lambda: machine(method))

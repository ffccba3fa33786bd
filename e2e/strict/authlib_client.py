"""Authlib against `gatelet serve`: metadata, id tokens and access tokens are checked by its own validators.

    python authlib_client.py WORLD
"""

import secrets
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750.errors import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet, import_key
from world import WORLD, authorize, check, raises, register

ISSUER, RESOURCE, CLIENTS = WORLD["issuer"], WORLD["resource"], WORLD["clients"]
CALLBACK = "http://127.0.0.1:47112/callback"


def discovered() -> dict:
    origin, path = ISSUER[: -len(urlsplit(ISSUER).path)], urlsplit(ISSUER).path
    oauth = requests.get(f"{origin}/.well-known/oauth-authorization-server{path}", timeout=10).json()
    openid = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
    AuthorizationServerMetadata(oauth).validate()
    OpenIDProviderMetadata(openid).validate()
    assert oauth["issuer"] == openid["issuer"] == ISSUER
    return openid


metadata = check("the metadata is valid by RFC 8414 and by OpenID Connect Discovery", discovered)


class Validator(JWTBearerTokenValidator):
    """A resource server that checks tokens by RFC 9068."""

    def get_jwks(self) -> dict:
        return requests.get(metadata["jwks_uri"], timeout=10).json()


def validated(token: str, scope: str, resource: str = RESOURCE) -> dict:
    validator = Validator(ISSUER, resource)
    claims = validator.authenticate_token(token)
    validator.validate_token(claims, [scope], None)
    return claims


def signed_in() -> tuple[OAuth2Session, dict]:
    client = register(
        {
            "client_name": "Authlib",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_basic",
        }
    )
    session = OAuth2Session(
        client["client_id"],
        client["client_secret"],
        scope="openid profile email mcp:read",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, resource=RESOURCE
    )
    callback = authorize(url)
    assert parse_qs(urlsplit(callback).query)["iss"] == [ISSUER]
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=callback, code_verifier=verifier, state=state
    )
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    options = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": client["client_id"]}}
    params = {"nonce": nonce, "client_id": client["client_id"], "access_token": token["access_token"], "max_age": 9}
    id_token = CodeIDToken(decoded.claims, decoded.header, options, params)
    id_token.validate()
    return session, id_token


session, id_token = check("a code is exchanged, and the id token is for this client and this login", signed_in)


def access_token_is_for_the_resource() -> None:
    token = session.token["access_token"]
    claims = validated(token, "mcp:read")
    assert claims["sub"] == id_token["sub"] and claims["tenant"] == "acme"
    raises(InvalidTokenError, lambda: validated(token, "mcp:read", "https://other.example/mcp"))
    raises(InsufficientScopeError, lambda: validated(token, "mcp:write"))


check("the access token is one by RFC 9068, for this resource and this scope", access_token_is_for_the_resource)


def id_token_is_no_access_token() -> None:
    # Its audience is the client, so that even a resource server that looks at no more refuses it.
    raises(InvalidTokenError, lambda: validated(session.token["id_token"], "mcp:read"))


check("the id token is no access token", id_token_is_no_access_token)


def person() -> None:
    told = session.get(metadata["userinfo_endpoint"]).json()
    assert told["sub"] == id_token["sub"] and told["email"] == "alice@example.com", told


check("userinfo tells about the person of the id token", person)


def refreshed() -> None:
    before = session.token["refresh_token"]
    session.refresh_token(metadata["token_endpoint"], refresh_token=before)
    assert session.token["refresh_token"] != before
    validated(session.token["access_token"], "mcp:read")


check("a refresh repeats the whole scope and names no resource", refreshed)


def introspected(token: str, hint: str) -> dict:
    caller = OAuth2Session(CLIENTS["introspector"]["id"], CLIENTS["introspector"]["secret"])
    return caller.introspect_token(metadata["introspection_endpoint"], token=token, token_type_hint=hint).json()


def revoked() -> None:
    token = dict(session.token)
    known = introspected(token["access_token"], "access_token")
    assert known["active"] and known["aud"] == RESOURCE and known["username"] == "alice", known
    done = session.revoke_token(metadata["revocation_endpoint"], token["refresh_token"], "refresh_token")
    assert done.status_code == 200, done.text
    assert introspected(token["access_token"], "access_token") == {"active": False}
    raises(Exception, lambda: session.refresh_token(metadata["token_endpoint"], token["refresh_token"]))


check("introspection sees the token, until it is revoked", revoked)


def machine(client: OAuth2Session) -> None:
    client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="mcp:read", resource=RESOURCE)
    assert validated(client.token["access_token"], "mcp:read")["sub"] == client.client_id


def by_secret(way: str) -> OAuth2Session:
    client = CLIENTS[way]
    return OAuth2Session(client["id"], client["secret"], token_endpoint_auth_method=f"client_secret_{way}")


def by_key(alg: str) -> OAuth2Session:
    client = CLIENTS["keys"][alg]
    way = PrivateKeyJWT(metadata["token_endpoint"], alg=alg)
    way.sign = _signing(way, import_key(client["jwk"]))
    session = OAuth2Session(client["id"], token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(way)
    return session


def _signing(way: PrivateKeyJWT, key: object):
    """Authlib takes an RSA key as text only; a key of another type is handed to the function below that."""
    from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign

    return lambda auth, endpoint: private_key_jwt_sign(key, auth.client_id, endpoint, alg=way.alg)


for method in ("basic", "post"):
    check(f"client credentials by client_secret_{method}", lambda: machine(by_secret(method)))
for algorithm in CLIENTS["keys"]:
    check(f"client credentials by private_key_jwt, {algorithm}", lambda: machine(by_key(algorithm)))

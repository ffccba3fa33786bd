"""Resource servers that check tokens with PyJWT: issuer and audience letter by letter, a scope, and a claim or two.

    python pyjwt_servers.py SITES
"""

import http.server
import threading

import jwt
from sites import has, sites


class Site(http.server.ThreadingHTTPServer):
    def __init__(self, site: dict) -> None:
        super().__init__(("127.0.0.1", site["port"]), Answer)
        self._site, self._keys = site, jwt.PyJWKClient(site["jwks"])

    def accepts(self, token: str) -> bool:
        site = self._site
        try:
            claims = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token).key,
                algorithms=["RS256"],
                issuer=site["issuer"],
                audience=site["audience"],
                # One text, and not a list that holds it.
                options={"require": ["iss", "aud", "exp", "iat", "sub"], "strict_aud": True},
            )
        except jwt.PyJWTError:
            return False
        return site["scope"] in claims.get("scope", "").split() and has(claims, site["claims"])


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.send_response(200 if self.server.accepts(token) else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    for server in map(Site, sites()):
        threading.Thread(target=server.serve_forever).start()

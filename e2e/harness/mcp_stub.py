"""An MCP server without a purpose of its own. It takes every token of its issuer, whose signature it leaves to others, until
the tool `expire` is called with it."""

import base64
import http.server
import json
import threading


class McpStub:
    def __init__(self, issuer: str) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.issuer = issuer
        self._server.expired = set()
        self._server.guesses = []
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/mcp"

    @property
    def guesses(self) -> list[str]:
        """Requests to it as if it were an authorization server itself, which nothing says."""
        return self._server.guesses

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none of ours; what else goes wrong, the client tells."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    WELL_KNOWN = "/.well-known/oauth-protected-resource/mcp"

    def do_GET(self) -> None:
        if self.path == "/mcp":
            return self._answer(405, {})
        if self.path != self.WELL_KNOWN:
            return self._not_found()
        self._answer(
            200,
            {
                "resource": f"{self._origin()}/mcp",
                "authorization_servers": [self.server.issuer],
                "scopes_supported": ["mcp:read"],
                "bearer_methods_supported": ["header"],
            },
        )

    def do_DELETE(self) -> None:
        self._answer(405, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.path != "/mcp":
            return self._not_found()
        if not token or token in self.server.expired or _claims(token).get("iss") != self.server.issuer:
            error = ', error="invalid_token"' if token else ""
            challenge = f'Bearer resource_metadata="{self._origin()}{self.WELL_KNOWN}"{error}, scope="mcp:read"'
            return self._answer(401, {"error": "invalid_token"}, {"WWW-Authenticate": challenge})
        request = json.loads(body)
        if "id" not in request:
            return self._answer(202, None)
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        result = self._result(request, token)
        if result is None:
            error = {"code": -32601, "message": "Method not found"}
            return self._answer(200, answer | {"error": error})
        self._answer(200, answer | {"result": result})

    def _result(self, request: dict, token: str) -> dict | None:
        parameters = request.get("params") or {}
        match request["method"]:
            case "initialize":
                return {
                    "protocolVersion": parameters["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "stub", "version": "1"},
                }
            case "ping":
                return {}
            case "tools/list":
                schema = {"type": "object"}
                names = ("whoami", "expire", "write_note")
                return {"tools": [{"name": name, "inputSchema": schema} for name in names]}
            case "tools/call":
                if parameters["name"] == "expire":
                    self.server.expired.add(token)
                claims = _claims(token)
                return {"content": [{"type": "text", "text": claims["sub"]}], "structuredContent": claims}
        return None

    def _not_found(self) -> None:
        if "/.well-known/" not in self.path:
            self.server.guesses.append(self.path)
        self._answer(404, {})

    def _origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, status: int, body: dict | None, headers: dict[str, str] | None = None) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


def _claims(token: str) -> dict:
    try:
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}

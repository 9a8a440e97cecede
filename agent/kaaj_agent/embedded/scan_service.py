"""The child's second service: many positions in one request, on loopback, for holders of the token.

    POST /scan  {"prefix": [ids], "tokens": [ids], "count": n} → {"rows": [[[id, logprob, [bytes]], ...], ...]}
    POST /lines {"prefixes": [[ids], ...], "limit": n}         → {"lines": [[bytes], ...]}

413 where the context is too short, 501 where the library turns out not to be usable.
"""

from __future__ import annotations

import hmac
import json
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from kaaj_agent.embedded.lowlevel import AbandonedError, Engine, TooLongError, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT: Final = 6144
"""Tokens of the service's own context: twice the excerpt that a repair shows, and room for lines."""

_BODY_LARGEST: Final = 8 * 1024 * 1024


def start(path: Path, token: str, threads: int) -> str:
    """Serve in the background; the root's address, or an empty text where the library is not a known one."""
    if not Engine.supported():
        return ""
    server = _Server(Engine(path, CONTEXT, threads), token)
    threading.Thread(target=server.serve_forever, name="kaaj-scan", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, engine: Engine, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine = engine
        self.turn = threading.Lock()
        self.authorization = f"Bearer {token}".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        if not isinstance(self.server, _Server):
            raise TypeError(type(self.server))
        self.service = self.server
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > _BODY_LARGEST:
            self.close_connection = True
            self._answer(413, {"error": "the request is too large"})
            return
        body = self.rfile.read(size)
        given = (self.headers.get("Authorization") or "").encode()
        if not hmac.compare_digest(given, self.service.authorization):
            self._answer(401, {"error": "the token is wrong"})
            return
        try:
            with self.service.turn:
                answer = self._work(json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            self._answer(400, {"error": str(error)})
        except TooLongError as error:
            self._answer(413, {"error": str(error)})
        except UnsupportedError as error:
            self._answer(501, {"error": str(error)})
        except AbandonedError:
            self.close_connection = True
        else:
            self._answer(200 if answer is not None else 404, answer or {"error": "no such path"})

    def _work(self, body: Any) -> dict[str, Any] | None:
        engine = self.service.engine
        engine.open()
        match self.path:
            case "/scan":
                rows = engine.scan(body["prefix"], body["tokens"], int(body["count"]), self._gone)
                return {"rows": [[(i, p, list(data)) for i, p, data in row] for row in rows]}
            case "/lines":
                lines = engine.lines(body["prefixes"], int(body["limit"]), self._gone)
                return {"lines": [list(line) for line in lines]}
            case _:
                return None

    def _gone(self) -> bool:
        """Whether the client has hung up: a cancelled repair must not keep the processor busy."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: requests are not worth a log."""

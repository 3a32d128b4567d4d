"""A scripted HTTP server, for what no real server does on demand: garbled, broken, slow answers."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass
class Reply:
    """What to answer once.

    Parameters
    ----------
    body, status, content_type, headers
        As HTTP has them.
    claim
        The Content-Length to claim where it is not the body's.
    cut
        Close the connection after the body, as a server that dies does.
    wait_seconds
        How long to stay silent first.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    claim: int | None = None
    cut: bool = False
    wait_seconds: float = 0.0


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: Message
    body: bytes


BUILD_INFO = Reply(b'{"status":"success","data":{"version":"3.1.0","goVersion":"go1.23"}}')


class StandIn:
    """A server on a free loopback port that answers as told and remembers what it was asked.

    Replies to one path are given in turn, the last of them again and again. It says it is a
    Prometheus 3.1 until told otherwise.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.probe = "2"
        """What the count is by which semantics are told apart; not kept in `seen`."""
        self._replies: dict[str, list[Reply]] = {}
        self.script("/api/v1/status/buildinfo", BUILD_INFO)
        self._stop = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in._answer(self)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def script(self, path: str, *replies: Reply) -> None:
        """Say what to answer at a path."""
        self._replies[path] = list(replies)

    def page(self, path: str, text: str, content_type: str = "text/html") -> None:
        """Say what text to answer at a path."""
        self.script(path, Reply(text.encode(), content_type=content_type))

    def queries(self) -> list[Seen]:
        """Give the requests that asked a query, without the source's questions about the server."""
        return [
            each
            for each in self.seen
            if "/api/v1/query" in each.path and "count_over_time" not in each.path
        ]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path = handler.path.partition("?")[0]
        if "count_over_time" in handler.path:
            result = {"resultType": "vector", "result": [{"metric": {}, "value": [1, self.probe]}]}
            reply = Reply(json.dumps({"status": "success", "data": result}).encode())
        else:
            self.seen.append(Seen(handler.command, handler.path, handler.headers, body))
            replies = self._replies.get(path) or [Reply(b"no such page", 404, "text/plain")]
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        self._stop.wait(reply.wait_seconds)
        with contextlib.suppress(OSError):
            self._send(handler, reply)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.status == 0:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header(
            "Content-Length", str(len(reply.body) if reply.claim is None else reply.claim)
        )
        handler.end_headers()
        handler.wfile.write(reply.body)
        if reply.cut:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def elapsed(begun: float) -> float:
    """Seconds since a moment of `time.monotonic`."""
    return time.monotonic() - begun

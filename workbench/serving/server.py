"""The server: sockets, limits and threads around a pure function from request to answer.

Tornado's loop reads and writes, so that a slow client costs a buffer and no thread; questions run
in threads, at most so many at once. What a client asked ends when it goes away or its time is up: a
question to a live server is broken off, the embedded engine stops between two of its operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from tornado import httputil, iostream
from tornado.httpserver import HTTPServer

from workbench.errors import TimedOutError
from workbench.serving.access import Access
from workbench.serving.exchange import Refusal, Request, Response, failure
from workbench.serving.failures import timed_out, too_busy, translated
from workbench.serving.listening import Listening
from workbench.serving.parameters import Parameters, read_duration
from workbench.serving.routing import Api
from workbench.sources.base import Source
from workbench.sources.stop import Stop

__all__ = ["Bounds", "Line", "Server"]

_log: Final = logging.getLogger("workbench")

_PIECE: Final = 1 << 20
"""Bytes that are written at once; each has to be taken within `Bounds.client_seconds`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the server takes on.

    Parameters
    ----------
    concurrency
        Questions under way at once.
    waiting
        Requests that may wait for their turn; further ones are told to come back.
    connections
        Open connections; further ones are closed at once.
    query_seconds
        The longest that a request may take; a shorter ``timeout`` in it is honoured.
    client_seconds
        How long a client may take for its headers, its body, and each MiB of its answer.
    header_bytes, body_bytes
        The largest request.
    grace_seconds
        How long requests under way may go on once the server is told to end.
    """

    concurrency: int = 4
    waiting: int = 64
    connections: int = 512
    query_seconds: float = 120.0
    client_seconds: float = 30.0
    header_bytes: int = 1 << 16
    body_bytes: int = 1 << 20
    grace_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of an answered request: nothing of its headers, where secrets are."""

    client: str
    method: str
    path: str
    query: str
    status: int
    size: int
    seconds: float


class Server:
    """Answers the Prometheus HTTP API from a source.

    Parameters
    ----------
    source
        What answers; several threads ask it at once.
    access
        Who may ask.
    bounds
        How much is taken on.
    tls
        The server's side of TLS; plain HTTP without it.
    log
        Called with a `Line` after every answer.
    """

    def __init__(
        self,
        source: Source,
        *,
        access: Access,
        bounds: Bounds = Bounds(),
        tls: ssl.SSLContext | None = None,
        log: Callable[[Line], None] | None = None,
    ) -> None:
        self._api = Api(source)
        self._access = access
        self.bounds = bounds
        self._tls = tls
        self._log = log
        self._slots = asyncio.Semaphore(bounds.concurrency)
        self._waiting = 0
        self._open: set[_Exchange] = set()

    async def run(self, listening: Listening, ended: asyncio.Event) -> None:
        """Serve until `ended` is set, then let requests under way finish within their grace."""
        bounds = self.bounds
        server = _Listener(
            _Door(self),
            ssl_options=self._tls,
            max_header_size=bounds.header_bytes,
            max_body_size=bounds.body_bytes,
            max_buffer_size=4 * _PIECE + bounds.body_bytes,
            idle_connection_timeout=bounds.client_seconds,
            body_timeout=bounds.client_seconds,
        )
        server.most = bounds.connections
        server.add_sockets(listening.sockets)
        await ended.wait()
        server.stop()
        if busy := [each.task for each in self._open if each.task is not None]:
            await asyncio.wait(busy, timeout=bounds.grace_seconds)
        for each in self._open:
            each.stop.call()
        await server.close_all_connections()

    # ---------------------------------------------------------------- one request

    async def answered(self, request: Request, stop: Stop) -> Response:
        """Answer a request: at once where that needs nobody, else in a thread, in turn."""
        try:
            response = self._api.health(request) or self._access.preflight(request)
            if response is None:
                if refused := self._access.refusal(request):
                    raise refused
                response = await self._in_turn(request, stop)
        except Refusal as refusal:
            response = failure(refusal)
        return response.adding(self._access.cors(request))

    async def _in_turn(self, request: Request, stop: Stop) -> Response:
        seconds = min(self.bounds.query_seconds, _wanted_seconds(request))
        begun = time.monotonic()
        await self._slot(seconds)
        if stop.called:  # the client has gone: nobody would read the answer
            self._slots.release()
            raise timed_out(seconds)
        work = self._started(request, stop)
        try:
            async with asyncio.timeout(max(seconds - (time.monotonic() - begun), 0.001)):
                return await asyncio.shield(work)
        except TimeoutError:
            stop.call()
            raise timed_out(seconds) from None

    async def _slot(self, seconds: float) -> None:
        """Wait for a turn."""
        if self._waiting >= self.bounds.waiting:
            raise too_busy(self._waiting)
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise timed_out(seconds, "query queue") from None
        finally:
            self._waiting -= 1

    def _started(self, request: Request, stop: Stop) -> asyncio.Future[Response]:
        """Answer in a thread of its own; the slot is free when the thread is, not before.

        The threads are daemons: at the end of the program a long evaluation is not waited for.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Response] = loop.create_future()

        def deliver(response: Response) -> None:
            self._slots.release()
            if not future.done():
                future.set_result(response)

        def work() -> None:
            with stop.obeyed():
                response = self._safely(request)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(deliver, response)

        threading.Thread(target=work, name="workbench-serve", daemon=True).start()
        return future

    def _safely(self, request: Request) -> Response:
        try:
            return self._api.answer(request).packed_for(request)
        except TimedOutError as error:  # while it was gzipped
            return failure(translated(error))
        except Exception as error:  # noqa: BLE001 - the client gets an answer whatever happens
            _log.exception("a request was not answered")
            message = f"this is a mistake of the workbench: {type(error).__name__}"
            return failure(Refusal(500, "internal", message))

    # ---------------------------------------------------------------- exchanges

    def begin(self, exchange: _Exchange) -> None:
        """Answer what an exchange has received."""
        self._open.add(exchange)
        exchange.task = asyncio.ensure_future(self._complete(exchange))

    async def _complete(self, exchange: _Exchange) -> None:
        begun = time.monotonic()
        request = exchange.request()
        try:
            response = await self.answered(request, exchange.stop)
            await exchange.send(response)
            self._tell(exchange, request, response, time.monotonic() - begun)
        finally:
            self._open.discard(exchange)

    def _tell(
        self, exchange: _Exchange, request: Request, response: Response, seconds: float
    ) -> None:
        if self._log is None:
            return
        query = ""
        with contextlib.suppress(Refusal):
            query = Parameters(request).text("query")
        size, status = len(response.body), response.status
        self._log(Line(exchange.client, request.method, request.path, query, status, size, seconds))


def _wanted_seconds(request: Request) -> float:
    """The ``timeout`` of a request; what cannot be read is left to the handler to refuse."""
    text = Parameters(request).text("timeout")
    return max(read_duration("timeout", text), 0) / 1000 if text else float("inf")


class _Listener(HTTPServer):
    """Tornado's server with a limit on open connections."""

    most: int = 0

    def handle_stream(self, stream: iostream.IOStream, address: Any) -> None:
        if len(self._connections) >= self.most:
            stream.close()
            return
        super().handle_stream(stream, address)


class _Door(httputil.HTTPServerConnectionDelegate):
    """Gives each request an exchange of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        del server_conn
        return _Exchange(self._server, request_conn)


class _Exchange(httputil.HTTPMessageDelegate):
    """One request as it comes in and its answer as it goes out."""

    def __init__(self, server: Server, connection: Any) -> None:
        self.stop = Stop()
        self.task: asyncio.Task[None] | None = None
        self.client = str(connection.context.remote_ip)
        self._server = server
        self._connection = connection
        self._line: Any = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def headers_received(
        self, start_line: Any, headers: httputil.HTTPHeaders
    ) -> Awaitable[None] | None:
        self._line = start_line
        self._headers = {name.lower(): value for name, value in headers.get_all()}
        length, most = headers.get("Content-Length", ""), self._server.bounds.body_bytes
        if not (length.isdecimal() and int(length[:20]) > most):
            return None
        message = f"the request's body has {length[:20]} bytes; at most {most:,} are taken"
        return self.send(failure(Refusal(413, "bad_data", message)))

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    def finish(self) -> None:
        self._connection.set_close_callback(self.stop.call)
        self._server.begin(self)

    def on_connection_close(self) -> None:
        self.stop.call()

    def request(self) -> Request:
        """What came; bytes of the request line that are no ASCII are taken for UTF-8."""
        target = self._line.path.encode("latin1", "replace").decode("utf-8", "surrogateescape")
        return Request(self._line.method, target, self._headers, bytes(self._body))

    async def send(self, response: Response) -> None:
        """Write an answer, piece by piece; a client that does not take one is cut off."""
        connection = self._connection
        start = httputil.ResponseStartLine(
            "HTTP/1.1", response.status, HTTPStatus(response.status).phrase
        )
        headers = httputil.HTTPHeaders(dict(response.headers))
        if response.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(response.body))
        body = memoryview(b"" if self._line.method == "HEAD" else response.body)
        try:
            await self._taken(connection.write_headers(start, headers))
            for place in range(0, len(body), _PIECE):
                await self._taken(connection.write(bytes(body[place : place + _PIECE])))
            connection.finish()
        except (iostream.StreamClosedError, TimeoutError):
            connection.close()

    async def _taken(self, written: Any) -> None:
        async with asyncio.timeout(self._server.bounds.client_seconds):
            await written

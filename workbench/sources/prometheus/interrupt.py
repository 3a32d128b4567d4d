"""Stopping questions that other threads are asking, in the middle of an answer if need be.

A thread that waits for a server sits in a system call which no exception of another thread can
reach; shutting its socket down can. A `Stop` knows the sockets its threads wait on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

__all__ = ["Stop", "StoppableAdapter", "current_stop"]

_CURRENT: Final[ContextVar[Stop | None]] = ContextVar("stop", default=None)


class Stop:
    """A common stop for several threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

    @contextlib.contextmanager
    def obeyed(self) -> Iterator[None]:
        """Within this block the current thread's questions obey this stop."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @property
    def called(self) -> bool:
        """Whether it has been called."""
        return self._event.is_set()

    def call(self) -> None:
        """Break off every question under way; later ones do not begin."""
        with self._lock:
            self._event.set()
            for each in self._sockets:
                _shut(each)

    def watch(self, connection: socket.socket) -> None:
        """Remember a socket that an answer is awaited on."""
        with self._lock:
            self._sockets.add(connection)
            if self.called:
                _shut(connection)

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until the call; say whether it came."""
        return self._event.wait(seconds)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # not the TLS wrapper's own shutdown, which takes its state from under the reading thread
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def current_stop() -> Stop | None:
    """The stop that the current thread obeys."""
    return _CURRENT.get()


class _Watched:
    """Tells the current stop which socket the thread is going to wait on."""

    sock: Any

    def getresponse(self) -> Any:
        stop = _CURRENT.get()
        if stop is not None and self.sock is not None:
            stop.watch(self.sock)
        return super().getresponse()  # type: ignore[misc]  # urllib3's connection comes after us


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class StoppableAdapter(HTTPAdapter):
    """An adapter whose connections a `Stop` can break off."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        """Give the pool for a request, its connections watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _WatchedHTTPS if pool.scheme == "https" else _WatchedHTTP
        return cast("HTTPConnectionPool", pool)

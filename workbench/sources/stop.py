"""Stopping questions that other threads are asking, in the middle of an answer if need be.

Whoever gives up calls a `Stop`; the threads that obey it find out in two ways. Work of our own, such
as the engine's, looks for it between its operations (`heed`). A thread that waits for a server sits
in a system call which no exception of another thread can reach; shutting its socket down can, so a
`Stop` knows the sockets its threads wait on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

from workbench.errors import TimedOutError

__all__ = ["Stop", "current_stop", "heed"]

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


def heed() -> None:
    """Go on, unless the stop that the current thread obeys has been called.

    Raises
    ------
    TimedOutError
        It has been called: nobody waits for the answer any more.
    """
    stop = _CURRENT.get()
    if stop is not None and stop.called:
        msg = "the question was stopped before it was answered"
        raise TimedOutError(msg, "ask again, with more time if there was too little")

"""Connections that can be broken off: a `Stop` is told which sockets its threads wait on."""

from __future__ import annotations

from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from workbench.sources.stop import current_stop

__all__ = ["StoppableAdapter"]


class _Watched:
    """Tells the current stop which socket the thread is going to wait on."""

    sock: Any

    def getresponse(self) -> Any:
        stop = current_stop()
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

"""A scrape target: what its ``/metrics`` says at this moment, read once and within limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import requests

from workbench.errors import (
    BadAnswerError,
    RefusedError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
)
from workbench.settings import without_secrets

__all__ = ["scrape", "shows_metrics"]

_ACCEPT: Final = (
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
_SECONDS: Final = 60.0
_MOST_BYTES: Final = 2_000_000_000
_PIECE: Final = 1 << 20


def shows_metrics(url: str, *, timeout_seconds: float = 10.0) -> bool:
    """Whether a URL answers with exposition text, as a target does, and not as a server's API.

    Parameters
    ----------
    url
        ``http://host:8080/metrics``; one that ends with its host is taken for a server unasked.
    timeout_seconds
        For the first bytes.
    """
    path = without_secrets(url).partition("://")[2].partition("/")[2]
    if not path:
        return False
    if path.rstrip("/").endswith("metrics"):
        return True
    try:
        with _session().get(
            url, headers={"Accept": _ACCEPT}, stream=True, timeout=timeout_seconds
        ) as answer:
            kind = answer.headers.get("Content-Type", "")
            return answer.ok and ("openmetrics" in kind or kind.startswith("text/plain"))
    except requests.RequestException:
        return False


def scrape(
    url: str, *, seconds: float = _SECONDS, most_bytes: int = _MOST_BYTES
) -> Iterator[bytes]:
    """Read a target's text, piece by piece.

    Parameters
    ----------
    url
        The target.
    seconds
        For the whole answer: one that never ends is cut off with an error.
    most_bytes
        After unpacking.

    Raises
    ------
    SourceError
        It cannot be reached, refuses, is too slow or too large, or answers with something else.
    """
    name = without_secrets(url)
    end = time.monotonic() + seconds
    size = 0
    try:
        with _session().get(
            url, headers={"Accept": _ACCEPT}, stream=True, timeout=min(10.0, seconds)
        ) as answer:
            _check(answer, name)
            for piece in answer.iter_content(_PIECE):
                size += len(piece)
                if size > most_bytes:
                    msg = f"{name} answered with more than {most_bytes:,} bytes"
                    raise TooExpensiveError(msg, "save its text to a file, and audit that")
                if time.monotonic() > end:
                    raise _slow(name, seconds)
                yield piece
    except requests.Timeout:
        raise _slow(name, seconds) from None
    except requests.RequestException as error:
        msg = f"{name} cannot be read ({type(error).__name__})"
        raise UnreachableError(msg, "check the address with curl") from None


def _check(answer: requests.Response, name: str) -> None:
    if answer.status_code in (401, 403):
        msg = f"{name} refused the login (HTTP {answer.status_code})"
        raise RefusedError(msg, "save its text with curl and your login, and audit the file")
    if not answer.ok:
        msg = f"{name} answered HTTP {answer.status_code}"
        raise BadAnswerError(msg, "check the address with curl: it should end in /metrics")
    kind = answer.headers.get("Content-Type", "")
    if "html" in kind or "json" in kind or "protobuf" in kind:
        msg = f"{name} answered with {kind.partition(';')[0]}, not with metrics as text"
        raise BadAnswerError(msg, "check the address: it should end in /metrics")


def _slow(name: str, seconds: float) -> TimedOutError:
    msg = f"{name} did not end its answer within {seconds:g} s"
    return TimedOutError(msg, "look why the target is slow, or save its text to a file")


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a netrc or proxy of the environment is not meant for a target
    return session

"""A request and its answer as plain values, apart from any server."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from workbench.sources.stop import heed

__all__ = ["Refusal", "Request", "Response", "dumps", "failure", "plain", "success"]

_JSON: Final = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
_WORTH_PACKING: Final = 2_048
"""Bytes of a body below which gzip saves nothing that anyone would notice."""
_PIECE: Final = 1 << 22
"""Bytes that are gzipped between two looks at whether anyone still waits for them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came over HTTP.

    Parameters
    ----------
    method
        ``GET``, ``POST`` …
    target
        Path and query as they stood in the request line, percent-encoded.
    headers
        Names in lower case.
    body
        At most what the server lets in.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back.

    Parameters
    ----------
    status
        The HTTP status.
    body
        The whole body.
    headers
        Without Content-Length, which the server adds.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def adding(self, headers: Mapping[str, str]) -> Response:
        """The same answer with more headers."""
        return replace(self, headers={**self.headers, **headers}) if headers else self

    def packed_for(self, request: Request) -> Response:
        """The same answer, gzipped where the client asks for it and it is worth the work.

        Raises
        ------
        TimedOutError
            The question has been given up meanwhile.
        """
        if len(self.body) < _WORTH_PACKING or not _takes_gzip(request):
            return self
        packer = zlib.compressobj(level=1, wbits=31)
        pieces: list[bytes] = []
        for place in range(0, len(self.body), _PIECE):
            heed()
            pieces.append(packer.compress(self.body[place : place + _PIECE]))
        pieces.append(packer.flush())
        return replace(self, body=b"".join(pieces)).adding(
            {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        )


class Refusal(Exception):  # noqa: N818 - it is an answer, raised to leave a handler early
    """A request that gets no data, in the words of the API.

    Parameters
    ----------
    status
        The HTTP status.
    kind
        ``bad_data``, ``execution``, ``timeout``, ``unavailable``, ``not_found`` …
    message
        What was wrong.
    headers
        More headers of the answer.
    """

    def __init__(
        self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = headers or {}


def failure(refusal: Refusal) -> Response:
    """The answer to a request that is refused."""
    said = {"status": "error", "errorType": refusal.kind, "error": refusal.message}
    return Response(refusal.status, dumps(said), {**_JSON, **refusal.headers})


def success(data: bytes, *, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """The answer that carries data.

    Parameters
    ----------
    data
        The JSON that stands under ``data``.
    warnings, infos
        What is to be said beside it.
    """
    notes = b"".join(
        b',"%b":%b' % (name, dumps(list(lines)))
        for name, lines in ((b"warnings", warnings), (b"infos", infos))
        if lines
    )
    return Response(200, b'{"status":"success","data":%b%b}' % (data, notes), _JSON)


def plain(text: str) -> Response:
    """A page of plain text, which no browser takes for anything else."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Response(200, text.encode("utf-8", "replace"), headers)


def dumps(value: Any) -> bytes:
    r"""JSON of what any label value may hold.

    Half of a surrogate pair, which UTF-8 cannot carry, is written as an escape.

    Examples
    --------
    >>> dumps(["a\"b"]), dumps(["\ud800"])
    (b'["a\\"b"]', b'["\\ud800"]')
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _takes_gzip(request: Request) -> bool:
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = each.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False

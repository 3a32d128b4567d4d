"""VictoriaMetrics' export: a line of JSON for each series, or for each of its parts.

https://docs.victoriametrics.com/#how-to-export-data-in-json-line-format

Values are numbers, ``null`` for NaN, and words for the infinities. The only NaN that
VictoriaMetrics stores is Prometheus' staleness marker: it drops any other when it takes samples in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson

from workbench.errors import BadAnswerError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.samples import STALE_NAN, Floats, Ints, Labels
from workbench.sources.prometheus.metadata import seconds
from workbench.sources.prometheus.raw.samples import Raw, assemble
from workbench.sources.prometheus.transport import Transport

try:
    import simdjson
except ImportError:  # the newest Python may have no wheel: orjson alone is slower
    simdjson = None  # type: ignore[assignment]

__all__ = ["Export", "lines"]

_VALUES: Final = b'"values":['
"""Within a JSON string its quotes would be escaped, so this cannot stand in a label."""
_STREAM: Final = "application/stream+json"
_MEND: Final = "ask again; if it stays so, look at the server's log, or at the proxy in between"


class Export:
    """Reads raw samples of one VictoriaMetrics; threads may share it.

    Parameters
    ----------
    transport
        The connection.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self, matchers: Sequence[Matcher], window: tuple[int, int]) -> Raw:
        """Read the samples of the series that meet all matchers.

        Parameters
        ----------
        matchers
            What to read.
        window
            First and last moment, both included, in milliseconds since the epoch.

        Raises
        ------
        NotSupportedError
            The server has no export.
        SourceError, QueryError
            It could not answer.
        """
        selector = render_selector(matchers)
        params = {
            "match[]": selector,
            "start": seconds(window[0]),
            "end": seconds(window[1]),
        }
        return self._transport.read(
            "export",
            params,
            {_STREAM: lambda pieces: _read(pieces, window)},
            expression=selector,
        )


def lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Put the lines of a body together that comes in pieces; empty ones are left out."""
    rest: list[bytes] = []
    for piece in pieces:
        first, *more = piece.split(b"\n")
        rest.append(first)
        for line in more:
            if whole := b"".join(rest):
                yield whole
            rest = [line]
    if whole := b"".join(rest):
        yield whole


def _read(pieces: Iterator[bytes], window: tuple[int, int]) -> Raw:
    """Decode line by line: what is held is one line of text and the columns so far."""
    known: dict[frozenset[tuple[str, str]], int] = {}
    labels: list[Labels] = []
    parts: list[list[tuple[Ints, Floats]]] = []
    decode = _simd_line() if simdjson else _line
    try:
        for text in lines(pieces):
            metric, times, values = decode(text)
            if times.ndim != 1 or times.shape != values.shape:
                raise ValueError  # noqa: TRY301 - one place says what a bad line means
            own = {str(k): str(v) for k, v in metric.items()}
            number = known.setdefault(frozenset(own.items()), len(labels))
            if number == len(labels):
                labels.append(own)
                parts.append([])
            values[np.isnan(values)] = STALE_NAN
            parts[number].append((times, values))
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        msg = "the server's export is damaged or broke off"
        raise BadAnswerError(msg, _MEND) from None
    rows = np.array([sum(len(t) for t, _ in each) for each in parts], np.int64)
    columns = [column for each in parts for column in each]
    times = np.concatenate([t for t, _ in columns] or [np.zeros(0, np.int64)])
    values = np.concatenate([v for _, v in columns] or [np.zeros(0)])
    series, conflicts = assemble(labels, rows, times, values, window)
    kept = f"of two values at one time the first was kept: {conflicts:,} samples"
    return Raw(series, (kept,) if conflicts else ())


def _line(text: bytes) -> tuple[dict[str, str], Ints, Floats]:
    """Decode a line with whatever values: versions before 1.80 write ``+Inf``, which is no JSON."""
    start = text.index(_VALUES) + len(_VALUES)
    end = text.index(b"]", start)
    words = text[start:end].split(b",") if end > start else []
    values = [float(b"nan" if word == b"null" else word.strip(b' "')) for word in words]
    row = orjson.loads(text[:start] + text[end:])
    return row["metric"], np.array(row["timestamps"], np.int64), np.array(values, np.float64)


def _simd_line() -> Callable[[bytes], tuple[dict[str, str], Ints, Floats]]:
    """Make a decoder of lines that reads plain numbers straight into arrays."""
    parser = simdjson.Parser()

    def decode(text: bytes) -> tuple[dict[str, str], Ints, Floats]:
        try:
            row: Any = parser.parse(text)
            times = np.frombuffer(row["timestamps"].as_buffer(of_type="i"), np.int64).copy()
            values = np.frombuffer(row["values"].as_buffer(of_type="d"), np.float64).copy()
        except (ValueError, TypeError):  # null or an infinity: this line takes the slow road
            return _line(text)
        return row["metric"].as_dict(), times, values

    return decode

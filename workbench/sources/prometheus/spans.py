"""The hot road of decoding: each series' points cut from the body and turned into numpy arrays.

A range answer is nearly all ``"values":[[1700000000,"1.5"],…]``. Parsing that as general JSON
makes two Python objects a point; here each such span is cut out by its delimiters and read as
numbers. The cut is safe: within a JSON string a quote is escaped, so ``"values":[[`` cannot
stand in one, and the values are plain numbers, so ``]]`` ends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints

try:
    import simdjson
except ImportError:  # the newest Python may have no wheel: numpy alone is a tenth slower
    simdjson = None  # type: ignore[assignment]

__all__ = ["Cut", "SpanReader", "cut"]

_OPENING: Final = b'"values":[['
_KEY: Final = len(b'"values":')


@dataclass(frozen=True, slots=True)
class Cut:
    """A body without its points.

    Parameters
    ----------
    skeleton
        The body's JSON in which the n-th span of points is the number n.
    spans
        Where each span ``[[…]]`` begins and ends in the body.
    """

    skeleton: bytes
    spans: list[tuple[int, int]]


def cut(body: bytes | bytearray) -> Cut:
    """Cut the points out of a body.

    Raises
    ------
    ValueError
        A span has no end: the body is truncated.

    Examples
    --------
    >>> cut(b'{"metric":{},"values":[[1,"2"]]}')
    Cut(skeleton=b'{"metric":{},"values":0}', spans=[(22, 31)])
    """
    pieces: list[bytes | bytearray] = []
    spans: list[tuple[int, int]] = []
    done = 0
    while (found := body.find(_OPENING, done)) >= 0:
        start = found + _KEY
        end = _end(body, start)
        pieces += [body[done:start], b"%d" % len(spans)]
        spans.append((start, end))
        done = end
    pieces.append(body[done:])
    return Cut(b"".join(pieces), spans)


def _end(body: bytes | bytearray, start: int) -> int:
    """Where a span ends: after its first ``]]``.

    Searching for one byte is a hundred times as fast as for two, of which every point has one:
    the next brace ends the series, unless another key, hence a colon, stands before it.
    """
    brace = body.find(b"}", start)
    if brace > 0 and body[brace - 2 : brace] == b"]]" and body.find(b":", start, brace) < 0:
        return brace
    return body.index(b"]]", start) + 2


class SpanReader:
    """Reads spans of points; one reader belongs to one thread.

    Parameters
    ----------
    fast
        Use simdjson where it is installed.
    """

    def __init__(self, *, fast: bool = True) -> None:
        self._parser: Any = simdjson.Parser() if fast and simdjson is not None else None

    def read(self, span: bytes | bytearray, grid: Ints | None = None) -> tuple[Ints, Floats]:
        """Read one series' points.

        Parameters
        ----------
        span
            ``[[time,"value"],…]``, times in seconds.
        grid
            The times that a complete series has, milliseconds. A series that has them all gives
            back this very array.

        Returns
        -------
        times_ms, values
            Shape (points,).

        Raises
        ------
        ValueError
            The span holds something else than numbers.
        """
        if self._parser is not None:
            try:
                buffer = self._parser.parse(span.translate(None, b'"')).as_buffer(of_type="d")
            except (ValueError, TypeError, RuntimeError):
                pass  # NaN, an infinity or a huge integer: no JSON numbers, but float() reads them
            else:
                pairs = np.frombuffer(buffer, np.float64).reshape(-1, 2)
                if grid is not None and np.array_equal(pairs[:, 0], grid / 1000):
                    return grid, pairs[:, 1]
                return to_ms(pairs[:, 0]), pairs[:, 1]
        return _read_text(span, grid)


def to_ms(seconds: Floats) -> Ints:
    """Seconds as milliseconds, rounded: 1.7e9 + 0.123 s is no exact binary number."""
    return np.rint(seconds * 1000).astype(np.int64)


def _read_text(span: bytes | bytearray, grid: Ints | None) -> tuple[Ints, Floats]:
    """Read a span without simdjson, or one whose values are no JSON numbers."""
    parts = bytes(span).split(b'"')
    values = np.fromiter(map(float, parts[1::2]), np.float64, len(parts) // 2)
    if grid is not None and len(values) == len(grid):
        ends = np.array([_time(parts[0]), _time(parts[-3])])
        if (to_ms(ends) == grid[[0, -1]]).all():
            return grid, values
    seconds = np.fromiter(map(_time, parts[:-1:2]), np.float64, len(values))
    return to_ms(seconds), values


def _time(part: bytes) -> float:
    return float(part.strip(b"[], \n\t\r"))

"""Native histograms whose truth is known, and how to write them into a Prometheus.

By remote-write, whose messages take whatever times and counts one likes
(https://github.com/prometheus/prometheus/blob/main/prompb/types.proto).
"""

from __future__ import annotations

import contextlib
import struct
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import servers

from workbench.native import Buckets, Histogram, ResetHint, is_native, no_histograms
from workbench.samples import STALE_NAN, NativeSeries, is_stale

START_MS = servers.TRUTH_START_MS
STEP_MS = 15_000
POINTS = 1_300
_AT_ONCE = 100

Rows = dict[int, tuple[float, Histogram | None]]
"""By number of the step: a float, or a histogram."""


# ---------------------------------------------------------------- the truth


def cumulative(points: int, *, seed: int, schema: int, whole: bool = True) -> list[Histogram]:
    """A counter histogram: buckets turn up one after the other, each sample has those seen so far."""
    rng = np.random.default_rng(seed)
    index = np.arange(-20, 21)
    grows = np.cumsum(rng.poisson(0.05, (points, 41)) * rng.integers(1, 40, (points, 41)), axis=0)
    below = np.cumsum(rng.poisson(0.002, (points, 41)), axis=0)
    zero = np.cumsum(rng.poisson(0.1, points))
    factor = 1.0 if whole else 0.3
    made = []
    for up, down, none in zip(grows, below, zero.tolist(), strict=True):
        positive = Buckets(index[up > 0], up[up > 0] * factor)
        negative = Buckets(index[down > 0], down[down > 0] * factor)
        parts = positive.counts.sum() + negative.counts.sum() + none * factor
        total = round(float(positive.counts @ (positive.index + 30.0)), 3)
        made.append(Histogram(schema, parts, total, 2.0**-128, none * factor, positive, negative))
    return made


def swinging(points: int, *, seed: int, whole: bool) -> list[Histogram]:
    """A gauge histogram: buckets fill and empty."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(points):
        counts = rng.poisson(0.7, 12) * (1.0 if whole else 0.5)
        filled = Buckets(np.flatnonzero(counts) - 3, counts[counts > 0])
        made.append(
            Histogram(2, counts.sum(), counts.sum() * 1.5, positive=filled, hint=ResetHint.GAUGE)
        )
    return made


def truth() -> list[NativeSeries]:
    """Five hours and a half at 15 s."""
    fine, coarse = cumulative(POINTS, seed=1, schema=3), cumulative(POINTS, seed=2, schema=0)
    # 500 samples, a gap, begun again from nothing, then of another schema
    restarted = [*fine[:500], *[None] * 60, *fine[:440], *coarse[-300:]]
    ended = [*fine[:400], STALE_NAN, *[None] * 20, *fine[421:]]
    mixed = [*np.sqrt(np.arange(650.0)).tolist(), *coarse[650:]]
    floats = cumulative(POINTS, seed=3, schema=5, whole=False)
    columns: dict[str, Sequence[float | Histogram | None]] = {
        "steady": fine,
        "restarted": restarted,
        "floats": [*floats[:900], *floats[:400]],
        "ended": ended,
        "mixed": mixed,
        "gauge": swinging(POINTS, seed=4, whole=True),
        "float_gauge": swinging(POINTS, seed=5, whole=False),
        "plain": np.arange(POINTS, dtype=float).tolist(),
    }
    return [_series({"__name__": "h", "kind": kind}, each) for kind, each in columns.items()]


def _series(labels: dict[str, str], points: Sequence[float | Histogram | None]) -> NativeSeries:
    kept = [n for n, point in enumerate(points) if point is not None]
    native = no_histograms(len(kept))
    values = np.full(len(kept), np.nan)
    for row, n in enumerate(kept):
        point = points[n]
        if isinstance(point, Histogram):
            native[row] = point
        else:
            values[row] = point
    times = START_MS + np.array(kept, np.int64) * STEP_MS
    return labels, times, values, native if is_native(native).any() else None


# ---------------------------------------------------------------- protocol buffers


def varint(value: int) -> bytes:
    """An unsigned number; a negative one as its complement."""
    value %= 1 << 64
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + varint(value >> 7)


def zigzag(value: int) -> bytes:
    """A number with a sign."""
    return varint(value << 1 ^ value >> 63)


def field(number: int, value: float | bytes) -> bytes:
    """One field: a number, 64 bits of a float, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def spans(buckets: Buckets) -> list[bytes]:
    """The ``BucketSpan`` messages of some buckets."""
    runs = [
        [i for _, i in run]
        for _, run in groupby(enumerate(buckets.index.tolist()), lambda pair: pair[1] - pair[0])
    ]
    gaps = [b[0] - a[-1] - 1 for a, b in pairwise(runs)]
    offsets = [*(run[0] for run in runs[:1]), *gaps]
    return [
        varint(1 << 3) + zigzag(offset) + field(2, len(run))
        for offset, run in zip(offsets, runs, strict=True)
    ]


def histogram(time_ms: int, one: Histogram, *, whole: bool) -> bytes:
    """A ``Histogram`` message."""
    out = field(1, int(one.count)) if whole else field(2, float(one.count))
    out += field(3, float(one.sum)) + varint(4 << 3) + zigzag(one.schema)
    out += field(5, float(one.zero_threshold))
    out += field(6, int(one.zero_count)) if whole else field(7, float(one.zero_count))
    for side, first in ((one.negative, 8), (one.positive, 11)):
        out += b"".join(field(first, span) for span in spans(side))
        if whole:
            steps = np.diff(side.counts, prepend=0).astype(int).tolist()
            out += field(first + 1, b"".join(map(zigzag, steps)))
        else:
            out += field(first + 2, side.counts.astype("<f8").tobytes())
    out += field(14, int(one.hint)) + field(15, time_ms)
    return out + (field(16, struct.pack(f"<{len(one.custom_values)}d", *one.custom_values)))


def time_series(one: NativeSeries, rows: slice) -> bytes:
    """A ``TimeSeries`` message with some rows of a series."""
    labels, times, values, native = one
    pairs = [field(1, k.encode()) + field(2, v.encode()) for k, v in sorted(labels.items())]
    out = b"".join(field(1, pair) for pair in pairs)
    # integer histograms where all of the series are, since a series may not change between them
    is_whole = all(
        float(h.count).is_integer() and (h.positive.counts % 1 == 0).all()
        for h in ([] if native is None else native)
        if h
    )
    column = no_histograms(len(times)) if native is None else native
    for t, v, h in zip(times[rows].tolist(), values[rows].tolist(), column[rows], strict=True):
        if h is None and native is not None and is_stale(np.array([v]))[0]:
            h = Histogram(sum=v)  # noqa: PLW2901 - the marker stands in a histogram's sum
        if h is None:
            out += field(2, field(1, v) + field(2, t))
        else:
            out += field(4, histogram(t, h, whole=is_whole))
    return out


def snappy(data: bytes) -> bytes:
    """Bytes as a snappy block of literals."""
    out = varint(len(data))
    for at in range(0, len(data), 1 << 16):
        piece = data[at : at + (1 << 16)]
        out += b"\xf4" + struct.pack("<H", len(piece) - 1) + piece
    return out


# ---------------------------------------------------------------- the server


def write(url: str, series: Sequence[NativeSeries]) -> None:
    """Write series into a Prometheus, a hundred steps of all of them at a time."""
    last = max(int(times[-1]) for _, times, _, _ in series)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for start in range(
        int(min(times[0] for _, times, _, _ in series)), last + 1, _AT_ONCE * STEP_MS
    ):
        body = b""
        for one in series:
            rows = slice(*np.searchsorted(one[1], [start, start + _AT_ONCE * STEP_MS]).tolist())
            if rows.start < rows.stop:
                body += field(1, time_series(one, rows))
        asked = urllib.request.Request(
            f"{url}/api/v1/write",
            data=snappy(body),
            headers={
                "Content-Encoding": "snappy",
                "Content-Type": "application/x-protobuf",
                "X-Prometheus-Remote-Write-Version": "0.1.0",
            },
        )
        with opener.open(asked, timeout=180):
            pass


@contextlib.contextmanager
def prometheus(folder: Path, *, external_labels: str = "") -> Iterator[servers.Server]:
    """Run a Prometheus that holds `truth`."""
    arguments = ["--enable-feature=native-histograms", "--web.enable-remote-write-receiver"]
    with servers.prometheus(folder, arguments=arguments, external_labels=external_labels) as server:
        write(server.url, truth())
        yield server

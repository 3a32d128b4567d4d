"""Bodies of the query API become frames and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from workbench.errors import BadAnswerError, TooExpensiveError
from workbench.frame import Bools, Frame, NativeHistogram
from workbench.native import Histograms, no_histograms
from workbench.samples import Floats, Ints, Labels, NativeSeries, Samples
from workbench.sources.prometheus.buckets import native_points, with_histograms
from workbench.sources.prometheus.spans import Cut, SpanReader, cut, to_ms
from workbench.window import Window

__all__ = ["Decoded", "decode_instant", "decode_range", "parse_envelope"]

_LOOK: Final = (
    "see what the address answers in a browser or with curl; a proxy in between may have changed it"
)

_NOT_EXACT: Final = (
    "native histograms whose buckets are not exponential are left out: the API does not show the"
    " bounds of their empty buckets"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One answer, decoded.

    Parameters
    ----------
    data
        The frame, or raw samples where the expression was a range selector.
    warnings
        The server's warnings and infos.
    gaps
        What the server or the decoder says is missing.
    samples_read
        How many samples the server read to compute it; None where it does not say.
    """

    data: Frame | Samples
    warnings: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    samples_read: int | None = None


def parse_envelope(skeleton: bytes | bytearray) -> dict[str, Any]:
    """Parse ``{"status": …, "data": …}``.

    Raises
    ------
    BadAnswerError
        It is no JSON object, or is cut off.
    """
    try:
        envelope = orjson.loads(skeleton)
    except orjson.JSONDecodeError:
        try:  # label values that are not UTF-8 are kept as far as text can keep them
            envelope = orjson.loads(skeleton.decode("utf-8", "replace"))
        except orjson.JSONDecodeError as error:
            what = (
                f"the answer is JSON that is cut off or garbled ({error.msg} at byte {error.pos:,})"
            )
            raise BadAnswerError(what, _LOOK) from None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("status"), str):
        msg = "the answer is JSON, but not of the Prometheus HTTP API"
        raise BadAnswerError(msg, _LOOK)
    return envelope


def decode_range(
    body: bytes | bytearray, window: Window, expression: str, *, most: int, fast: bool = True
) -> Decoded:
    """Decode the answer to a range query.

    Parameters
    ----------
    body
        The answer as it came.
    window
        What was asked; points are placed by their step.
    expression
        The PromQL asked.
    most
        How many cells (series × steps) the frame may have.
    fast
        Use simdjson where it is installed.

    Raises
    ------
    TooExpensiveError
        The frame would be larger than `most`.
    BadAnswerError
        The body is garbled, or holds points between the steps.
    """
    cuts, envelope, data = _open(body)
    rows = _rows(data, {"matrix"})
    refuse_above(most, len(rows), len(window))
    place = _Placer(body, cuts, window, len(rows), fast=fast)
    labels = [place.row(number, row) for number, row in enumerate(rows)]
    frame = Frame(
        "matrix", labels, place.grid, place.values, place.present, expression, place.histograms
    )
    return _decoded(frame, envelope, data)


def refuse_above(most: int, series: int, steps: int) -> None:
    """Refuse a frame of more cells than allowed.

    Raises
    ------
    TooExpensiveError
        It has more.
    """
    if series * steps > most:
        what = f"the answer has {series:,} series at {steps:,} steps, {series * steps:,} samples, and max_samples is {most:,}"
        raise TooExpensiveError(
            what, "aggregate in the query, take a longer step, or raise max_samples"
        )


def decode_instant(body: bytes | bytearray, at_ms: int, expression: str, *, most: int) -> Decoded:
    """Decode the answer to an instant query; a range selector's answer becomes `Samples`.

    Raises
    ------
    TooExpensiveError
        It holds more than `most` samples.
    BadAnswerError
        The body is garbled.
    """
    cuts, envelope, data = _open(body)
    grid = np.array([at_ms], np.int64)
    kind = data.get("resultType")
    if kind == "matrix":
        samples, left_out = _samples(body, cuts, _rows(data, {"matrix"}), most)
        return _decoded(samples, envelope, data, (_NOT_EXACT,) if left_out else ())
    if kind == "vector":
        rows = _rows(data, {"vector"})
        refuse_above(most, len(rows), 1)
        return _decoded(_vector(rows, grid, expression), envelope, data)
    frame = _single(data, grid, expression)
    return _decoded(frame, envelope, data)


# ---------------------------------------------------------------- the envelope


def _open(body: bytes | bytearray) -> tuple[Cut, dict[str, Any], dict[str, Any]]:
    try:
        cuts = cut(body)
    except ValueError:
        msg = f"the answer is cut off after {len(body):,} bytes"
        raise BadAnswerError(msg, _LOOK) from None
    try:
        envelope = parse_envelope(cuts.skeleton)
    except BadAnswerError:
        # Blanks between the brackets can deceive the cut; general JSON parsing cannot be.
        cuts = Cut(bytes(body), [])
        envelope = parse_envelope(body)
    data = envelope.get("data")
    if not isinstance(data, dict):
        msg = "the answer has no data"
        raise BadAnswerError(msg, _LOOK)
    return cuts, envelope, data


def _rows(data: dict[str, Any], kinds: set[str]) -> list[dict[str, Any]]:
    rows = data.get("result")
    if rows is None:
        rows = []
    if data.get("resultType") not in kinds or not isinstance(rows, list):
        what = f"the answer's resultType is {data.get('resultType')!r}, not {' or '.join(sorted(kinds))}"
        raise BadAnswerError(what, _LOOK)
    return rows


def _decoded(
    result: Frame | Samples,
    envelope: Mapping[str, Any],
    data: Mapping[str, Any],
    gaps: tuple[str, ...] = (),
) -> Decoded:
    said = [str(text) for key in ("warnings", "infos") for text in envelope.get(key) or ()]
    if any(
        holder.get(key) is True
        for holder in (envelope, data)
        for key in ("isPartial", "partialResponse", "partial")
    ):
        gaps = (
            *gaps,
            "the server says that its answer is partial: some of its storage did not answer",
        )
    gaps += tuple(f"the server says: {text}" for text in said if "partial response" in text.lower())
    return Decoded(result, tuple(dict.fromkeys(said)), gaps, _samples_read(data, envelope))


def _samples_read(data: Mapping[str, Any], envelope: Mapping[str, Any]) -> int | None:
    for holder in (data, envelope):
        stats = holder.get("stats")
        counts = stats.get("samples") if isinstance(stats, dict) else None
        total = counts.get("totalQueryableSamples") if isinstance(counts, dict) else None
        if isinstance(total, int):
            return total
    return None


def _labels(row: Mapping[str, Any]) -> Labels:
    metric = row.get("metric")
    if not isinstance(metric, dict):
        msg = "a series of the answer has no labels"
        raise BadAnswerError(msg, _LOOK)
    return metric


# ---------------------------------------------------------------- points


class _Placer:
    """Places the points of each series on the grid."""

    def __init__(
        self, body: bytes | bytearray, cuts: Cut, window: Window, rows: int, *, fast: bool
    ) -> None:
        self._body = body
        self._cuts = cuts
        self._window = window
        self._reader = SpanReader(fast=fast)
        self.grid = window.steps
        self.values: Floats = np.full((rows, len(self.grid)), np.nan)
        self.present: Bools = np.zeros((rows, len(self.grid)), bool)
        self.histograms: dict[tuple[int, int], NativeHistogram] = {}

    def row(self, number: int, row: Mapping[str, Any]) -> Labels:
        """Place one series and give its labels."""
        labels = _labels(row)
        times, values = _points(self._body, self._cuts, self._reader, row, self.grid)
        steps = self._steps(times)
        self.values[number, steps] = values
        self.present[number, steps] = True
        times, histograms = native_points(row.get("histograms") or [])
        for step, histogram in zip(self._indices(times).tolist(), histograms, strict=True):
            self.present[number, step] = True
            self.histograms[number, step] = histogram
        return labels

    def _steps(self, times: Ints) -> Ints | slice:
        return slice(None) if times is self.grid else self._indices(times)

    def _indices(self, times: Ints) -> Ints:
        steps, off = np.divmod(times - self._window.start_ms, self._window.step_ms)
        if off.any() or (len(steps) and (steps.min() < 0 or steps.max() >= len(self.grid))):
            msg = "the answer has points that are not on the steps asked for"
            raise BadAnswerError(msg, _LOOK)
        return steps


def _points(
    body: bytes | bytearray,
    cuts: Cut,
    reader: SpanReader,
    row: Mapping[str, Any],
    grid: Ints | None = None,
) -> tuple[Ints, Floats]:
    """The float points of one series."""
    points = row.get("values", [])
    try:
        if isinstance(points, int):
            start, end = cuts.spans[points]
            return reader.read(body[start:end], grid)
        times = to_ms(np.array([time for time, _ in points], np.float64))
        return times, np.array([float(value) for _, value in points], np.float64)
    except (ValueError, TypeError, IndexError):
        msg = "the answer has points that are not [time, value]"
        raise BadAnswerError(msg, _LOOK) from None


def _samples(
    body: bytes | bytearray, cuts: Cut, rows: list[dict[str, Any]], most: int
) -> tuple[Samples, int]:
    """Raw samples, and how many histograms cannot be rebuilt and are left out."""
    reader = SpanReader()
    found: list[NativeSeries] = []
    total = left_out = 0
    for row in rows:
        times, values = _points(body, cuts, reader, row)
        native: Histograms | None = None
        if row.get("histograms"):
            times, values, native, lost = with_histograms(times, values, row["histograms"])
            left_out += lost
        if len(times):
            found.append((_labels(row), times, values, native))
            total += len(times)
        if total > most:
            what = f"the answer has more than {most:,} samples, which max_samples allows"
            raise TooExpensiveError(
                what, "select fewer series, a shorter range, or raise max_samples"
            )
    if not found:
        return Samples.empty(), left_out
    labels, times_of, values_of, native_of = zip(*found, strict=True)
    offsets = np.concatenate([[0], np.cumsum([len(t) for t in times_of])]).astype(np.int64)
    histograms = None
    if any(each is not None for each in native_of):
        histograms = np.concatenate(
            [
                no_histograms(len(t)) if each is None else each
                for t, each in zip(times_of, native_of, strict=True)
            ]
        )
    times, values = np.concatenate(times_of), np.concatenate(values_of)
    return Samples(labels, offsets, times, values, histograms), left_out


def _vector(rows: list[dict[str, Any]], grid: Ints, expression: str) -> Frame:
    values = np.full((len(rows), 1), np.nan)
    histograms: dict[tuple[int, int], NativeHistogram] = {}
    try:
        for number, row in enumerate(rows):
            if "histogram" in row:
                [histograms[number, 0]] = native_points([row["histogram"]])[1]
            else:
                values[number, 0] = float(row["value"][1])
    except (ValueError, TypeError, KeyError, IndexError):
        msg = "the answer has a sample that is not [time, value]"
        raise BadAnswerError(msg, _LOOK) from None
    labels = [_labels(row) for row in rows]
    return Frame(
        "vector", labels, grid, values, np.ones((len(rows), 1), bool), expression, histograms
    )


def _single(data: dict[str, Any], grid: Ints, expression: str) -> Frame:
    """A scalar or a string."""
    kind = data.get("resultType")
    try:
        text = data["result"][1]
        value = float(text) if kind == "scalar" else np.nan
    except (ValueError, TypeError, KeyError, IndexError):
        msg = f"the answer has a {kind} that is not [time, value]"
        raise BadAnswerError(msg, _LOOK) from None
    if kind == "scalar":
        return Frame("scalar", [{}], grid, np.array([[value]]), np.ones((1, 1), bool), expression)
    if kind == "string":
        return Frame(
            "string", (), grid, np.empty((0, 1)), np.zeros((0, 1), bool), expression, text=str(text)
        )
    msg = f"the answer's resultType {kind!r} is unknown"
    raise BadAnswerError(msg, _LOOK)

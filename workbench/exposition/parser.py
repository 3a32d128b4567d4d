"""Exposition text → samples, metadata and errors.

Prometheus' text format 0.0.4 and OpenMetrics 1.0 share their lines and differ in what they mean:
timestamps are milliseconds in the one and seconds in the other, a counter's family is named with
``_total`` in the one and without it in the other. Only the last line of a file (``# EOF``) tells
them apart, so meaning is given at the end.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from workbench.errors import InputError
from workbench.exposition.blocks import line_blocks
from workbench.exposition.columns import Joined, join_rows
from workbench.exposition.series_text import SeriesReader, unescape
from workbench.samples import Floats, Ints, Labels, MetricMetadata, MetricType

__all__ = ["Exemplar", "Exposition", "LineError", "TextFormat", "parse"]

TextFormat = Literal["prometheus", "openmetrics"]
"""The two dialects: timestamps in milliseconds, or in seconds with ``# EOF`` at the end."""

NO_TIME: Final = np.iinfo(np.int64).min
"""In `Exposition.times_ms`: the line gives no timestamp."""

_ERRORS_KEPT: Final = 1_000
_MAX_MS: Final = 1e16
_COMMENT: Final = re.compile(
    r'#[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|[^\s"]+)(?:[ \t](.*))?', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that could not be read: its number, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An example request behind a sample.

    Parameters
    ----------
    series
        Place of the sample's series in `Exposition.labels`.
    labels, value
        What identifies the example (a trace id), and its value.
    time_ms
        When it was seen; None where the line does not say.
    """

    series: int
    labels: Labels
    value: float
    time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Exposition:
    """What a piece of exposition text says.

    Parameters
    ----------
    format
        The dialect by which it was read.
    labels
        Label sets as they first appear, ``__name__`` among them; two may be equal where the text
        writes one series in two ways.
    series_of
        int64, shape (samples,): each sample's place in `labels`.
    times_ms
        int64, shape (samples,): milliseconds since the epoch, `NO_TIME` where no timestamp stands.
    values
        float64, shape (samples,).
    lines
        int64, shape (samples,): the line each sample stands on, from 1.
    metadata
        By family, in the order of the text; counters and infos under the name that is queried.
    exemplars
        OpenMetrics only.
    errors, error_count
        The first thousand lines that could not be read, and how many there were.
    """

    format: TextFormat
    labels: list[Labels]
    series_of: Ints
    times_ms: Ints
    values: Floats
    lines: Ints
    metadata: tuple[MetricMetadata, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    errors: tuple[LineError, ...] = ()
    error_count: int = 0

    @property
    def has_time(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which samples carry a timestamp: bool, shape (samples,)."""
        return np.not_equal(self.times_ms, NO_TIME)

    def join(self, at_ms: int | None = None) -> Joined:
        """Sort the samples into series.

        Parameters
        ----------
        at_ms
            The time of samples that carry none.

        Raises
        ------
        InputError
            A sample carries no timestamp and `at_ms` is not given.
        """
        times = self.times_ms
        untimed = ~self.has_time
        if untimed.any():
            if at_ms is None:
                msg = f"line {int(self.lines[untimed][0])} has no timestamp"
                raise InputError(msg, "say when the text was scraped")
            times = np.where(untimed, np.int64(at_ms), times)
        return join_rows(self.labels, self.series_of, times, self.values)


def parse(
    source: str | bytes | Iterable[str] | Iterable[bytes],
    *,
    format: TextFormat | Literal["auto"] = "auto",  # noqa: A002 - the word people use
) -> Exposition:
    r"""Read exposition text.

    Parameters
    ----------
    source
        The whole text, or its lines (an open file will do).
    format
        ``auto`` takes text that ends in ``# EOF`` as OpenMetrics and all other as Prometheus.

    Returns
    -------
    Exposition
        All lines that can be read; those that cannot are told in its `errors`, never raised.

    Examples
    --------
    >>> text = '# TYPE up gauge\nup{job="api"} 1 1700000000000\n'
    >>> exposition = parse(text)
    >>> exposition.labels, exposition.values.tolist(), exposition.metadata[0].type.value
    ([{'__name__': 'up', 'job': 'api'}], [1.0], 'gauge')
    """
    reader = LineReader()
    for block in line_blocks(source, reader.reject):
        reader.feed(block)
    return reader.finish(None if format == "auto" else format)


@dataclass(slots=True)
class _Family:
    line: int
    type: MetricType | None = None
    help: str | None = None
    unit: str = ""


@dataclass(slots=True)
class LineReader:
    """The state of one reading: what `parse` goes through, and `scan` for lines of unusual form."""

    line: int = 0
    eof_line: int = 0
    labels: list[Labels] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    families: dict[str, _Family] = field(default_factory=dict)
    exemplars: list[tuple[int, dict[str, str], float, float | None]] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)
    error_count: int = 0
    series_of: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    series: SeriesReader = field(default_factory=SeriesReader)

    def reject(self, line: int, reason: str) -> None:
        """Count a line that cannot be read."""
        self.error_count += 1
        if len(self.errors) < _ERRORS_KEPT:
            self.errors.append(LineError(line, reason))

    def feed(self, block: list[str]) -> None:
        """Read some lines, without their line ends."""
        places = self.places
        number = self.line
        for line in block:
            number += 1
            if not line or line[0] == "#":
                if line:
                    self.comment(number, line)
                continue
            end = line.rfind("}") + 1 or line.find(" ")
            if end < 0:
                end = len(line)
            try:
                place = places.get(line[:end])
                if place is None:
                    place, end = self.place(line, end)
                value, time = self.numbers(line[end:], place)
            except ValueError as error:
                if not line.isspace():
                    self.reject(number, str(error))
                continue
            self.series_of.append(place)
            self.values.append(value)
            self.times.append(time)
            self.lines.append(number)
        self.line = number

    def place(self, line: str, end: int) -> tuple[int, int]:
        """Find or make the place of a series whose text is new; also where that text ends."""
        labels, end = self.series.read(line, end)
        place = self.places.setdefault(line[:end], len(self.labels))
        if place == len(self.labels):
            self.labels.append(labels)
        return place, end

    def numbers(self, tail: str, place: int) -> tuple[float, float]:
        """Value and timestamp (NaN where there is none) behind a series."""
        fields = tail.split()
        if len(fields) > 2 and "#" in tail:
            tail, _, rest = tail.partition("#")
            fields = tail.split()
            self.exemplar(rest, place)
        if 1 <= len(fields) <= 2 and "_" not in tail and tail.isascii():
            try:
                if len(fields) == 1:
                    return float(fields[0]), float("nan")
                time = float(fields[1])
                if time - time == 0:
                    return float(fields[0]), time
            except ValueError:
                pass
        msg = f"{_short(tail.strip())} is not a value, or a value and a timestamp"
        raise ValueError(msg)

    def exemplar(self, text: str, place: int) -> None:
        """Read what follows the ``#`` behind a sample."""
        text = text.lstrip(" \t")
        labels, end = self.series.read("x" + text, 0) if text.startswith("{") else ({}, 0)
        fields = text[max(end - 1, 0) :].split()
        if not labels or not 1 <= len(fields) <= 2:
            msg = f"{_short(text)} is not an exemplar"
            raise ValueError(msg)
        del labels["__name__"]
        time = float(fields[1]) if len(fields) == 2 else None
        self.exemplars.append((place, labels, float(fields[0]), time))

    def comment(self, number: int, line: str) -> None:
        """Read a line that begins with ``#``."""
        if line == "# EOF":
            self.eof_line = self.eof_line or number
            return
        match = _COMMENT.fullmatch(line)
        if match is None:
            return
        keyword, name, text = match[1], match[2], match[3] or ""
        if name.startswith('"'):
            name = unescape(name[1:-1])
        family = self.families.setdefault(name, _Family(number))
        if keyword == "HELP":
            family.help = text if family.help is None else family.help
        elif keyword == "UNIT":
            family.unit = text.strip()
        else:
            self.type(number, family, name, text.strip())

    def type(self, number: int, family: _Family, name: str, text: str) -> None:
        """Read a family's type."""
        try:
            kind = MetricType("unknown" if text == "untyped" else text)
        except ValueError:
            self.reject(number, f"{_short(text)} is not a metric type")
            return
        if family.type not in (None, kind):
            self.reject(number, f"{name} was declared a {family.type} before, and a {kind} here")
            return
        family.type = kind

    def finish(self, wanted: TextFormat | None) -> Exposition:
        """Give the lines their meaning."""
        chosen: TextFormat = wanted or ("openmetrics" if self.eof_line else "prometheus")
        lines = np.array(self.lines, np.int64)
        times, usable = self.milliseconds(chosen, lines, np.array(self.times, np.float64))
        late = lines[lines > self.eof_line]
        self.check_end(chosen, int(late[0]) if len(late) else None)
        exemplars = tuple(
            Exemplar(place, labels, value, None if time is None else _to_ms(time))
            for place, labels, value, time in self.exemplars
        )
        return Exposition(
            format=chosen,
            labels=self.labels,
            series_of=np.array(self.series_of, np.int64)[usable],
            times_ms=times[usable],
            values=np.array(self.values, np.float64)[usable],
            lines=lines[usable],
            metadata=tuple(self.metadata(chosen).values()),
            exemplars=exemplars,
            errors=tuple(sorted(self.errors, key=lambda e: e.line)),
            error_count=self.error_count,
        )

    def check_end(self, chosen: TextFormat, late: int | None) -> None:
        """Tell where OpenMetrics text does not end as it should; `late` is the first line after."""
        if chosen == "openmetrics" and not self.eof_line:
            self.reject(self.line, "the text does not end in # EOF: it was cut short")
        elif chosen == "openmetrics" and late is not None:
            self.reject(late, "samples follow # EOF")

    def metadata(self, chosen: TextFormat) -> dict[str, MetricMetadata]:
        """Families by the name under which they are declared, in the order of the text."""
        return {name: _metadata(name, family, chosen) for name, family in self.families.items()}

    def milliseconds(
        self, chosen: TextFormat, lines: Ints, times: Floats
    ) -> tuple[Ints, np.ndarray]:
        """Timestamps as milliseconds, and which samples have one that can be used."""
        untimed = np.isnan(times)
        if chosen == "openmetrics":
            times = np.rint(times * 1000)
        bad = ~untimed & ((np.abs(times) > _MAX_MS) | (times != np.rint(times)))
        for number, value in zip(lines[bad].tolist(), times[bad].tolist(), strict=True):
            why = "seconds stand only in OpenMetrics, which ends in # EOF"
            if abs(value) > _MAX_MS:
                why = "it lies hundreds of thousands of years away"
            self.reject(number, f"timestamp {value:.15g} is not a number of milliseconds: {why}")
        times[untimed | bad] = 0
        result = times.astype(np.int64)
        result[untimed] = NO_TIME
        return result, ~bad


def _to_ms(seconds: float) -> int | None:
    return round(seconds * 1000) if abs(seconds) < _MAX_MS else None


def _metadata(name: str, family: _Family, chosen: TextFormat) -> MetricMetadata:
    kind = family.type or MetricType.UNKNOWN
    suffix = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}.get(kind, "")
    if chosen == "openmetrics" and not name.endswith(suffix):
        name += suffix
    return MetricMetadata(name, kind, unescape(family.help or ""), family.unit)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

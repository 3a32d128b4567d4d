"""Reads Prometheus' own PromQL cases: the `.test` format of its package promqltest.

A file loads series, asks, and says what must come back. This reader turns it into `Case`s, each
with the series loaded at that point. A line ``series@st`` holds the start timestamps of the samples
of the line below it, each as a duration from its sample's time. Native histograms are written
``{{schema:0 count:3 sum:5 buckets:[1 2]}}``; they get the counter reset hints that a Prometheus
database would give them back with.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workbench.engine.native.arithmetic import added, is_reset, subtracted
from workbench.engine.storage import Room
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint
from workbench.promql.matcher import Matcher
from workbench.promql.regex import compile_regex
from workbench.samples import STALE_NAN, Labels, Samples
from workbench.units import parse_duration

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`'
_SERIES = re.compile(rf"([^\s{{\"@]*)(?:\{{((?:{_STRING}|[^}}\"'`])*)\}})?\s*(@st)?(?:\s+(.*))?$")
_PAIR = re.compile(rf"\s*({_STRING}|[^\s=,]+)\s*(?:=\s*({_STRING}))?\s*,?")
_EVAL = re.compile(
    r"eval(_fail)?\s+(?:instant\s+at\s+(\S+)|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.*)"
)
_RANGE = re.compile(r"range vector from (\S+) to (\S+) step (\S+)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)


def unquoted(text: str) -> str:
    """A Go string literal's value."""
    if text[:1] not in "\"'`" or not text:
        return text
    if text[0] == "`":
        return text[1:-1]
    raw = bytearray()
    position = 0
    body = text[1:-1]
    for match in _ESCAPE.finditer(body):
        raw += body[position : match.start()].encode()
        if match[1]:
            raw.append(int(match[1], 16))
        else:
            raw += (
                chr(int(match[2], 16)) if match[2] else _ESCAPES.get(match[3], match[3])
            ).encode()
        position = match.end()
    return (bytes(raw) + body[position:].encode()).decode(errors="replace")


def seconds(text: str) -> int:
    """A moment or duration of the format, in milliseconds; it may be negative."""
    sign = -1 if text.startswith("-") else 1
    return sign * parse_duration(text.removeprefix("-").removeprefix("+"))


def parsed_labels(name: str, inside: str | None) -> dict[str, str]:
    """Labels from ``name{a="b"}``, where a quoted word alone is the metric's name."""
    labels = {"__name__": name} if name else {}
    for match in _PAIR.finditer(inside or ""):
        key = unquoted(match[1])
        if match[2] is None:
            labels["__name__"] = key
        else:
            labels[key] = unquoted(match[2])
    return {k: v for k, v in labels.items() if v}


_TERM = re.compile(
    r"(?P<blank>_)(?:x(?P<blanks>\d+))?$"
    r"|(?P<stale>stale)(?:x(?P<stales>\d+))?$"
    r"|(?P<start>[+-]?(?:[\d.]+(?:e[+-]?\d+)?|inf|nan))"
    r"(?:(?P<step>[+-](?:[\d.]+(?:e[+-]?\d+)?|inf|nan)))?(?:x(?P<times>\d+))?$",
    re.IGNORECASE,
)


_HISTOGRAM = re.compile(r"\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?(?=\s|$)")
_FIELD = re.compile(r"([a-z_]+)\s*:\s*(\[[^\]]*\]|[^\s\]]+)")
_HINTS = {
    "unknown": ResetHint.UNKNOWN,
    "reset": ResetHint.RESET,
    "not_reset": ResetHint.NOT_RESET,
    "gauge": ResetHint.GAUGE,
}


class Expected(NamedTuple):
    """A histogram of the format, and whether it names its hint: only then is the hint compared."""

    histogram: Histogram
    names_hint: bool


Value = float | Expected | None


def histogram(text: str) -> Expected:
    """What stands between the double braces."""
    said = dict(_FIELD.findall(text))
    numbers = {k: [float(x) for x in v[1:-1].split()] for k, v in said.items() if v[0] == "["}
    return Expected(
        Histogram(
            int(said.get("schema", "0")),
            float(said.get("count", "0")),
            float(said.get("sum", "0")),
            float(said.get("z_bucket_w", "0")),
            float(said.get("z_bucket", "0")),
            Buckets.dense(int(said.get("offset", "0")), numbers.get("buckets", [])),
            Buckets.dense(int(said.get("n_offset", "0")), numbers.get("n_buckets", [])),
            tuple(numbers.get("custom_values", [])),
            _HINTS[said.get("counter_reset_hint", "unknown")],
        ),
        "counter_reset_hint" in said,
    )


def repeated(match: re.Match[str]) -> list[Value]:
    """``{{…}}x3`` or ``{{…}}+{{…}}x3``: the first, and so many more, each with the second added."""
    value = histogram(match[1])
    values: list[Value] = [value]
    for _ in range(int(match[4] or 0)):
        if match[2]:
            combine = added if match[2] == "+" else subtracted
            grown, _ = combine(value.histogram, histogram(match[3]).histogram)
            value = Expected(grown.with_hint(value.histogram.hint), value.names_hint)
        values.append(value)
    return values


def expanded(text: str) -> list[Value]:
    """The values that ``0+10x3 _ stale`` stands for; None is no sample."""
    values: list[Value] = []
    position = 0
    for match in _HISTOGRAM.finditer(text):
        values += numbers(text[position : match.start()]) + repeated(match)
        position = match.end()
    return values + numbers(text[position:])


def numbers(text: str) -> list[Value]:
    """Values without histograms."""
    values: list[Value] = []
    for term in text.split():
        match = _TERM.match(term)
        if not match:
            raise ValueError(term)
        if match["blank"]:
            values += [None] * int(match["blanks"] or 1)
        elif match["stale"]:
            values += [STALE_NAN] * (int(match["stales"] or 0) + 1)
        else:
            value, step = float(match["start"]), float(match["step"] or "0")
            values.append(value)
            for _ in range(int(match["times"] or 0)):
                value += step
                values.append(value)
    return values


def converted(step_ms: int, lines: Sequence[str]) -> Iterator[tuple[Labels, list]]:
    """Custom-bucket histograms of the classic ones that are loaded, as ``load_with_nhcb`` wants."""
    found: dict[tuple, dict] = {}
    for line in lines:
        match = _SERIES.match(line)
        labels = parsed_labels(match[1], match[2])
        name, _, part = labels.get("__name__", "").rpartition("_")
        if part not in ("bucket", "sum", "count") or (part == "bucket" and "le" not in labels):
            continue
        rest = {k: v for k, v in labels.items() if k != "le"} | {"__name__": name}
        entry = found.setdefault(tuple(sorted(rest.items())), {"labels": rest, "at": {}})
        for i, value in enumerate(expanded(match[4])):
            if value is not None:
                parts = entry["at"].setdefault(i * step_ms, {})
                parts[float(labels["le"]) if part == "bucket" else part] = value
    for entry in found.values():
        rows = [(t, classic(parts)) for t, parts in sorted(entry["at"].items())]
        if rows := [(t, h) for t, h in rows if h is not None]:
            yield entry["labels"], rows


def classic(parts: dict) -> Expected | None:
    """One custom-bucket histogram of cumulative buckets, a sum and a count."""
    bounds = sorted(x for x in parts if not isinstance(x, str))
    if not bounds:
        return None
    counts = [parts[x] for x in bounds]
    total = parts.get("count", counts[-1])
    if not math.isinf(bounds[-1]):
        bounds, counts = [*bounds, math.inf], [*counts, total]
    if any(b < a for a, b in pairwise(counts)):
        return None
    buckets = Buckets.dense(0, np.diff([0.0, *counts]).tolist())
    return Expected(
        Histogram(
            CUSTOM,
            total,
            parts.get("sum", 0.0),
            positive=buckets,
            custom_values=tuple(bounds[:-1]),
        ),
        names_hint=False,
    )


def remembered(values: Sequence[Value]) -> tuple[np.ndarray, np.ndarray | None]:
    """Values and histograms of a series as a Prometheus database gives them back.

    It forgets hints but for gauges, and knows of a counter only that a sample was no reset: of
    the first sample of a chunk, and so after each reset, it says nothing.
    """
    floats = np.array([math.nan if isinstance(v, Expected) else v for v in values], float)
    if not any(isinstance(v, Expected) for v in values):
        return floats, None
    histograms = np.full(len(values), None)
    before: Histogram | None = None
    for i, value in enumerate(values):
        now = value.histogram if isinstance(value, Expected) else None
        if now is not None:
            hint = ResetHint.GAUGE if now.hint is ResetHint.GAUGE else ResetHint.UNKNOWN
            goes_on = before is not None and before.hint is not ResetHint.GAUGE
            if hint is ResetHint.UNKNOWN and goes_on and now.hint is not ResetHint.RESET:
                plain = now.with_hint(ResetHint.UNKNOWN)
                same = (now.schema, now.zero_threshold, now.custom_values)
                then = (before.schema, before.zero_threshold, before.custom_values)
                if same == then and not is_reset(plain, before):
                    hint = ResetHint.NOT_RESET
            histograms[i] = now.with_hint(hint)
        before = now
    return floats, histograms


_START = re.compile(r"(?P<start>[+-]?[\d.a-z]+?)(?P<step>[+-][\d.a-z]+?)?(?:x(?P<times>\d+))?$")


def starts(text: str) -> list[int | None]:
    """The durations that ``-30s-1mx2 _`` stands for, in milliseconds; None is no start."""
    found: list[int | None] = []
    for term in text.split():
        if term == "_":
            found.append(None)
            continue
        match = _START.match(term)
        step = seconds(match["step"]) if match["step"] else 0
        found += [seconds(match["start"]) + step * i for i in range(int(match["times"] or 0) + 1)]
    return found


class Loaded:
    """What has been loaded at one point of a file; a `Storage`."""

    def __init__(self) -> None:
        self._series: dict[tuple, tuple[Labels, list, dict[int, int]]] = {}
        self._frozen: list[tuple] | None = None

    def copy(self) -> "Loaded":
        other = Loaded()
        other._series = {
            k: (labels, list(rows), dict(begun))
            for k, (labels, rows, begun) in self._series.items()
        }
        return other

    def load(self, step_ms: int, lines: Sequence[str], *, with_nhcb: bool) -> None:
        for line in lines:
            match = _SERIES.match(line)
            labels = parsed_labels(match[1], match[2])
            key = tuple(sorted(labels.items()))
            _, rows, begun = self._series.setdefault(key, (labels, [], {}))
            if match[3]:
                begun.update(
                    (i * step_ms, i * step_ms + start)
                    for i, start in enumerate(starts(match[4]))
                    if start is not None
                )
            else:
                rows += [
                    (i * step_ms, v) for i, v in enumerate(expanded(match[4])) if v is not None
                ]
        if with_nhcb:
            for labels, rows in converted(step_ms, lines):
                self._series[tuple(sorted(labels.items()))] = (labels, rows, {})

    @property
    def bounds_ms(self) -> tuple[int, int]:
        times = [t for _, t, _, _, _ in self._all() if len(t)]
        return (min(int(t[0]) for t in times), max(int(t[-1]) for t in times)) if times else (0, 0)

    def _all(self):
        if self._frozen is None:
            self._frozen = []
            for labels, rows, begun in self._series.values():
                ordered = dict(sorted(rows, key=lambda row: row[0]))
                times = np.array(list(ordered), np.int64)
                since = None
                if begun:
                    since = np.array([begun.get(t, 0) for t in times.tolist()], np.int64)
                self._frozen.append((labels, times, *remembered(list(ordered.values())), since))
        return self._frozen

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        room: Room | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> Samples:
        found, native = [], []
        for labels, times, values, histograms, since in self._all():
            if all(_meets(labels.get(m.name, ""), m) for m in matchers):
                low, high = (
                    np.searchsorted(times, start_ms),
                    np.searchsorted(times, end_ms, "right"),
                )
                if low < high:
                    begun = None if since is None else since[low:high]
                    found.append((labels, times[low:high], values[low:high], None, begun))
                    nothing = np.full(len(times), None)
                    native.append((nothing if histograms is None else histograms)[low:high])
        samples = Samples.from_series(found)
        if any(np.not_equal(each, None).any() for each in native):
            return replace(samples, histograms=np.concatenate(native))
        return samples

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return list(self.select(matchers, start_ms, end_ms).labels)

    def metadata(self) -> dict:
        return {}


def _meets(value: str, matcher: Matcher) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return bool(compile_regex(matcher.value).matches([value])[0]) == (matcher.op == "=~")


@dataclass
class Case:
    """One question and what must come back.

    `start_ms` equals `end_ms` and `step_ms` is 0 for an instant query.
    """

    line: int
    query: str
    start_ms: int
    end_ms: int
    step_ms: int
    storage: Loaded
    fails: bool = False
    fail_text: str = ""
    ordered: bool = False
    text: str | None = None
    scalar: float | None = None
    range_vector: tuple[int, int, int] | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    series: list[tuple[Labels, list[Value]]] = field(default_factory=list)

    @property
    def instant(self) -> bool:
        return not self.step_ms

    def expect(self, line: str) -> None:
        """Take in one line below the question."""
        if line.startswith("expect "):
            self._expectation(line.removeprefix("expect ").strip())
        elif re.fullmatch(r"[+-]?[\w.]+(?:[+-]\d+)?", line) and self.instant and _is_number(line):
            self.scalar = float(line)
        else:
            match = _SERIES.match(line)
            self.series.append((parsed_labels(match[1], match[2]), expanded(match[4])))

    def _expectation(self, text: str) -> None:
        kind, _, rest = text.partition(" ")
        if kind == "fail":
            self.fails, self.fail_text = True, rest.strip()
        elif kind == "ordered":
            self.ordered = True
        elif kind == "string":
            self.text = unquoted(rest.strip())
        elif match := _RANGE.match(text):
            self.range_vector = seconds(match[1]), seconds(match[2]), seconds(match[3])
        else:
            self.notes.append((kind, rest.strip()))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def cases(path: Path) -> Iterator[Case]:
    """All cases of a file, in order."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    lines = ["" if line.startswith("#") else line for line in lines]
    storage = Loaded()
    position = 0
    while position < len(lines):
        line = lines[position]
        block = _block(lines, position + 1)
        position += 1
        if line == "clear":
            storage = Loaded()
        elif line.startswith("load"):
            storage = storage.copy()
            command, step = line.split()
            storage.load(seconds(step), block, with_nhcb=command != "load")
            position += len(block)
        elif line.startswith("eval"):
            case = _case(line, position, storage)
            for each in block:
                case.expect(each)
            position += len(block)
            yield case


def _block(lines: list[str], start: int) -> list[str]:
    stop = start
    while stop < len(lines) and lines[stop]:
        stop += 1
    return lines[start:stop]


def _case(line: str, number: int, storage: Loaded) -> Case:
    match = _EVAL.match(line)
    start = seconds(match[2] or match[3])
    end = seconds(match[4]) if match[4] else start
    step = seconds(match[5]) if match[5] else 0
    return Case(number, match[6], start, end, step, storage, fails=bool(match[1]))

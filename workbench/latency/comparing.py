"""Whether requests became slower: between two windows, or between two label values at one time.

Quantiles are compared by `workbench.statistics.comparison`; all p values of one call are adjusted
together (Holm, 1979), for who looks at sixty changes finds three by chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from workbench.latency.subjects import Span, Subject
from workbench.samples import Floats, Labels
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.comparison import (
    Abstention,
    Method,
    QuantileChanges,
    compare_paired,
    compare_windows,
    requests_needed,
)
from workbench.statistics.distances import kolmogorov_bounds, wasserstein_bounds
from workbench.statistics.quantiles import bucket_bounds
from workbench.units import counted, format_quantity
from workbench.window import format_time

__all__ = ["Change", "Comparison", "Verdict", "compare"]

_HIDDEN: Final = (0.5, 1.5)
"""An interval of the ratio that holds either could hide a change of 50 %."""

_POWER: Final = 0.8
"""The change said to be visible is seen with this probability."""

_TOGETHER: Final = 50
"""Subjects alike are judged so many at once, which bounds the memory."""


class Verdict(StrEnum):
    """What can be said of two windows."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference seen"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Change:
    """How one quantile changed.

    Parameters
    ----------
    q
        0.99 for p99.
    before, after
        Our estimates in seconds; None without requests, lower bounds where clipped.
    ratio
        after / before; None where either is not known.
    low, high
        95 % interval of `ratio`; None where abstained.
    certain_low, certain_high
        Between which the ratio of what was counted lies whatever the distributions are inside
        their buckets; None where there is no end.
    p, p_adjusted
        Two-sided p value, and after Holm over all changes of the call; None where abstained.
    detectable
        The ratio above 1 that would be called a change four times in five; None where abstained.
    method
        How the noise was found.
    windows
        How many placebo windows of history tell it, overlapping ones counted.
    usual
        Of two labels at the same time, the ratio over history; else None.
    why_not
        Why it was not judged; empty where it was.
    """

    q: float
    before: float | None
    after: float | None
    ratio: float | None
    low: float | None
    high: float | None
    certain_low: float | None
    certain_high: float | None
    p: float | None
    p_adjusted: float | None
    detectable: float | None
    method: Method
    windows: int
    usual: float | None = None
    why_not: str = ""

    @property
    def name(self) -> str:
        """``p99``, ``p99.9``."""
        return f"p{100 * self.q:g}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "quantile": self.q,
            "before_seconds": self.before,
            "after_seconds": self.after,
            "ratio": self.ratio,
            "interval_95": [self.low, self.high],
            "certain": [self.certain_low, self.certain_high],
            "p": self.p,
            "p_adjusted": self.p_adjusted,
            "detectable_ratio": self.detectable,
            "method": self.method.value,
            "placebo_windows": self.windows,
            "usual_ratio": self.usual,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows of a group, or two groups over one window, compared.

    Parameters
    ----------
    title, group
        What happened or what tells them apart; whose requests.
    before, after
        What was compared; the same span of two labels at the same time.
    requests_before, requests_after
        How many were counted, extrapolated as ``increase()`` does.
    changes
        One a quantile.
    ks
        Lower and upper bound of the Kolmogorov–Smirnov distance, 0 to 1; None without requests.
    wasserstein_seconds
        The same of the 1-Wasserstein distance; the upper is None where it has no end.
    verdict
        From the adjusted p values.
    why
        What it rests on, and which change would have been seen.
    notes
        What weakens it.
    """

    title: str
    group: Labels
    before: Span
    after: Span
    requests_before: float
    requests_after: float
    changes: tuple[Change, ...]
    ks: tuple[float | None, float | None]
    wasserstein_seconds: tuple[float | None, float | None]
    verdict: Verdict
    why: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "title": self.title,
            "group": dict(self.group),
            "before": _span(self.before),
            "after": _span(self.after),
            "requests_before": self.requests_before,
            "requests_after": self.requests_after,
            "changes": [change.to_dict() for change in self.changes],
            "ks_bounds": list(self.ks),
            "wasserstein_seconds_bounds": list(self.wasserstein_seconds),
            "verdict": self.verdict.value,
            "why": self.why,
            "notes": list(self.notes),
        }


def compare(
    subjects: Sequence[Subject],
    quantiles: Sequence[float] = (0.5, 0.95, 0.99),
    *,
    level: float = 0.05,
) -> tuple[Comparison, ...]:
    """Judge every subject, with one correction for all.

    Parameters
    ----------
    subjects
        What to compare.
    quantiles
        Each above 0 and below 1.
    level
        The chance of any false alarm over all subjects and quantiles.

    Returns
    -------
    tuple of Comparison
        In the order of the subjects.

    Raises
    ------
    InputError
        A quantile is not between 0 and 1, or a subject's buckets have no boundary in common.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> edges = np.array([0.0, 0.1, 0.25, 0.5, 1.0, np.inf])
    >>> calm = BucketCounts(edges, rng.poisson([5.0, 20, 15, 4, 1], (660, 5)).astype(float))
    >>> late = BucketCounts(edges, rng.poisson([3.0, 16, 18, 6, 2], (60, 5)).astype(float))
    >>> hour = 3_600_000
    >>> spans = Span(10 * hour, 11 * hour), Span(11 * hour, 12 * hour)
    >>> one = Subject("deploy", {}, calm[600:], late, *spans, 60_000, (calm[:600],))
    >>> compare([one], [0.5])[0].verdict.value
    'slower'
    """
    aligned = [subject.aligned() for subject in subjects]
    found = _changes(aligned, quantiles)
    p = np.array([each.p for each in found]).reshape(len(aligned), len(quantiles))
    adjusted = _holm(p)
    tests = max(int(np.isfinite(p).sum()), 1)
    return tuple(
        _conclude(subject, list(_described(subject, each, row, level / tests)), level)
        for subject, each, row in zip(aligned, found, adjusted, strict=True)
    )


def _changes(subjects: Sequence[Subject], quantiles: Sequence[float]) -> list[QuantileChanges]:
    """Each subject's changes; subjects of the same layout and shape are judged together."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, subject in enumerate(subjects):
        shapes = tuple(
            len(each.counts) for each in (subject.before, subject.after, *subject.history)
        )
        key = (subject.before.edges.tobytes(), shapes, subject.gap, subject.block, subject.paired)
        alike[key].append(number)
    result: dict[int, QuantileChanges] = {}
    for numbers in alike.values():
        for start in range(0, len(numbers), _TOGETHER):
            some = numbers[start : start + _TOGETHER]
            together = _together([subjects[number] for number in some], quantiles)
            result.update({number: _row(together, i) for i, number in enumerate(some)})
    return [result[number] for number in range(len(subjects))]


def _together(subjects: Sequence[Subject], quantiles: Sequence[float]) -> QuantileChanges:
    first = subjects[0]
    before = _stacked([subject.before for subject in subjects])
    after = _stacked([subject.after for subject in subjects])
    history = [
        _stacked([subject.history[i] for subject in subjects]) for i in range(len(first.history))
    ]
    if first.paired:
        pair = (history[0], history[1]) if history else None
        return compare_paired(before, after, pair, quantiles, block=first.block)
    past = history[0] if history else None
    return compare_windows(before, after, past, quantiles, gap=first.gap, block=first.block)


def _stacked(parts: Sequence[BucketCounts]) -> BucketCounts:
    return BucketCounts(
        parts[0].edges, np.stack([each.counts for each in parts]), parts[0].exponential
    )


def _row(together: QuantileChanges, i: int) -> QuantileChanges:
    arrays = {
        name: getattr(together, name)[i] for name in together.__slots__ if name != "quantiles"
    }
    return replace(together, **arrays)


def _holm(p: Floats) -> Floats:
    """Adjusted p values of the same shape; NaN stays."""
    from statsmodels.stats.multitest import multipletests

    result = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        result[known] = multipletests(p[known], method="holm")[1]
    return result


def _described(
    subject: Subject, found: QuantileChanges, adjusted: Floats, level: float
) -> Iterator[Change]:
    """The changes of one subject as plain data; `level` is that of a single test."""
    from scipy.special import stdtrit

    sides = subject.before.summed(), subject.after.summed()
    (low_before, high_before), (low_after, high_after) = (
        bucket_bounds(side, found.quantiles) for side in sides
    )
    with np.errstate(all="ignore"):
        reach = stdtrit(found.freedom, 1 - level / 2) + stdtrit(found.freedom, _POWER)
        columns = {
            "ratio": np.exp(found.log_ratio),
            "low": np.exp(found.low),
            "high": np.exp(found.high),
            "certain_low": low_after / high_before,
            "certain_high": high_after / low_before,
            "detectable": np.exp(reach * found.standard_error),
            "usual": np.exp(found.usual) if subject.paired else np.full(len(reach), np.nan),
        }
    columns |= {"before": found.before, "after": found.after, "p": found.p, "p_adjusted": adjusted}
    for i, q in enumerate(found.quantiles):
        numbers = {name: _number(values[i]) for name, values in columns.items()}
        yield Change(
            q=q,
            **numbers,
            method=found.method[i],
            windows=int(found.windows[i]),
            why_not=_why_not(q, found.abstained[i], sides),
        )


def _why_not(q: float, abstained: Abstention, sides: tuple[BucketCounts, BucketCounts]) -> str:
    """Why a quantile was not judged, with the numbers."""
    name = f"p{100 * q:g}"
    before, after = (float(side.total) for side in sides)
    if abstained is Abstention.EMPTY:
        return f"there are {_few(before)} before and {_few(after)} after"
    if abstained is Abstention.FEW:
        need = counted(requests_needed(q), "request")
        return f"{name} needs {need} in each window; there are {_few(before)} before and {_few(after)} after"
    if abstained is Abstention.CLIPPED:
        last = format_quantity(float(sides[0].edges[-2]), "seconds")
        return f"{name} lies above the last finite bucket ({last}), which has no upper edge"
    if abstained is Abstention.ONE_BUCKET:
        return f"nearly all requests lie in the bucket of {name}, which hides where"
    return f"{name}: {abstained.value}" if abstained else ""


def _few(requests: float) -> str:
    return counted(round(requests), "request") if requests else "none"


# -------------------------------------------------------------------------------- verdicts


def _conclude(subject: Subject, changes: Sequence[Change], level: float) -> Comparison:
    before, after = subject.before.summed(), subject.after.summed()
    verdict, why = _verdict(changes, level)
    ks = kolmogorov_bounds(before, after)
    wasserstein = wasserstein_bounds(before, after, sums=subject.sums_seconds)
    return Comparison(
        title=subject.title,
        group=subject.group,
        before=subject.before_span,
        after=subject.after_span,
        requests_before=float(before.total),
        requests_after=float(after.total),
        changes=tuple(changes),
        ks=(_number(ks[0]), _number(ks[1])),
        wasserstein_seconds=(_number(wasserstein[0]), _number(wasserstein[1])),
        verdict=verdict,
        why=why,
        notes=(*subject.notes, *_notes(changes, level)),
    )


def _verdict(changes: Sequence[Change], level: float) -> tuple[Verdict, str]:
    judged = [c for c in changes if not c.why_not]
    rest = "; ".join(dict.fromkeys(c.why_not for c in changes if c.why_not))
    if not judged:
        return Verdict.CANNOT_TELL, rest
    seen = [c for c in judged if c.p_adjusted is not None and c.p_adjusted < level]
    slower = [c for c in seen if (c.ratio or 1.0) > 1]
    if seen:
        verdict = Verdict.SLOWER if slower else Verdict.FASTER
        parts = ", ".join(_change(c) for c in seen)
        others = ", ".join(c.name for c in judged if c not in seen)
        unseen = f"no difference seen in {others} ({_visible(judged, seen)})" if others else ""
        return verdict, "; ".join(filter(None, [parts, unseen, rest]))
    wide = [c for c in judged if _hides(c)]
    if wide:
        parts = ", ".join(
            f"{c.name} between {_percent(c.low)} and {_percent(c.high)}" for c in wide
        )
        return Verdict.CANNOT_TELL, "; ".join(
            filter(None, [f"the change may be anything: {parts}", _visible(judged), rest])
        )
    return Verdict.NO_DIFFERENCE, "; ".join(filter(None, [_visible(judged), rest]))


def _hides(change: Change) -> bool:
    """Whether a change of 50 % could hide in the interval."""
    low, high = change.low, change.high
    return low is None or high is None or low < _HIDDEN[0] or high > _HIDDEN[1]


def _change(change: Change) -> str:
    return f"{change.name} {_percent(change.ratio)} ({_percent(change.low)} to {_percent(change.high)})"


def _visible(judged: Sequence[Change], seen: Sequence[Change] = ()) -> str:
    """Which change would have been seen."""
    parts = ", ".join(f"{_percent(c.detectable)} of {c.name}" for c in judged if c not in seen)
    return f"four times in five would be seen: {parts}"


def _percent(ratio: float | None) -> str:
    """A ratio as a change: +25 %."""
    if ratio is None:
        return "any change"
    if ratio >= 10:
        return f"×{ratio:.3g}"
    return f"{100 * (ratio - 1):+.3g} %".replace("-", "−")


def _notes(changes: Sequence[Change], level: float) -> Iterator[str]:
    if any(c.method is Method.BLOCKS for c in changes):
        yield (
            "approximate: too little history before the first window (about five times its length "
            "is enough), so that slow swings of the system pass for changes"
        )
    for change in changes:
        unusual = change.usual is not None and abs(math.log(change.usual)) > math.log(1.05)
        if unusual and not change.why_not:
            yield f"over earlier windows {change.name} usually differed by {_percent(change.usual)}"
        seen = change.p_adjusted is not None and change.p_adjusted < level
        certain = (change.certain_low or 0.0) > 1 or (change.certain_high or math.inf) < 1
        if seen and not certain:
            yield (
                f"{change.name} stayed in its bucket or moved to the next: how far rests on "
                "interpolation, that it moved does not"
            )


def _span(span: Span) -> dict[str, str]:
    return {"start": format_time(span.start_ms), "end": format_time(span.end_ms)}


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None

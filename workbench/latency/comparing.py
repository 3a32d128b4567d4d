"""Whether requests became slower: between two windows, or between two label values at one time.

Quantiles are compared by `workbench.statistics.comparison`; all p values of one call are adjusted
together (Holm, 1979), for who looks at sixty changes finds three by chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.latency.change import Change, Comparison, Verdict
from workbench.latency.subjects import Span, Subject, subject_around, subject_of_pair
from workbench.latency.verdicts import notes_on, verdict_of
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.comparison import (
    Abstention,
    QuantileChanges,
    compare_paired,
    compare_windows,
    requests_needed,
)
from workbench.statistics.distances import kolmogorov_bounds, wasserstein_bounds
from workbench.statistics.quantiles import bucket_bounds, interpolation_error
from workbench.units import counted, format_quantity

__all__ = [
    "Change",
    "Comparison",
    "Span",
    "Subject",
    "Verdict",
    "compare",
    "subject_around",
    "subject_of_pair",
]

_POWER: Final = 0.8
"""The change said to be visible is seen with this probability."""

_TOGETHER: Final = 50
"""Subjects alike are judged so many at once, which bounds the memory."""


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
        _conclude(subject, list(_described(subject, each, row, (level, tests))), level)
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
    """Adjusted p values of the same shape; NaN stays.

    The k-th smallest of n is multiplied by n − k + 1, and none may be below a smaller one's.
    """
    flat = p.ravel()
    order = np.argsort(flat)  # NaN last
    tests = int(np.isfinite(flat).sum())
    factors = np.maximum(tests - np.arange(len(flat)), 1)
    result = np.empty(len(flat))
    result[order] = np.minimum(np.maximum.accumulate(flat[order] * factors), 1.0)
    return result.reshape(p.shape)


def _described(
    subject: Subject, found: QuantileChanges, adjusted: Floats, family: tuple[float, int]
) -> Iterator[Change]:
    """The changes of one subject as plain data; `family` is the level of so many tests together."""
    from scipy.special import stdtrit

    level, tests = family

    sides = subject.before.summed(), subject.after.summed()
    (low_before, high_before), (low_after, high_after) = (
        bucket_bounds(side, found.quantiles) for side in sides
    )
    low, high = _sized(found, sides, adjusted < level)
    with np.errstate(all="ignore"):
        reach = stdtrit(found.freedom, 1 - level / tests / 2) + stdtrit(found.freedom, _POWER)
        columns = {
            "ratio": np.exp(found.log_ratio),
            "low": np.exp(low),
            "high": np.exp(high),
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
            left_out=int(found.left_out[i]),
            why_not=_why_not(q, found.abstained[i], sides),
        )


def _sized(
    found: QuantileChanges, sides: tuple[BucketCounts, BucketCounts], seen: Bools
) -> tuple[Floats, Floats]:
    """Intervals of the log ratio; where a change was seen, they hold its true size too.

    That a quantile moved shows in the counts of some bucket; by how much depends on where it lies in
    its buckets, which interpolation may get wrong on either side. The direction stays.
    """
    doubt = np.fmax(*(interpolation_error(side, found.quantiles) for side in sides))
    with np.errstate(all="ignore"):
        low = found.log_ratio - np.hypot(found.log_ratio - found.low, doubt)
        high = found.log_ratio + np.hypot(found.high - found.log_ratio, doubt)
        low = np.where(found.low > 0, np.maximum(low, 0.0), low)
        high = np.where(found.high < 0, np.minimum(high, 0.0), high)
    return np.where(seen, low, found.low), np.where(seen, high, found.high)


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


def _conclude(subject: Subject, changes: Sequence[Change], level: float) -> Comparison:
    before, after = subject.before.summed(), subject.after.summed()
    verdict, why = verdict_of(changes, level)
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
        notes=(*subject.notes, *notes_on(changes, level)),
    )


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None

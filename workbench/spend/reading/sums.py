"""What one profile counted: its metrics joined to measures, by account and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.counting.counted import Counted
from workbench.spend.profiles.profile import Includes, UsageProfile
from workbench.spend.reading.accounts import Accounts, sum_by

__all__ = ["INPUTS", "Sums", "chosen", "sum_up"]

INPUTS = ("input", "cache_read", "cache_write")
"""Measures that make the input of a request."""

_TOKENS = ("input", "cache_read", "cache_write", "output", "reasoning")


@dataclass(frozen=True, slots=True)
class Sums:
    """One profile's figures.

    Parameters
    ----------
    accounts
        The accounts; those of one measure need not be those of another.
    figures
        float64, shape (accounts, days), by measure, scaled, as counted; NaN where it is not.
    lost, low, high, moved
        float64, shape (accounts, days): tokens that are estimated to have been missed, the least
        and the most there were, and how many may belong to a neighbouring day.
    longest
        float64, shape (accounts, days): the most input tokens, cached ones included, that one
        request can have had: no step of a counter rose by more; NaN where that is not known.
    twins
        Metrics that were left out because a preferred one stands on the same pages: by measure,
        how much they had counted.
    """

    accounts: Accounts
    figures: dict[str, Floats]
    lost: Floats
    low: Floats
    high: Floats
    moved: Floats
    longest: Floats
    twins: dict[str, float] = field(default_factory=dict)


def chosen(counted: Sequence[Counted], slack_ms: int) -> list[Bools]:
    """Which series of some alternative metrics are read: of each target the first it has.

    Where a target changed from one metric to the other, as in an upgrade, both are read: they do
    not overlap in time.

    Parameters
    ----------
    counted
        The alternatives, the preferred one first.
    slack_ms
        By how much two may overlap and still follow one another.

    Returns
    -------
    list of bool arrays, shape (series,)
    """
    count = max((int(c.target.max(initial=-1)) for c in counted), default=-1) + 1
    spans: list[tuple[Ints, Ints]] = []
    result = []
    for each in counted:
        first = np.full(count, np.iinfo(np.int64).max)
        last = np.full(count, -1, np.int64)
        there = each.first_ms >= 0
        np.minimum.at(first, each.target[there], each.first_ms[there])
        np.maximum.at(last, each.target[there], each.last_ms[there])
        free = np.ones(count, np.bool_)
        for other_first, other_last in spans:
            free &= (last <= other_first + slack_ms) | (first >= other_last - slack_ms)
        spans.append((np.where(free, first, np.iinfo(np.int64).max), np.where(free, last, -1)))
        result.append(free[each.target])
    return result


def sum_up(
    profile: UsageProfile,
    counted: Mapping[str, Sequence[tuple[int, Counted]]],
    days: int,
    slack_ms: int,
    input_includes_cached: Includes,
) -> Sums:
    """Join what was counted to figures by account and day.

    Parameters
    ----------
    profile
        Whose metrics they are.
    counted
        By measure: the alternatives with their places in the profile.
    days
        How many days there are.
    slack_ms
        As of `chosen`.
    input_includes_cached
        Whether cached tokens are among the input, so that their uncertainty counts once.
    """
    accounts = Accounts(profile)
    parts: dict[str, list[tuple[Ints, Counted, float]]] = {}
    twins: dict[str, float] = {}
    for measure, alternatives in counted.items():
        kept = chosen([c for _, c in alternatives], slack_ms)
        for (place, each), keep in zip(alternatives, kept, strict=True):
            scale = profile.alternatives(measure)[place].scale
            if not keep.all():
                left = float(np.nansum(each.increase[~keep]))
                twins[measure] = twins.get(measure, 0.0) + left
            numbers = np.where(keep, accounts.of(each.labels), -1)
            parts.setdefault(measure, []).append((numbers, each, scale))
    count = len(accounts)
    figures = {m: _joined(p, "increase", count, days) for m, p in parts.items()}
    once = {"input", "output"} if input_includes_cached != "no" else {*_TOKENS} - {"reasoning"}
    if profile.output_includes_reasoning == "no":
        once.add("reasoning")
    own = [p for m, each in parts.items() if m in once for p in each]
    zero = np.zeros((count, days))
    sums = {
        name: np.nan_to_num(_joined(own, name, count, days)) if own else zero
        for name in ("lost", "low", "high", "moved")
    }
    longest = _longest(parts, figures, input_includes_cached, (count, days))
    return Sums(accounts, figures, **sums, longest=longest, twins=twins)


def _longest(
    parts: Mapping[str, Sequence[tuple[Ints, Counted, float]]],
    figures: Mapping[str, Floats],
    includes: Includes,
    shape: tuple[int, int],
) -> Floats:
    """The longest request there can have been, by account and day.

    A request is counted by one process at once, so it is no longer than the highest step of any
    series; where cached tokens are counted apart, than the highest steps of all classes together.
    """
    names = INPUTS[:1] if includes == "yes" else INPUTS
    total = np.zeros(shape)
    for name in names:
        top = np.zeros(shape)
        for numbers, counted, scale in parts.get(name, ()):
            keep = numbers >= 0
            np.maximum.at(top, numbers[keep], counted.largest[keep] * scale)
        total += top
        # What a series with fewer labels counted may be this account's too.
        if name != INPUTS[0] and name in figures:
            total[np.isnan(figures[name])] = np.nan
    return np.where(np.isfinite(total) & (total > 0), total, np.nan)


def _joined(
    parts: Sequence[tuple[Ints, Counted, float]], name: str, count: int, days: int
) -> Floats:
    """One column of all parts, by account: NaN where none has anything."""
    total = np.full((count, days), np.nan)
    for numbers, counted, scale in parts:
        keep = numbers >= 0
        values: Floats = getattr(counted, name)
        more = sum_by(numbers[keep], values[keep] * scale, count)
        total = np.where(np.isnan(total), more, total + np.nan_to_num(more))
    return total

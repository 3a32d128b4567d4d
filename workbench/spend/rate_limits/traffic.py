"""Rates of usage over time, by provider, model and team, from the answers to the plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats, Ints
from workbench.spend.profiles.detection import Fit
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.rate_limits.planning import taken_apart
from workbench.spend.reading.accounts import first_label
from workbench.spend.reading.layers import model_key

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Group", "Traffic", "added", "read_traffic"]

_MINUTE: Final = 60.0


class Group(NamedTuple):
    """Whose usage it is; a dimension that nobody told, or that was not asked for, is ``""``."""

    profile: str
    provider: str
    model: str
    team: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Rates of usage.

    Parameters
    ----------
    times_ms
        int64, shape (points,): where the spans end over which rates are means.
    step_ms
        Distance of the points.
    rates
        By measure and group: float64, shape (points,), per minute, or what a gauge showed; NaN where
        nothing was seen. Measures are those of the plan, but that ``input`` is without tokens read
        from the provider's cache where ``cached`` has them, and ``output`` is with reasoning.
    """

    times_ms: Ints
    step_ms: int
    rates: Mapping[str, Mapping[Group, Floats]]

    def of(self, measure: str) -> Mapping[Group, Floats]:
        """One measure's rates by group; none where it was not seen."""
        return self.rates.get(measure, {})

    def groups(self, *measures: str) -> list[Group]:
        """All groups that any of some measures has, sorted."""
        return sorted({group for measure in measures for group in self.of(measure)})

    def total(self, measures: Sequence[str], groups: Collection[Group]) -> Floats | None:
        """The sum of some measures over some groups, shape (points,); None where none has any."""
        rows = [r for m in measures for g, r in self.of(m).items() if g in groups]
        return added(rows) if rows else None


def added(rows: Sequence[Floats]) -> Floats:
    """The sum of rows of one shape; NaN where none of them is known."""
    stack = np.array(rows)
    known = np.isfinite(stack)
    total: Floats = np.where(known.any(axis=0), np.where(known, stack, 0.0).sum(axis=0), np.nan)
    return total


def read_traffic(
    frames: Mapping[str, Frame], fits: Sequence[Fit], duplicates: pd.DataFrame
) -> Traffic:
    """Join answers to rates.

    Parameters
    ----------
    frames
        Answers by the keys of `plan_rate_limits`; others are passed over.
    fits
        The profiles.
    duplicates
        Of `Reading`: profiles and models that another layer counted too. They are left out.
    """
    profiles = {fit.profile.name: fit.profile for fit in fits}
    found = [
        (*what, frame) for key, frame in frames.items() if (what := taken_apart(key)) is not None
    ]
    found = [each for each in found if each[0] in profiles]
    every = [frame.times_ms for *_, frame in found]
    times = np.unique(np.concatenate(every)) if every else np.empty(0, np.int64)
    twice = _counted_twice(duplicates)
    rates: dict[str, dict[Group, Floats]] = {}
    for name, measure, frame in found:
        profile = profiles[name]
        least = measure.startswith("remaining")
        places = np.searchsorted(times, frame.times_ms)
        for labels, values, present in zip(frame.labels, frame.values, frame.present, strict=True):
            group = _group(profile, labels)
            if (group.profile, model_key(group.model)) in twice:
                continue
            row = rates.setdefault(measure, {}).setdefault(group, np.full(len(times), np.nan))
            new = np.where(present & np.isfinite(values), values, np.nan)
            old = row[places]
            if least:
                row[places] = np.fmin(old, new)
            else:
                row[places] = added([old, new * _MINUTE])
    step = int(np.median(np.diff(times))) if len(times) > 1 else 0
    return Traffic(times, step, _disjoint(rates, profiles))


def _counted_twice(duplicates: pd.DataFrame) -> set[tuple[str, str]]:
    pairs = duplicates[["profile", "model"]].astype(str).drop_duplicates()
    names = zip(pairs["profile"], pairs["model"], strict=True)
    return {(profile, model_key(model)) for profile, model in names}


def _group(profile: UsageProfile, labels: Mapping[str, str]) -> Group:
    told = {
        name: first_label(labels, getattr(profile.labels, name), profile.nobody)
        or profile.constants.get(name, "")
        for name in ("provider", "model", "team")
    }
    return Group(profile.name, **told)


def _disjoint(
    rates: dict[str, dict[Group, Floats]], profiles: Mapping[str, UsageProfile]
) -> dict[str, dict[Group, Floats]]:
    """Reasoning put into the output, and cached tokens taken out of the input, as `cached`."""
    result = {m: dict(r) for m, r in rates.items() if not m.startswith(("cache_", "reasoning"))}
    for group, row in rates.get("reasoning", {}).items():
        if profiles[group.profile].output_includes_reasoning == "no":
            outputs = result.setdefault("output", {})
            outputs[group] = added([outputs[group], row]) if group in outputs else row
    inputs = result.setdefault("input", {})
    for group, row in rates.get("cache_write", {}).items():
        if profiles[group.profile].input_includes_cached == "no":
            inputs[group] = added([inputs[group], row]) if group in inputs else row
    for group, row in rates.get("cache_read", {}).items():
        if profiles[group.profile].input_includes_cached != "no":
            if group not in inputs:
                continue  # told by other labels than the input: it stays a part of it
            inputs[group] = np.maximum(inputs[group] - np.nan_to_num(row), 0.0)
        result.setdefault("cached", {})[group] = row
    return result

"""From answers to events, or to the reason why there are none: never to a wrong number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats
from workbench.slo.events import Events
from workbench.slo.indicator import Latency
from workbench.slo.objective import Objective
from workbench.slo.planning import bad_key, ratio_key, resets_key, total_key
from workbench.units import format_quantity

__all__ = ["Obstacle", "Reading", "read"]

_RESETS: Final = 0.2
"""A counter that falls at more than this share of its samples is none."""

_ABOVE: Final = 1.001
"""Bad events may exceed all events by so much through extrapolation."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing can be told of an objective: the finding's code, the reason and the mend."""

    code: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class Reading:
    """An objective's events, and what is odd about them, one sentence each."""

    events: Events
    notes: tuple[str, ...] = ()


def read(objective: Objective, frames: Mapping[str, Frame]) -> Reading | Obstacle:
    """Read an objective's answers.

    Parameters
    ----------
    objective
        What was asked about.
    frames
        The answers by the questions' keys; an absent key is a query that gave nothing.
    """
    if not objective.sli.has_counts:
        return _of_ratio(frames.get(ratio_key(objective)))
    return _of_counts(objective, frames)


def _of_ratio(frame: Frame | None) -> Reading | Obstacle:
    values = _only_series(frame, "the error ratio")
    if isinstance(values, Obstacle):
        return values
    assert frame is not None
    known = values[~np.isnan(values)]
    if not len(known):
        return _no_data("the error ratio has no value at any time")
    if known.max() > _ABOVE or known.min() < 1 - _ABOVE:
        worst = known.max() if known.max() > _ABOVE else known.min()
        return Obstacle(
            "SLO-UNUSABLE",
            f"its error ratio reaches {format_quantity(worst)}, and a ratio lies between 0 and 1",
            "a ratio of errors to all events is wanted, not a percentage or a rate: mend the query",
        )
    ratio = np.clip(values, 0.0, 1.0)
    total = np.where(np.isnan(ratio), np.nan, 1.0)
    events = Events(frame.times_ms, ratio, total, _step(frame), counted=False)
    note = (
        "Only a ratio is known: minutes are weighed and not events, and no interval can be given."
    )
    return Reading(events, (note,))


def _of_counts(objective: Objective, frames: Mapping[str, Frame]) -> Reading | Obstacle:
    frame = frames.get(total_key(objective))
    total = _only_series(frame, "the query for all events")
    if isinstance(total, Obstacle):
        return total
    assert frame is not None
    if not np.any(~np.isnan(total)):
        return _no_data("the query for all events has no value at any time")
    if (share := _resets(frames.get(resets_key(objective)))) > _RESETS:
        return Obstacle(
            "SLO-UNUSABLE",
            f"its counters fall at {format_quantity(share, 'ratio')} of their samples: they are no counters",
            "count with a counter that only rises, and let one process write each series",
        )
    if not np.nansum(total) > 0:
        return Obstacle(
            "SLO-NO-EVENTS",
            "there was not one event in the whole history",
            "check that the service has traffic, and that the selector means its counters",
        )
    bad = _only_series(frames.get(bad_key(objective)), "the query for bad events")
    if isinstance(bad, Obstacle):
        return _no_bad(objective, bad)
    return _joined(frame, bad, total)


def _no_bad(objective: Objective, found: Obstacle) -> Obstacle:
    if found.code != "SLO-NO-DATA" or not isinstance(objective.sli, Latency):
        return found
    limit = format_quantity(objective.sli.threshold_seconds, "seconds")
    return Obstacle(
        "SLO-UNUSABLE",
        f"its histogram has no bucket boundary at the threshold, {limit} (le {objective.sli.bound:g})",
        "take a threshold that is one of the histogram's bounds (`le`), or add that bound in the code",
    )


def _joined(frame: Frame, bad: Floats, total: Floats) -> Reading | Obstacle:
    both = ~np.isnan(bad) & ~np.isnan(total)
    if not both.any():
        return _no_data("bad and total events never have a value at the same time")
    bad, total = np.where(both, bad, np.nan), np.where(both, np.maximum(total, 0.0), np.nan)
    gone, whole = float(np.nansum(bad)), float(np.nansum(total))
    if gone > _ABOVE * whole or gone < (1 - _ABOVE) * whole:
        return Obstacle(
            "SLO-UNUSABLE",
            f"it counts {format_quantity(gone)} bad events of {format_quantity(whole)} in all",
            "bad events must be some of all events: compare the two selectors",
        )
    kept = np.clip(bad, 0.0, total)
    notes = []
    if (cut := float(np.nansum(np.abs(bad - kept)))) > 0.01 * max(float(np.nansum(kept)), 1.0):
        notes.append(
            f"In some steps bad events exceed all events, or are below 0; {format_quantity(cut)} were left out."
        )
    return Reading(Events(frame.times_ms, kept, total, _step(frame)), tuple(notes))


def _only_series(frame: Frame | None, what: str) -> Floats | Obstacle:
    """The one series of an answer; infinite values are absent."""
    if frame is None or not len(frame):
        return _no_data(f"{what} gives no series")
    if len(frame) > 1:
        return Obstacle(
            "SLO-UNUSABLE",
            f"{what} gives {len(frame)} series, and one is wanted",
            "put sum(…) around it, or write one objective for each",
        )
    values = frame.values[0]
    usable: Floats = np.where(frame.present[0] & np.isfinite(values), values, np.nan)
    return usable


def _no_data(reason: str) -> Obstacle:
    return Obstacle(
        "SLO-NO-DATA",
        reason,
        "run the query by itself: a metric or label may be misspelt, or the window may lie outside "
        "the data, which -p end= and -p last= (end=, last=) choose; a step shorter than two scrapes "
        "sees nothing (-p step=)",
    )


def _resets(frame: Frame | None) -> float:
    if frame is None or not len(frame) or not np.isfinite(frame.values[0, -1]):
        return 0.0
    return float(frame.values[0, -1])


def _step(frame: Frame) -> int:
    return int(frame.times_ms[1] - frame.times_ms[0]) if len(frame.times_ms) > 1 else 60_000

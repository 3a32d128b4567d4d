"""The answers to `plan_self_hosted` put together again: one grid for each question, by calendar day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays
from workbench.spend.self_hosted.planning import PREFIX

__all__ = ["Answers", "Line"]


@dataclass(frozen=True, slots=True)
class Line:
    """One series of an answer.

    Parameters
    ----------
    profile, model, job
        Which server it is of.
    times_ms
        int64, shape (points,): the grid.
    values
        float64, shape (points,); NaN where there was no sample.
    """

    profile: str
    model: str
    job: str
    times_ms: Ints
    values: Floats

    def by_day(self, days: CalendarDays) -> list[Floats]:
        """The values of each day, absent ones too."""
        day = days.of(self.times_ms)
        return [self.values[day == n] for n in range(len(days))]


class Answers:
    """What was answered, by kind of question and by machine or server.

    Parameters
    ----------
    frames
        Answers by their questions' keys; keys of other plans are passed over.
    """

    def __init__(self, frames: Mapping[str, Frame]) -> None:
        self._parts: dict[tuple[str, str], list[Frame]] = {}
        for key, frame in sorted(frames.items(), key=lambda each: each[0].rpartition("@")[0]):
            prefix, _, rest = key.partition("/")
            kind, _, named = rest.partition("/")
            if prefix == PREFIX:
                name = named.rpartition("@")[0]
                self._parts.setdefault((kind, name), []).append(frame)

    def machine(self, name: str) -> tuple[Ints, Floats] | None:
        """How many of a machine were counted: the grid, and the sum over series, NaN where none was.

        None where it was not asked.
        """
        parts = self._parts.get(("hours", name))
        if parts is None:
            return None
        times, values = [], []
        for frame in sorted(parts, key=_start):
            some = frame.present.any(axis=0) if len(frame) else np.zeros(len(frame.times_ms), bool)
            total = np.where(frame.present, frame.values, 0.0).sum(axis=0)
            times.append(frame.times_ms)
            values.append(np.where(some, total, np.nan))
        return np.concatenate(times), np.concatenate(values)

    def servers(self, kind: str) -> list[Line]:
        """The series of one kind of question, of all profiles."""
        result = []
        for (each, name), parts in self._parts.items():
            if each != kind:
                continue
            profile, _, labels = name.partition("|")
            result += _joined(profile, labels.split(","), sorted(parts, key=_start))
        return result


def _start(frame: Frame) -> int:
    return int(frame.times_ms[0]) if len(frame.times_ms) else 0


def _joined(profile: str, labels: list[str], parts: list[Frame]) -> list[Line]:
    """Series of several windows end to end."""
    times = np.concatenate([p.times_ms for p in parts])
    rows: dict[tuple[str, str], Floats] = {}
    begin = 0
    for frame in parts:
        end = begin + len(frame.times_ms)
        for own, values, present in zip(frame.labels, frame.values, frame.present, strict=True):
            model = next((own[name] for name in labels if own.get(name)), "")
            row = rows.setdefault((model, own.get("job", "")), np.full(len(times), np.nan))
            row[begin:end] = np.where(present, values, row[begin:end])
        begin = end
    return [Line(profile, model, job, times, row) for (model, job), row in rows.items()]

"""What is known of scrape targets: when each was first seen, and when its process started.

A counter that appears with a value says nothing of when that value came about. The page it stands on
does: where the page was read before without the counter, it was born since.
"""

from __future__ import annotations

import numpy as np

from workbench.frame import Frame
from workbench.samples import Ints, Labels

__all__ = ["Targets"]

_IDENTITY = ("job", "instance", "pod")
"""Labels that a scrape gives to all that it reads from one target."""

_NEVER = np.iinfo(np.int64).max


class Targets:
    """Targets by number, shared by all measures that are counted together."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], int] = {}
        self._first: list[int] = []
        self._starts: dict[int, dict[int, int]] = {}
        self.data_start_ms: int = _NEVER
        """The earliest sample of all, or the largest int64 where there is none."""
        self.data_end_ms: int = -1
        """The last grid point at which anything was there."""

    def place(self, labels: Labels) -> int:
        """The number of the target that a series was read from."""
        key = tuple(labels.get(name, "") for name in _IDENTITY)
        found = self._places.setdefault(key, len(self._first))
        if found == len(self._first):
            self._first.append(_NEVER)
        return found

    def saw(self, targets: Ints, times_ms: Ints) -> None:
        """Note that targets were there: int64, shape (n,), both."""
        for target, time in zip(targets.tolist(), times_ms.tolist(), strict=True):
            self._first[target] = min(self._first[target], time)
            self.data_start_ms = min(self.data_start_ms, time)

    def reached(self, time_ms: int) -> None:
        """Note that there was data up to a moment."""
        self.data_end_ms = max(self.data_end_ms, time_ms)

    @property
    def first_ms(self) -> Ints:
        """int64, shape (targets,): when each was first seen; the largest int64 for never."""
        return np.array(self._first, np.int64)

    def add_up(self, frame: Frame) -> None:
        """Take the answer to ``up``: a page that was read, whether or not it told of traffic."""
        for labels, values in zip(frame.labels, frame.values, strict=True):
            there = np.flatnonzero(values == 1)
            if len(there):
                place = np.array([self.place(labels)])
                self.saw(place, frame.times_ms[there[:1]])

    def add_starts(self, frame: Frame) -> None:
        """Take the answer to ``process_start_time_seconds``."""
        for labels, values in zip(frame.labels, frame.values, strict=True):
            some = np.flatnonzero(np.isfinite(values) & (values > 0))
            told, first = np.unique(values[some], return_index=True)
            known = self._starts.setdefault(self.place(labels), {})
            moments = np.rint(told * 1000).astype(np.int64).tolist()
            shown = frame.times_ms[some[first]].tolist()
            for start, time in zip(moments, shown, strict=True):
                known.setdefault(start, time)

    def starts(self, target: int) -> Ints:
        """int64, sorted: when the processes behind a target started, as far as it is known."""
        return np.array(sorted(self._starts.get(target, ())), np.int64)

    def restarts(self, start_ms: int, end_ms: int) -> list[tuple[int, int, int]]:
        """Starts that showed first after one grid point and up to another.

        A grid point shows a sample that may be as old as the scrape interval, so that a process which
        started before the point may not show there yet: its counters are new from the point on at
        which its start time is.

        Returns
        -------
        list of (target, started, shown)
            Sorted.
        """
        return sorted(
            (target, start, shown)
            for target, starts in self._starts.items()
            for start, shown in starts.items()
            if start_ms < shown <= end_ms
        )

    def last_start(self, targets: Ints, before_ms: Ints, after_ms: Ints) -> Ints:
        """The last start of each target's process within ``(after, before]``, or −1.

        Parameters
        ----------
        targets, before_ms, after_ms
            int64, shape (n,).
        """
        result = np.full(len(targets), -1, np.int64)
        for i, target in enumerate(targets.tolist()):
            if target in self._starts:
                times = self.starts(target)
                inside = times[(times > after_ms[i]) & (times <= before_ms[i])]
                result[i] = inside[-1] if len(inside) else -1
        return result

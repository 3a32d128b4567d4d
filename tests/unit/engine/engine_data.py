"""A storage small enough to read at a glance, and a short way to ask it."""

import numpy as np

from workbench.promql.regex import compile_regex
from workbench.samples import Samples


class Rows:
    """Series in a list, looked through one by one."""

    def __init__(self, *series):
        self._series = [
            (dict(labels), np.asarray(times, np.int64), np.asarray(values, float))
            for labels, times, values in series
        ]

    @property
    def bounds_ms(self):
        times = [t for _, t, _ in self._series if len(t)]
        return (min(int(t[0]) for t in times), max(int(t[-1]) for t in times)) if times else (0, 0)

    def select(self, matchers, start_ms, end_ms, room=None):
        found = []
        for labels, times, values in self._series:
            inside = (times >= start_ms) & (times <= end_ms)
            if inside.any() and all(meets(labels.get(m.name, ""), m) for m in matchers):
                found.append((labels, times[inside], values[inside]))
        if room is not None:
            room(sum(len(times) for _, times, _ in found))
        return Samples.from_series(found)

    def series(self, matchers, start_ms, end_ms):
        return list(self.select(matchers, start_ms, end_ms).labels)

    def metadata(self):
        return {}


def meets(value, matcher):
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return bool(compile_regex(matcher.value).matches([value])[0]) == (matcher.op == "=~")


def every(step_ms, *values, name="m", **labels):
    """A series with a sample every step from 0 on; None is no sample."""
    kept = [(i * step_ms, v) for i, v in enumerate(values) if v is not None]
    return {"__name__": name, **labels}, [t for t, _ in kept], [v for _, v in kept]


def points(frame):
    """What is present: for each label set (sorted pairs) a list of (time in ms, value)."""
    return {
        tuple(sorted(labels.items())): [
            (int(frame.times_ms[s]), float(frame.values[i, s]))
            for s in np.flatnonzero(frame.present[i])
        ]
        for i, labels in enumerate(frame.labels)
    }

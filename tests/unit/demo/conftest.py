"""The estate, simulated once a session, and looked into with plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.demo import simulate


class Estate:
    """Every simulated series, found by name and labels; independent of the store and engine."""

    def __init__(self, series):
        self.series = list(series)

    def find(self, name, **labels):
        """All series of a name whose labels have these values."""
        return [
            one
            for one in self.series
            if one[0]["__name__"] == name and all(one[0].get(k) == v for k, v in labels.items())
        ]

    def one(self, name, **labels):
        """The only such series."""
        (found,) = self.find(name, **labels)
        return found

    def increase(self, name, start_ms, end_ms, **labels):
        """What such counters gained from `start_ms` to `end_ms`, resets to 0 accounted for."""
        total = 0.0
        for _, times, values in self.find(name, **labels):
            inside = values[(times >= start_ms) & (times <= end_ms)]
            steps = np.diff(inside)
            total += np.where(steps < 0, inside[1:], steps).sum()
        return total


@pytest.fixture(scope="session")
def estate():
    """The simulated estate; its arrays must not be written to."""
    return Estate(simulate())


def gained(values):
    """Increments of a counter from sample to sample, resets to 0 accounted for."""
    steps = np.diff(values, axis=0)
    return np.where(steps < 0, values[1:], steps)


@pytest.fixture(name="gained", scope="session")
def _gained():
    return gained

"""What gauges said was left of a limit: headers of a provider's answers, passed on by a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.spend.rate_limits.planning import GAUGES
from workbench.spend.rate_limits.traffic import Traffic

__all__ = ["Remaining", "remaining"]

LOW: Final = 0.1
"""Little is left below this share of the highest value seen."""

_NO_LIMIT: Final = 1e15
"""Products write the largest integer where there is no limit."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What was left of one model's limit, over time.

    Parameters
    ----------
    profile, provider, model
        Who tells it, and of what.
    unit
        ``requests`` or ``tokens``.
    lowest, q01, q05
        The lowest value, and those below which it was 1 % and 5 % of the points: each point's is the
        least of all keys and replicas in its span.
    lowest_ms
        When it was lowest first, milliseconds since the epoch.
    highest
        The highest of these values: the limit is no smaller.
    low_share
        Share of the points at which less than a tenth of the highest was left.
    points
        At how many points something was told.
    moved
        Whether it ever changed: a gauge that does not may be of a key that is used no more.
    """

    profile: str
    provider: str
    model: str
    unit: str
    lowest: float
    q01: float
    q05: float
    lowest_ms: int
    highest: float
    low_share: float
    points: int
    moved: bool

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def remaining(traffic: Traffic, inside: Bools) -> Iterator[Remaining]:
    """Sum up each gauge.

    Parameters
    ----------
    traffic
        Of `read_traffic`.
    inside
        bool, shape (points,): which points are in the period.

    Notes
    -----
    When it would reach 0 is not told: what is left begins anew each minute, and its daily lows say
    how bursts happened to fall, not how usage grows. Usage against a stated limit tells that.
    """
    for gauge in GAUGES:
        moving, still = traffic.of(gauge), traffic.of(f"{gauge}_still")
        for group in sorted({*moving, *still}):
            blank = np.full(len(traffic.times_ms), np.nan)
            values = moving.get(group, blank)
            moved = bool((np.isfinite(values) & inside).any())
            if not moved:
                values = still.get(group, blank)
            some = np.flatnonzero(inside & np.isfinite(values) & (values < _NO_LIMIT))
            if not len(some):
                continue
            seen = np.maximum(values[some], 0.0)
            low, least, little = np.quantile(seen, [0.0, 0.01, 0.05]).tolist()
            highest = float(seen.max())
            yield Remaining(
                group.profile, group.provider, group.model, gauge.removeprefix("remaining_"),
                low, least, little, int(traffic.times_ms[some[int(seen.argmin())]]), highest,
                float((seen < LOW * highest).mean()), len(some), moved,
            )  # fmt: skip

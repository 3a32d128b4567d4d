"""How long growth fits under a limit: daily peaks forecast, and when they first reach it.

Logarithms of the peaks are forecast: a weekend is a share of a weekday whatever the level, growth is
by a share a week, and a prompt that doubles its tokens doubles all days. On a hundred simulated
histories of that kind the 80 % interval held the day in 90, and without logarithms in 51.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics import average_models, first_passage, simulate

__all__ = ["HORIZON", "LEAST_DAYS", "Growth", "growth"]

LEAST_DAYS: Final = 14
"""Days without which nothing is forecast: two weeks show one repetition of a week."""

HORIZON: Final = 90
"""Days that are looked ahead."""

_MONTH: Final = 30.0


@dataclass(frozen=True, slots=True)
class Growth:
    """When daily peaks reach a limit, if usage goes on as it did.

    Parameters
    ----------
    median, earliest, latest
        In how many days they first do, and the ends of the 80 % interval; None for later than the
        horizon.
    chance
        That they do within the horizon.
    weekly
        Growth of the daily peak a week, as a share: by the models with a steady trend.
    days
        How many daily peaks it was told from.
    """

    median: int | None
    earliest: int | None
    latest: int | None
    chance: float
    weekly: float
    days: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "horizon": HORIZON}


def growth(days: Ints, peaks: Floats, limit: float, *, seed: tuple[int, str]) -> Growth | None:
    """Forecast daily peaks until they reach a limit.

    Parameters
    ----------
    days
        int64, shape (n,), ascending: day numbers; gaps are allowed.
    peaks
        float64, shape (n,): each day's highest rate; days without any use are passed over.
    limit
        In the unit of the peaks.
    seed
        A number and a name: each limit has draws of its own, whatever other limits there are.

    Returns
    -------
    Growth or None
        None where fewer than 14 days with use are known.
    """
    used = peaks > 0
    days, peaks = days[used], peaks[used]
    if len(days) < LEAST_DAYS:
        return None
    if not np.ptp(peaks):
        reached = 1 if peaks[-1] >= limit else None
        return Growth(reached, reached, reached, float(reached is not None), 0.0, len(days))
    digest = hashlib.blake2b(seed[1].encode("utf-8", "surrogatepass"), digest_size=8).digest()
    rng = np.random.default_rng([seed[0], int.from_bytes(digest, "big")])
    average = average_models(days, np.log(peaks), rng, wanders=False)
    paths = simulate(average, start_day=int(days[-1]) + 1, horizon=HORIZON, rng=rng)
    passage = first_passage(paths.values, float(np.log(limit)))
    early, late = passage.interval(0.8)
    weekly = float(np.expm1(np.median(paths.growth) * 7 / _MONTH))
    return Growth(
        passage.quantile(0.5), early, late, passage.chance(HORIZON), weekly, len(days)
    )  # fmt: skip

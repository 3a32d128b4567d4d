"""How long growth fits under a limit: daily peaks forecast, and when they first reach it."""

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
        Growth of the daily peak a week, as a share of its median: by the models with a steady trend.
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
        float64, shape (n,): each day's highest rate.
    limit
        In the unit of the peaks.
    seed
        A number and a name: each limit has draws of its own, whatever other limits there are.

    Returns
    -------
    Growth or None
        None where fewer than 14 days are known.
    """
    if len(days) < LEAST_DAYS:
        return None
    if not np.ptp(peaks):
        reached = 1 if peaks[-1] >= limit else None
        return Growth(reached, reached, reached, float(reached is not None), 0.0, len(days))
    digest = hashlib.blake2b(seed[1].encode("utf-8", "surrogatepass"), digest_size=8).digest()
    rng = np.random.default_rng([seed[0], int.from_bytes(digest, "big")])
    average = average_models(days, peaks, rng, wanders=False)
    paths = simulate(average, start_day=int(days[-1]) + 1, horizon=HORIZON, rng=rng)
    passage = first_passage(paths.values, limit)
    early, late = passage.interval(0.8)
    level = float(np.median(peaks))
    weekly = float(np.median(paths.growth)) * 7 / _MONTH / level if level else 0.0
    return Growth(
        passage.quantile(0.5), early, late, passage.chance(HORIZON), weekly, len(days)
    )  # fmt: skip

"""How good a relation was on days that it had not seen, and at loads that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.regression.fitting import LEAST_DAYS, fit_relation

__all__ = ["HeldOut", "hold_out"]

_ORIGINS: Final = 14
_DRAWS: Final = 200
_ENDS: Final = (0.025, 0.1, 0.5, 0.9, 0.975)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The daily peaks of days that were held out, given their loads.

    Parameters
    ----------
    days
        How many there were.
    coverage_80, coverage_95
        The share of peaks within their intervals.
    bias
        Mean of predicted minus seen, as a share of the mean peak.
    error
        Mean absolute error, as a share of the mean peak.
    """

    days: int
    coverage_80: float
    coverage_95: float
    bias: float
    error: float

    def to_dict(self) -> dict[str, float]:
        """The JSON form."""
        return {
            "days": self.days,
            "coverage_80": self.coverage_80,
            "coverage_95": self.coverage_95,
            "bias": self.bias,
            "error": self.error,
        }


def hold_out(
    load: Floats, usage: Floats, rng: np.random.Generator, *, limit: Floats | None = None
) -> HeldOut | None:
    """Predict the peak of each of the last days from the days before it.

    Parameters
    ----------
    load, usage, limit
        As for `fit_relation`.

    Returns
    -------
    HeldOut or None
        None where no day can be held out.
    """
    rows = []
    for day in range(max(LEAST_DAYS, len(load) - _ORIGINS), len(load)):
        known = np.isfinite(usage[day]) & np.isfinite(load[day])
        if known.mean() < 0.5 or not _enough(load[:day], usage[:day]):
            continue
        past = None if limit is None else limit[:day]
        found = fit_relation(load[:day], usage[:day], rng, limit=past, draws=_DRAWS, test=False)
        peaks = found.peaks(np.where(known, load[day], np.nan), np.ones(1), rng)[:, 0]
        rows.append([*np.quantile(peaks, _ENDS), float(usage[day][known].max())])
    if not rows:
        return None
    low95, low80, middle, high80, high95, seen = np.array(rows).T
    size = max(float(np.abs(seen).mean()), 1e-300)
    return HeldOut(
        len(rows),
        float(((seen >= low80) & (seen <= high80)).mean()),
        float(((seen >= low95) & (seen <= high95)).mean()),
        float((middle - seen).mean()) / size,
        float(np.abs(middle - seen).mean()) / size,
    )


def _enough(load: Floats, usage: Floats) -> bool:
    known = np.isfinite(load) & np.isfinite(usage)
    return int((known.mean(axis=1) >= 0.5).sum()) >= LEAST_DAYS and float(load[known].max()) > 0

"""Tokens of logs and metrics side by side, by model and day: whether both tell the same traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.reading.layers import model_key

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WHOLE", "Volumes"]

WHOLE: Final = 0.999
"""Of a day, from which on a log knows it whole."""

_TOKENS: Final = ["input", "cache_read", "cache_write", "output"]
_SAME: Final = 0.2
"""Volumes that differ by no more than this share of the larger, summed over days, are the same: as
between metrics of two layers."""


class Volumes:
    """Tokens by profile, model and day.

    Parameters
    ----------
    table
        The table of usage, of all logs and metrics.
    covered
        Share of each day that a profile knows: ``day``, ``profile``, ``coverage``.
    """

    def __init__(self, table: pd.DataFrame, covered: pd.DataFrame) -> None:
        import pandas as pd

        days = np.unique(np.concatenate([table["day"].to_numpy(), covered["day"].to_numpy()]))
        self.profiles = [str(p) for p in pd.unique(table["profile"].astype(str))]
        self._profile = pd.Categorical(table["profile"].astype(str), self.profiles).codes
        names = table["model"].astype(str).map(model_key)
        self._model, models = pd.factorize(names)
        self._models = [str(m) for m in models]
        self._day = np.searchsorted(days, table["day"].to_numpy())
        shape = (len(self.profiles), len(self._models), len(days))
        tokens = np.nan_to_num(table[_TOKENS].to_numpy(np.float64)).sum(axis=1)
        cells = np.ravel_multi_index((self._profile, self._model, self._day), shape)
        self._cube = np.bincount(cells, tokens, int(np.prod(shape))).reshape(shape)
        self._covered = np.zeros((len(self.profiles), len(days)))
        told = covered[covered["profile"].astype(str).isin(self.profiles)]
        place = pd.Categorical(told["profile"].astype(str), self.profiles).codes
        day = np.searchsorted(days, told["day"].to_numpy())
        self._covered[place, day] = told["coverage"].to_numpy(np.float64)

    def of(self, profile: str, model: str) -> Floats:
        """Tokens by day: float64, shape (days,)."""
        found: Floats = self._cube[self.profiles.index(profile), self._models.index(model)]
        return found

    def whole(self, profile: str) -> Bools:
        """Days that a profile knows whole: shape (days,)."""
        found: Bools = self._covered[self.profiles.index(profile)] >= WHOLE
        return found

    def shared(self, one: str, other: str) -> list[str]:
        """Models that both tell of on one day at least, but for those without a name."""
        return [
            m for m in self._models if m and np.minimum(self.of(one, m), self.of(other, m)).any()
        ]

    def compare(self, log: str, other: str, model: str) -> tuple[bool, Bools]:
        """Whether both tell the same traffic, and on which days both look."""
        known = [self._covered[self.profiles.index(p)] > 0 for p in (log, other)]
        days: Bools = known[0] & known[1]
        inner = days & self.whole(log)
        tested = inner if inner.any() else days
        own, theirs = self.of(log, model)[tested], self.of(other, model)[tested]
        apart, larger = np.abs(own - theirs).sum(), np.maximum(own, theirs).sum()
        return bool(larger > 0 and apart <= _SAME * larger), days

    def both(self, one: str, other: str, model: str) -> tuple[float, float, float]:
        """Tokens of each on days that both tell of, and how many may be the same."""
        a, b = self.of(one, model), self.of(other, model)
        days = (a > 0) & (b > 0)
        return float(a[days].sum()), float(b[days].sum()), float(np.minimum(a, b).sum())

    def rows(self, profile: str, model: str, days: Bools) -> Bools:
        """Which rows are of a profile, a model and some days: shape (rows,)."""
        place, number = self.profiles.index(profile), self._models.index(model)
        found: Bools = (self._profile == place) & (self._model == number) & days[self._day]
        return found

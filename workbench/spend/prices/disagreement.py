"""The gateway's own cost beside ours: how far apart, and why.

Each explanation is a figure that the gateway would have come to with one known mistake, or with one
known difference; it is given where its own figure is that within a hundredth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.priced import Explanation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain"]

Floats = npt.NDArray[np.float64]

_NEAR: Final = 0.01
"""Two figures agree within a hundredth …"""
_SMALL: Final = 1e4
"""… or within a thousandth of a cent, in nano-units: what gateways round away."""
_STEADY: Final = 3
"""Rows of a model that must have the same ratio before it is called a price."""


def explain(
    usage: pd.DataFrame,
    rows: pd.DataFrame,
    alternatives: Callable[[], Mapping[Explanation, tuple[Floats, Floats]]],
    own_currency: Mapping[str, str],
) -> pd.DataFrame:
    """Say why the source's own cost differs.

    Parameters
    ----------
    usage
        The table, with ``cost``.
    rows
        With ``amount``, ``currency`` and ``unpriced``.
    alternatives
        Gives what each mistake would have come to, low and high, in nano-units, shape (rows,); asked
        only where a source has a cost of its own.
    own_currency
        By profile; USD where not named.

    Returns
    -------
    DataFrame
        With the index of `rows`: ``own`` in nano-units (NaN where the source gives none) and
        ``explanation``, a categorical of `Explanation`.
    """
    import pandas as pd

    own = usage["cost"].to_numpy(np.float64) * 1e9
    ours = rows["amount"].to_numpy(np.float64, na_value=np.nan)
    told = ~np.isnan(own) & ~np.isnan(ours)
    code = np.zeros(len(rows), np.intp)
    texts = list(Explanation)
    if told.any():
        foreign = _currencies(usage["profile"], own_currency) != rows["currency"].to_numpy(object)
        choices = [
            (~told, Explanation.NONE),
            (foreign, Explanation.CURRENCY),
            (_near(own, ours), Explanation.AGREES),
            (own == 0, Explanation.NO_PRICE),
            (rows["unpriced"].to_numpy(np.float64) > 0, Explanation.UNPRICED),
            *_mistakes(own, ours, alternatives()),
            (_within_lost(usage, own, ours), Explanation.MISSING),
            (_near(own, ours * 1.1) | _near(own, ours * 0.9), Explanation.REGION),
            (_steady(usage, own, ours), Explanation.PRICE),
        ]
        numbers = [texts.index(name) for _, name in choices]
        code = np.select([c for c, _ in choices], numbers, texts.index(Explanation.UNEXPLAINED))
    explanation = pd.Categorical.from_codes(
        code, categories=pd.Index([str(each) for each in texts], dtype=object)
    )
    return pd.DataFrame({"own": own, "explanation": explanation}, index=rows.index)


def _currencies(profile: pd.Series, own_currency: Mapping[str, str]) -> npt.NDArray[np.object_]:
    held = profile.astype("category").cat
    names = np.array([own_currency.get(str(p), "USD") for p in held.categories] or [""], object)
    chosen: npt.NDArray[np.object_] = names[held.codes.to_numpy()]
    return chosen


def _mistakes(
    own: Floats, ours: Floats, alternatives: Mapping[Explanation, tuple[Floats, Floats]]
) -> list[tuple[npt.NDArray[np.bool_], Explanation]]:
    """Tell where the source's cost is what a mistake would have come to, and that is not ours."""
    found = []
    for name, bounds in alternatives.items():
        lies = [_near(own, bound) & ~_near(bound, ours) for bound in bounds]
        found.append((lies[0] | lies[1], name))
    return found


def _near(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(one - other) <= np.maximum(_NEAR * np.abs(other), _SMALL)
    return near


def _within_lost(usage: pd.DataFrame, own: Floats, ours: Floats) -> npt.NDArray[np.bool_]:
    """Tell whether the tokens that were missed are enough to make up the difference."""
    counted = (
        usage[["input", "cache_read", "cache_write", "output"]].sum(axis=1).to_numpy(np.float64)
    )
    lost = usage["lost"].fillna(0.0).to_numpy(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        most = ours * (1 + lost / counted) * (1 + _NEAR)
    within: npt.NDArray[np.bool_] = (lost > 0) & (own > ours) & (own <= most)
    return within


def _steady(usage: pd.DataFrame, own: Floats, ours: Floats) -> npt.NDArray[np.bool_]:
    """Tell where a model's costs stand in one ratio to ours: another price, not other tokens."""
    import pandas as pd

    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = pd.Series(np.where((ours > 0) & (own > 0), own / ours, np.nan))
    names = ["profile", "provider", "model", "tier"]
    keys = usage.groupby(names, sort=False, observed=True, dropna=False).ngroup().to_numpy()
    grouped = ratio.groupby(keys)
    middle, many = grouped.transform("median"), grouped.transform("count")
    steady = (ratio / middle - 1).abs() <= _NEAR
    share = steady.groupby(keys).transform("mean")
    return np.asarray(steady & (many >= _STEADY) & (share >= 0.5))

"""Takes the difference of an invoice and our table apart, cell by cell, without a remainder.

With B tokens billed at the unit price P, and S seen at the price p, of one class on one day::

    B·P − S·p  =  B·(P − p)  +  (B − S)·p

The first term is price. The second is split further: if all input together (or the output) was billed
k times what we saw, S·(k − 1)·p is volume, and the rest is a class that stands for another: cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.spend.reconciling.cells import Bills, Seen
from workbench.spend.reconciling.days import Cut, shifted

__all__ = ["Parts", "take_apart"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_GROUPS = (slice(0, 3), slice(3, 4))


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of the difference, in nano-units; they add up to billed less ours.

    Attributes
    ----------
    billed, seen
        Tokens on the same days, shape (models, days, classes).
    money, ours
        Likewise in nano-units, `ours` as on the invoice's days.
    price
        By region, shape (regions, models, days, classes).
    volume, split, moved, late, unmeasured
        Shape (models, days, classes): `moved` is what other days make, `late` is not billed yet.
    unit
        Our price of a token, shape as `billed`.
    use
        Days that tell of price, split and volume; shape (models, days).
    """

    billed: Floats
    seen: Floats
    money: Floats
    ours: Floats
    price: Floats
    volume: Floats
    split: Floats
    moved: Floats
    late: Floats
    unmeasured: Floats
    unit: Floats
    use: Bools
    billed_by_region: Floats
    money_by_region: Floats


def take_apart(seen: Seen, bills: Bills, late: Bools, cut: Cut) -> Parts:
    """Take the difference apart.

    Parameters
    ----------
    bills
        On the invoice's own days.
    late
        Days that are not billed yet; shape (models, days).
    """
    here = cut.bills or bills
    by_region, money_by_region = here.tokens[:, :, 1:-1], here.money[:, :, 1:-1]
    billed, money = by_region.sum(axis=0), money_by_region.sum(axis=0)
    tokens, ours = seen.inside(seen.tokens), seen.inside(seen.money)
    moved = bills.money.sum(axis=0)[:, 1:-1] - money
    if cut.part and cut.bills is None:
        there = shifted(seen.money, cut.part)
        moved = np.where(late[..., None], 0.0, there - ours)
        tokens, ours = shifted(seen.tokens, cut.part), np.where(late[..., None], ours, there)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = np.where(tokens > 0, ours / tokens, seen.inside(seen.price))
    unit = np.nan_to_num(unit)
    difference = money - ours
    use = ~late & seen.measured
    rest = np.where(use[..., None], difference, 0.0)
    price = np.where(use[..., None], money_by_region - by_region * unit, 0.0)
    quantity = rest - price.sum(axis=0)
    volume = np.zeros_like(quantity)
    for group in _GROUPS:
        whole, all_seen = (x[..., group].sum(axis=-1, keepdims=True) for x in (billed, tokens))
        with np.errstate(invalid="ignore", divide="ignore"):
            grown = tokens[..., group] * (whole / all_seen - 1) * unit[..., group]
        volume[..., group] = np.where(all_seen > 0, grown, quantity[..., group])
    volume = np.where(use[..., None], volume, 0.0)
    split = quantity - volume
    if cut.part:
        volume, moved = _edges(volume, moved)
    waiting = np.where((late & seen.measured)[..., None], difference, 0.0)
    unmeasured = np.where(seen.measured[None, :, None], 0.0, difference)
    return Parts(
        billed, tokens, money, ours, price, volume, split, moved, waiting, unmeasured, unit, use,
        by_region, money_by_region,
    )  # fmt: skip


def _edges(volume: Floats, moved: Floats) -> tuple[Floats, Floats]:
    """On the first and last day what is missing or too much belongs to days outside the period."""
    volume, moved = volume.copy(), moved.copy()
    for day in (0, -1):
        moved[:, day] += volume[:, day]
        volume[:, day] = 0.0
    return volume, moved

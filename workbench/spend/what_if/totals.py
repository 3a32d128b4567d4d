"""Adds rows up to what a switch costs and saves, by currency and by group of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.samples import Floats
from workbench.spend.prices import Priced, as_floats
from workbench.spend.what_if.moving import Costs, Doubt
from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.result import GROUP_FIGURES, Move, Outcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "add_up"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one model that is left, and what the new one would have cost."""

    rows: npt.NDArray[np.intp]
    move: Move
    costs: Costs


def add_up(
    priced: Priced, parts: Sequence[Part], share: float, by: Sequence[str]
) -> Iterator[Outcome]:
    """Add up by currency, and apart what has no cost of its own to compare with.

    Parameters
    ----------
    priced
        What the usage did cost.
    parts
        What it would have cost, model by model.
    share
        How much of the traffic moves; the rest goes on as it is.
    by
        Dimensions of the groups.
    """
    rows = np.concatenate([p.rows for p in parts])
    now = priced.rows.iloc[rows]
    own = now["currency"].astype(object).to_numpy()
    currency = np.concatenate([p.costs.currency for p in parts])
    some = np.isfinite(np.concatenate([p.costs.expected for p in parts]))
    comparable = now["amount"].notna().to_numpy(bool) & (own == currency)
    for name in dict.fromkeys(currency[some]):
        mine = some & (currency == name)
        for alike in (True, False):
            where = mine & (comparable if alike else ~comparable)
            if where.any():
                yield _Sum(priced, parts, rows, where, share, alike).outcome(str(name), by)


@dataclass(frozen=True, eq=False)
class _Sum:
    """Some rows of all parts, which have one currency; `alike` tells whether now's cost has it too."""

    priced: Priced
    parts: Sequence[Part]
    rows: npt.NDArray[np.intp]
    where: Bools
    share: float
    alike: bool

    def _joined(self, values: Iterable[Floats]) -> Floats:
        """Arrays of all parts as one, with the rows that are meant."""
        found: Floats = np.concatenate(list(values))[self.where]
        return found

    def outcome(self, currency: str, by: Sequence[str]) -> Outcome:
        """Say what they would have cost, and what that saves where it can be compared."""
        alike, columns = self.alike, self._columns()
        sums = {n: float(v.sum()) for n, v in columns.items()}
        length = self._joined(
            np.full(len(p.rows), p.move.factors.output.expected) for p in self.parts
        )
        output = [self._joined(p.costs.output[i] for p in self.parts) for i in range(3)]
        total = [self._joined(p.costs.total[i] for p in self.parts) for i in range(3)]
        weights = output[1] if output[1].sum() > 0 else None
        return Outcome(
            currency,
            _range(sums, "now") if alike else None,
            _range(sums, "then"),
            _range(sums, "saving") if alike else None,
            self._doubts(),
            _break_even(sums["now"], output, total, length) if alike else None,
            float(np.average(length, weights=weights)),
            self._groups(columns, by),
        )

    def _columns(self) -> dict[str, Floats]:
        """The figures of `GROUP_FIGURES`, row by row."""
        share = self.share
        table = self.priced.rows.iloc[self.rows[self.where]]
        low, now, high = (
            as_floats(table[n]) if self.alike else np.zeros(len(table))
            for n in ("low", "amount", "high")
        )
        names = ("low", "expected", "high")
        least, then, most = (self._joined(getattr(p.costs, n) for p in self.parts) for n in names)
        return {
            "now": now,
            "now_low": low,
            "now_high": high,
            "then": (1 - share) * now + share * then,
            "then_low": (1 - share) * low + share * least,
            "then_high": (1 - share) * high + share * most,
            "saving": share * (now - then),
            "saving_low": share * (low - most),
            "saving_high": share * (high - least),
        }

    def _doubts(self) -> Mapping[Doubt, tuple[float, float]]:
        found = {}
        for doubt in Doubt:
            down, up = (
                self.share * float(self._joined(p.costs.doubts[doubt][i] for p in self.parts).sum())
                for i in (0, 1)
            )
            found[doubt] = (down, up)
        return found

    def _groups(self, columns: Mapping[str, Floats], by: Sequence[str]) -> pd.DataFrame:
        keys = self.priced.usage[list(by)].iloc[self.rows[self.where]].astype(object)
        frame = keys.reset_index(drop=True).assign(**{n: columns[n] for n in GROUP_FIGURES})
        if by:
            frame = frame.groupby(list(by), sort=False, dropna=False).sum().reset_index()
        else:
            frame = frame.sum().to_frame().T.astype(np.float64)
        if not self.alike:
            frame[[n for n in GROUP_FIGURES if not n.startswith("then")]] = np.nan
        order = "saving" if self.alike else "then"
        return frame.sort_values(order, ascending=False, kind="stable").reset_index(drop=True)


def _range(sums: Mapping[str, float], name: str) -> Range:
    """Bounds of a sum; a rounding of floats must not turn them."""
    middle = sums[name]
    return Range(min(sums[f"{name}_low"], middle), middle, max(sums[f"{name}_high"], middle))


def _break_even(
    now: float, output: Sequence[Floats], total: Sequence[Floats], length: Floats
) -> Range | None:
    """Find the length of answers at which both cost the same.

    With o the output's cost for answers as long as now, and r the cost of the rest, it is
    (now − r) ÷ o: once as expected, and with tokenizer and cache at their best and their worst. The
    share that moves is on both sides.
    """
    found = []
    for money, whole in zip(output, total, strict=True):
        each = float((money / length).sum())
        if each <= 0:
            return None
        found.append(max(0.0, (now - float((whole - money).sum())) / each))
    best, middle, worst = found
    return Range(min(worst, middle), middle, max(best, middle))

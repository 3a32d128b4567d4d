"""What accounts used and paid, summed by application and model, before an event and in it."""

from __future__ import annotations

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.changes.accounts import Ledger
from workbench.spend.changes.causes import CLASSES, Quantities
from workbench.spend.prices import as_floats

__all__ = ["compared"]


def compared(
    ledger: Ledger, rows: Bools, event: Bools, usual: Bools, factor: float
) -> tuple[Quantities, Quantities]:
    """Sum up some rows of a ledger as expected and as they were.

    Parameters
    ----------
    ledger
        The usage.
    rows
        Of the accounts in question, shape (rows,).
    event, usual
        Days of the event, and days that tell what was usual, shape (days,).
    factor
        How much of what was used on the usual days was to be expected in the event.
    """
    numbers, cell = np.unique(ledger.group[rows], return_inverse=True)
    application = np.unique(ledger.application[numbers], return_inverse=True)[1]
    usage, money = ledger.usage[rows], ledger.money[rows]
    tokens = [usage["requests" if n == "request" else n].fillna(0.0) for n in CLASSES]
    used = np.column_stack([t.to_numpy(np.float64) for t in tokens])
    paid = np.column_stack([as_floats(money[n]) for n in CLASSES])
    day = ledger.day[rows]
    before, after = (
        Quantities(
            _sums(used[days[day]], cell[days[day]], len(numbers)),
            _sums(paid[days[day]], cell[days[day]], len(numbers)),
            application,
            float(event.sum()),
        )
        for days in (usual, event)
    )
    return before.scaled(factor), after


def _sums(values: Floats, cell: Ints, count: int) -> Floats:
    """Sums of rows by cell, shape (cells, classes)."""
    sums = [np.bincount(cell, column, count) for column in values.T]
    return np.column_stack(sums).astype(np.float64)

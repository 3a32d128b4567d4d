"""An invoice held against the days that were read: what it explains, and which days it lacks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.findings import Finding
from workbench.spend.invoices import Invoice
from workbench.spend.prices import Priced
from workbench.spend.reconciling.conclusions import conclude_reconciliation
from workbench.spend.reconciling.gaps import GapKind, Reconciliation, Tolerances
from workbench.spend.reconciling.reconciliation import reconcile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reconciled", "advice", "explained", "reconcile_history"]


@dataclass(frozen=True, slots=True, eq=False)
class Reconciled:
    """Invoices beside our table.

    Parameters
    ----------
    parts
        A reconciliation for each currency, the greatest bill first.
    names
        Of the files.
    mappings
        Which mapping each was read by.
    zone
        Whose midnights part our days.
    missing
        Days of the invoices of which our table knows too little.
    notes
        What a reader must know of the invoices.
    findings
        The gaps, worst first, with what to do.
    """

    parts: tuple[Reconciliation, ...]
    names: tuple[str, ...]
    mappings: tuple[str, ...]
    zone: str
    missing: tuple[date, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_table(self) -> pd.DataFrame:
        """Give the gaps of all currencies: ``currency``, then the columns of `Reconciliation.table`."""
        import pandas as pd

        tables = [part.table() for part in self.parts]
        for part, table in zip(self.parts, tables, strict=True):
            table.insert(0, "currency", part.currency)
        return pd.concat(tables, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; money is text."""
        return {
            "files": list(self.names),
            "mappings": list(self.mappings),
            "timezone": self.zone,
            "missing_days": [day.isoformat() for day in self.missing],
            "notes": list(self.notes),
            "reconciliations": [{**part.to_dict(), "cells": _cells(part)} for part in self.parts],
        }


def _cells(part: Reconciliation) -> list[dict[str, Any]]:
    rows = part.cells.to_dict("records")
    return [{str(k): _plain(v) for k, v in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if hasattr(value, "date"):
        return value.date().isoformat()
    return round(value, 9) if isinstance(value, float) else value


def reconcile_history(
    history: Priced,
    seen: Collection[date],
    invoice: Invoice,
    *,
    zone: str = "UTC",
    mappings: Sequence[str] = (),
    until: date | None = None,
    tolerances: Tolerances | None = None,
    day_shape: Sequence[float] = (),
) -> Reconciled:
    """Hold invoices against all days that were read.

    Parameters
    ----------
    history
        Our table with its prices: the invoice's days, best with one more on either side.
    seen
        Days of which it knows enough.
    invoice
        Of one provider or several, as `workbench.spend.invoices.join_invoices` makes one of files.
    zone
        Whose midnights part our days.
    mappings
        Names of what the files were read by.
    until
        The last day that the invoice is of: days up to it that it lacks are not billed yet. By
        default the end of its last month, or as far as our table goes.
    tolerances, day_shape
        As of `workbench.spend.reconciling.reconciliation.reconcile`.

    Raises
    ------
    InputError
        The history has none of the invoice's days: the mend names those that are needed.
    BadRowsError
        The invoice has no usage, or our table is empty.
    """
    first, after = invoice.period
    if until is not None and until < first:
        what = f"until is {until}, before the invoice begins on {first}"
        raise InputError(what, "give its last day")
    days = [first + timedelta(days=n) for n in range((after - first).days)]
    missing = tuple(day for day in days if day not in seen)
    if len(missing) == len(days):
        told = f"{min(seen)} to {max(seen)}" if seen else "no day"
        what = (
            f"the invoice is of {first} to {after - timedelta(days=1)}, but the history has {told}"
        )
        raise InputError(what, advice(invoice, max(seen, default=after)))
    parts = reconcile(
        history, invoice, period=(first, until + timedelta(days=1)) if until else None,
        tolerances=tolerances or Tolerances(), day_shape=day_shape,
    )  # fmt: skip
    findings = conclude_reconciliation(parts, missing, advice(invoice, max(seen)))
    return Reconciled(
        parts, invoice.names, tuple(dict.fromkeys(mappings)), zone, missing, invoice.notes,
        tuple(findings),
    )  # fmt: skip


def advice(invoice: Invoice, last: date) -> str:
    """Say how long a history holds the days of an invoice, and one more on either side.

    Parameters
    ----------
    last
        The last day of the history.
    """
    first, after = invoice.period
    start = first - timedelta(days=1)
    if last < after - timedelta(days=1) or last > after + timedelta(days=90):
        end = after + timedelta(days=1)
        return f'give end="{end}" and history="{(end - start).days}d"'
    return f'give history="{(last - start).days + 1}d"'


def explained(part: Reconciliation) -> tuple[Decimal, Decimal]:
    """Give how much of the difference has a cause, and what remains."""
    rest = part.of(GapKind.TOLERANCE)
    return part.difference - rest, rest

"""The reconciliation study: invoices read, held against a spend study's history, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import InputError
from workbench.session.audit_names import split_names
from workbench.session.spend.request import parse_day
from workbench.session.study import Study
from workbench.spend.invoices import Invoice, choose_mapping, join_invoices, read_invoice
from workbench.spend.reconciling.verdict import Reconciled, reconcile_history

if TYPE_CHECKING:
    from datetime import date

    from workbench.findings import Provenance
    from workbench.spend.reconciling.gaps import Tolerances
    from workbench.spend.result import SpendResult
    from workbench.views.listing import Listing

__all__ = ["ReconciledStudy", "load_invoices", "reconcile_study"]

_SEEN: Final = 0.5
"""A day of which less was seen cannot be compared."""


class ReconciledStudy(Study):
    """Invoices beside what was seen.

    Parameters
    ----------
    result
        Of `workbench.spend.reconciling.verdict.reconcile_history`.
    provenance
        Where our figures come from.
    """

    result: Reconciled

    def __init__(self, result: Reconciled, provenance: Iterable[Provenance]) -> None:
        from workbench.views.spend_reconciled import gaps_table, waterfall_chart

        super().__init__(
            "spend-reconciled", result, provenance, table=gaps_table, chart=waterfall_chart
        )

    @property
    def gaps(self) -> Listing:
        """Each gap with its cause and what to do, greatest first."""
        from workbench.views.spend_reconciled import gaps_listing

        return gaps_listing(self.result)

    @property
    def bills(self) -> Listing:
        """Billed and seen, how much of the difference is explained, and what remains."""
        from workbench.views.spend_reconciled import bills_listing

        return bills_listing(self.result)

    @property
    def cells(self) -> Listing:
        """Billed beside seen by day, model and token class, the greatest difference first."""
        from workbench.views.spend_reconciled import cells_listing

        return cells_listing(self.result)


def reconcile_study(
    result: SpendResult,
    invoices: str | Path | Iterable[str | Path],
    mapping: str | Path = "",
    *,
    provenance: Iterable[Provenance] = (),
    until: str | date | None = None,
    tolerances: Tolerances | None = None,
    day_shape: Sequence[float] = (),
) -> ReconciledStudy:
    """Hold invoices against a spend study.

    Parameters
    ----------
    result
        Of a spend study whose history has the invoice's days and one more on either side.
    invoices
        Files: a list, the oldest export first, or text with spaces between names.
    mapping
        ``openai``, ``anthropic``, ``aws_bedrock``, ``azure``, ``google_vertex``, a file of one's
        own, or ``""`` to go by each file's header.
    provenance
        Of the spend study.
    until
        The last day that the invoices are of, where they end within a month; text such as
        ``"2026-05-12"`` too.
    tolerances, day_shape
        As of `workbench.spend.reconciling.reconciliation.reconcile`.

    Raises
    ------
    InputError
        A file cannot be read, its header tells no mapping, or the history has none of its days.
    SettingsError
        There is no such mapping.
    BadRowsError
        A line cannot be read: the message names it.
    """
    invoice, mappings = load_invoices(invoices, mapping)
    found = reconcile_history(
        result.history, _seen(result), invoice, zone=result.zone, mappings=mappings,
        until=parse_day(until) if until else None, tolerances=tolerances, day_shape=day_shape,
    )  # fmt: skip
    return ReconciledStudy(found, provenance)


def load_invoices(
    invoices: str | Path | Iterable[str | Path], mapping: str | Path = ""
) -> tuple[Invoice, tuple[str, ...]]:
    """Read files as one invoice, and say by which mapping each was read.

    Raises
    ------
    InputError, SettingsError, BadRowsError
        As of `reconcile_study`.
    """
    paths = [Path(name) for name in split_names(invoices)]
    if not paths:
        msg = "no invoice is given"
        raise InputError(msg, "give a CSV that the provider exports")
    read, names = [], []
    for path in paths:
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            msg = f"the invoice {str(path)!r} cannot be read ({why})"
            raise InputError(msg, "check the path and its permissions") from None
        chosen = choose_mapping(mapping, data, path.name)
        read.append(read_invoice(data, chosen, name=path.name))
        names.append(chosen.name)
    return join_invoices(read), tuple(names)


def _seen(result: SpendResult) -> set[date]:
    best = result.reading.coverage.groupby("day")["coverage"].max()
    days = best.index.to_numpy().astype("datetime64[D]")
    return set(days[best.to_numpy() >= _SEEN].astype(object).tolist())

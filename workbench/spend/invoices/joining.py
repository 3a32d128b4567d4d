"""Several invoices as one, where exports overlap: what two files tell is counted once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from workbench.errors import InputError
from workbench.spend.invoices.lines import Invoice, InvoiceLine

__all__ = ["join_invoices"]

_CENT: Final = Decimal("0.01")

Key = tuple[object, ...]


def join_invoices(invoices: Sequence[Invoice]) -> Invoice:
    """Put invoices together.

    Where two tell the same (account, provider, model, region, tier, class, kind, currency and time),
    the one given later counts: exports of a running month are restated. A note says for how much
    money that was so, and by how much they differ. Accounts are told apart only where the mapping
    has a column for them.

    Parameters
    ----------
    invoices
        The oldest export first.

    Raises
    ------
    InputError
        There is none.

    Examples
    --------
    ``join_invoices([load_invoice(path, mapping) for path in sorted(paths)])``
    """
    if not invoices:
        what = "there is no invoice"
        raise InputError(what, "give at least one")
    kept: list[InvoiceLine] = []
    notes = [note for each in invoices for note in each.notes]
    for number, invoice in enumerate(invoices):
        later = [_sums(each) for each in invoices[number + 1 :]]
        replaced: dict[Key, Decimal] = {}
        for key, amount in _sums(invoice).items():
            other = next((sums[key] for sums in later if key in sums), None)
            if other is not None:
                replaced[key] = other - amount
        kept += [line for line in invoice.lines if _key(line) not in replaced]
        notes += _say(invoice, replaced)
    names = tuple(name for each in invoices for name in each.names)
    return Invoice(tuple(kept), names, tuple(notes))


def _key(line: InvoiceLine) -> Key:
    account = (line.account, line.provider, line.model, line.region, line.tier, line.token_class)
    what = "" if line.model else line.description
    return (*account, what, line.kind, line.currency, line.start, line.days, line.at)


def _sums(invoice: Invoice) -> dict[Key, Decimal]:
    sums: dict[Key, Decimal] = {}
    for line in invoice.lines:
        key = _key(line)
        sums[key] = sums.get(key, Decimal(0)) + line.amount
    return sums


def _say(invoice: Invoice, replaced: dict[Key, Decimal]) -> list[str]:
    if not replaced:
        return []
    money: dict[str, Decimal] = {}
    for line in invoice.lines:
        if _key(line) in replaced:
            money[line.currency] = money.get(line.currency, Decimal(0)) + line.amount
    shown = ", ".join(f"{amount:,} {currency}" for currency, amount in sorted(money.items()))
    name = " and ".join(invoice.names)
    text = f"{name} overlaps a later file: {len(replaced)} of its items ({shown}) are counted once"
    restated = [change for change in replaced.values() if abs(change) >= _CENT]
    if restated:
        text += (
            f"; {len(restated)} of them are restated, by {sum(restated, Decimal(0)):+,} together"
        )
    return [text]

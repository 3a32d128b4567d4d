"""Reconciles a provider's invoice with our priced table, and says why they differ.

Both are laid over each other by day, model and token class, and the difference is taken apart without
a remainder: what days make, what prices make, what volumes make, and what a class makes that stands
for another. Each part is then given its cause. The order matters: days are brought together first,
since a day that is cut elsewhere looks like missing tokens on one day and strange ones on the next.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import BadRowsError
from workbench.spend.invoices import Invoice, InvoiceLine, LineKind
from workbench.spend.prices import NANO, Catalogue, Priced, bundled, exact_or_none
from workbench.spend.reconciling.causes import Found, find_causes
from workbench.spend.reconciling.cells import CLASSES, Bills, Seen, cut_bills, look_at_table
from workbench.spend.reconciling.days import delayed_days, find_cut
from workbench.spend.reconciling.gaps import Gap, GapKind, Reconciliation, Tolerances
from workbench.spend.reconciling.models import ModelNames
from workbench.spend.reconciling.parts import take_apart
from workbench.units import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["reconcile"]

_FLAT: Final = {
    LineKind.TAX: GapKind.TAX,
    LineKind.CREDIT: GapKind.CREDIT,
    LineKind.REFUND: GapKind.CREDIT,
    LineKind.OTHER: GapKind.OTHER,
}
_DEFAULT: Final = Tolerances()


def reconcile(
    priced: Priced,
    invoice: Invoice,
    *,
    catalogue: Catalogue | None = None,
    period: tuple[date, date] | None = None,
    tolerances: Tolerances = _DEFAULT,
    day_shape: Sequence[float] = (),
) -> tuple[Reconciliation, ...]:
    """Compare an invoice with what we saw and priced.

    Parameters
    ----------
    priced
        Our table, best with a day more on either side of the period: it is needed where the invoice
        cuts its days at another hour.
    invoice
        Of one provider or several; only their models are compared.
    catalogue
        For the names of models; the bundled one by default.
    period
        First day, and the day after the last; by default from the invoice's first day to the end of
        its last month, or as far as our table goes.
    tolerances
        What counts as equal.
    day_shape
        Our tokens by hour of our day, 24 values: where the invoice has no hours, they tell how many
        hours a part of a day is. Even by default.

    Returns
    -------
    tuple of Reconciliation
        One for each currency, the greatest bill first: currencies are never added.

    Raises
    ------
    BadRowsError
        The invoice has no usage in the period, or our table is empty.

    Examples
    --------
    ``reconcile(price(usage, Prices()), load_invoice(path, shipped_mapping("openai")))[0].table()``
    """
    if not len(priced.usage):
        what = "our table is empty"
        raise BadRowsError(what, "read usage of the invoice's time first")
    start, end = period or _period(priced, invoice)
    lines = [line for line in invoice.lines if line.end > start and line.start < end]
    totals = replace(invoice, lines=tuple(lines)).totals()
    found = []
    for currency in sorted(totals, key=lambda name: -totals[name]):
        part = [line for line in lines if line.currency == currency]
        if any(line.kind is LineKind.USAGE for line in part):
            names = ModelNames(catalogue or bundled())
            found.append(
                _reconcile(
                    priced, part, names, (start, end), (tolerances, day_shape), invoice.notes
                )
            )
    if not found:
        what = f"the invoice has no usage from {start} to {end}"
        raise BadRowsError(what, "check the period, and the mapping's rules for models and classes")
    return tuple(found)


def _period(priced: Priced, invoice: Invoice) -> tuple[date, date]:
    start, end = invoice.period
    last = end - timedelta(days=1)
    month = last.replace(day=monthrange(last.year, last.month)[1]) + timedelta(days=1)
    ours = priced.usage["day"].max().date() + timedelta(days=1)
    return start, max(end, min(month, ours))


def _reconcile(  # noqa: PLR0917 - each of its own type
    priced: Priced,
    lines: Sequence[InvoiceLine],
    names: ModelNames,
    period: tuple[date, date],
    options: tuple[Tolerances, Sequence[float]],
    notes: tuple[str, ...],
) -> Reconciliation:
    tolerances, day_shape = options
    usage = [line for line in lines if line.kind is LineKind.USAGE]
    providers = _providers(usage, names)
    for quote in priced.quoted.quotes:
        if quote.identity.provider in providers:
            names.ours(quote.identity.provider, quote.identity.model)
    named = [(line, names.billed(line.provider, line.model)) for line in usage]
    currency = lines[0].currency
    seen, foreign, inside = look_at_table(
        priced, names, [model for _, model in named], providers, currency, period
    )
    bills = cut_bills(named, seen)
    late = delayed_days(seen, bills)
    cut = find_cut(named, seen, bills, late, day_shape)
    parts = take_apart(seen, bills, late, cut)
    billed = sum((line.amount for line in lines), Decimal(0))
    least = float(abs(billed)) * tolerances.money * 1e9
    unknown = frozenset(n for n, model in enumerate(seen.models) if model in names.unknown)
    causes = list(find_causes(seen, bills, parts, cut, unknown, (tolerances, least)))
    ours, low, high = (
        exact_or_none(priced.rows.loc[inside, name]) or Decimal(0)
        for name in ("amount", "low", "high")
    )
    gaps = _gaps(causes, lines, (seen, tolerances.tokens), billed - ours)
    said = [*notes, *names.notes]
    if foreign:
        said.append(f"{foreign} rows of ours are priced in another currency than {currency} and left out")  # fmt: skip
    if bills.implied.any():
        said.append("the invoice counts no tokens for some lines: they are what its money buys at our price")  # fmt: skip
    hours = cut.hours if cut.part else None
    if cut.part and not cut.exact and not len(day_shape):
        said.append("the hours between the invoice's days and ours take our traffic as even over the day; day_shape tells them better")  # fmt: skip
    return Reconciliation(
        currency, billed, ours, low, high, gaps, period[0], period[1] - timedelta(days=1),
        hours, tolerances, _table(seen, bills), tuple(said), priced.version,
    )  # fmt: skip


def _providers(usage: Sequence[InvoiceLine], names: ModelNames) -> frozenset[str]:
    from workbench.spend.prices.identity import provider_id

    told = {line.provider for line in usage}
    return frozenset(provider_id(name, names.catalogue) or name for name in told)


def _gaps(
    causes: Sequence[Found],
    lines: Sequence[InvoiceLine],
    table: tuple[Seen, float],
    difference: Decimal,
) -> tuple[Gap, ...]:
    """Make gaps of causes; what they leave of the difference is within tolerance."""
    gaps = [
        _gap(each, *table) for each in causes if each.kind is not GapKind.TOLERANCE
    ] + _flat(lines)  # fmt: skip
    small = [each.cells for each in causes if each.kind is GapKind.TOLERANCE]
    rest = difference - sum((gap.amount for gap in gaps), Decimal(0))
    gross = Decimal(round(sum(float(np.abs(each).sum()) for each in small))) * NANO
    if rest or gross:
        text = "differences below the tolerances: counting, rounding, noise of days"
        gaps.append(Gap(GapKind.TOLERANCE, "", "", "", rest, max(gross, abs(rest)), 0.0, 0.0,
                        None, None, 0, within_bar=True, evidence=text))  # fmt: skip
    whole = sum((gap.gross for gap in gaps), Decimal(0)) or Decimal(1)
    gaps = [replace(gap, share=float(gap.gross / whole)) for gap in gaps]
    return tuple(sorted(gaps, key=lambda gap: -gap.gross))


def _gap(cause: Found, seen: Seen, tolerance: float) -> Gap:
    m = seen.models.index((cause.provider, cause.model))
    ours = float(seen.inside(seen.money)[m].sum())
    slack = 0.5 + tolerance * ours
    amount = float(cause.cells.sum())
    moved = np.flatnonzero(np.abs(cause.cells).sum(axis=1))
    first, last = (seen.days[moved[n]].astype(object) if len(moved) else None for n in (0, -1))
    doubt = float(seen.high[m] - seen.low[m]) > 1
    bar = doubt and seen.low[m] - ours - slack <= amount <= seen.high[m] - ours + slack
    money, gross = (Decimal(round(x)) * NANO for x in (amount, float(np.abs(cause.cells).sum())))
    return Gap(
        cause.kind, cause.provider, cause.model, cause.token_class, money, gross, 0.0,
        cause.tokens, first, last, len(moved), bool(bar), cause.evidence, cause.numbers,
    )  # fmt: skip


def _flat(lines: Sequence[InvoiceLine]) -> list[Gap]:
    """Taxes, credits and what is not charged by tokens: by provider and kind."""
    groups: dict[tuple[GapKind, str], list[InvoiceLine]] = {}
    for line in lines:
        if line.kind in _FLAT:
            groups.setdefault((_FLAT[line.kind], line.provider), []).append(line)
    gaps = []
    for (kind, provider), found in groups.items():
        amount = sum((line.amount for line in found), Decimal(0))
        gross = sum((abs(line.amount) for line in found), Decimal(0))
        texts = list(dict.fromkeys(line.description[:60] for line in found if line.description))
        where = ", ".join(str(line.line) for line in found[:10])
        text = f"{counted(len(found), 'line')} ({where}{'…' * (len(found) > 10)}): {'; '.join(texts[:5])}"
        gaps.append(Gap(
            kind, provider, "", "", amount, gross, 0.0, 0.0, min(line.start for line in found),
            max(line.end for line in found) - timedelta(days=1), len({e.start for e in found}),
            within_bar=False, evidence=text,
        ))  # fmt: skip
    return gaps


def _table(seen: Seen, bills: Bills) -> pd.DataFrame:
    """Lay cells with anything in them out as rows, on the invoice's own days."""
    import pandas as pd

    tokens, money = (x.sum(axis=0)[:, 1:-1] for x in (bills.tokens, bills.money))
    ours_tokens, ours = seen.inside(seen.tokens), seen.inside(seen.money)
    m, d, c = np.nonzero((money != 0) | (ours_tokens > 0) | (tokens > 0))
    names = np.array(seen.models, object).reshape(-1, 2)
    return pd.DataFrame({
        "day": seen.days[d].astype("datetime64[ms]"), "provider": names[m, 0], "model": names[m, 1],
        "token_class": np.array(CLASSES, object)[c], "billed_tokens": tokens[m, d, c],
        "seen_tokens": ours_tokens[m, d, c], "billed": money[m, d, c] / 1e9,
        "ours": ours[m, d, c] / 1e9,
    })  # fmt: skip

"""How tables of spend write: money, shares, counts, notes, and a sentence in place of a chart.

A figure that is not known is a dash; a minus is a minus sign. Currencies stand behind the amount, and
one that is left empty leaves the amount alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from workbench.spend.prices import cents
from workbench.units import format_quantity

__all__ = [
    "NONE",
    "count_text",
    "money_text",
    "no_chart",
    "sentences",
    "share_text",
    "signed_share",
    "signed_text",
    "small_text",
]

NONE: Final = "–"
"""What stands where nothing is known, or nothing applies."""

_FEW: Final = 9
"""Decimal places at most: prices are exact to the billionth."""


def money_text(amount: Decimal | float | None, currency: str = "") -> str:
    """Money to the cent.

    Examples
    --------
    >>> money_text(1234.5, "USD"), money_text(Decimal("-0.001")), money_text(None, "USD")
    ('1,234.50 USD', '0.00', '–')
    """
    found = _cents(amount)
    return NONE if found is None else _with(f"{found:,}", currency)


def signed_text(amount: Decimal | float | None, currency: str = "") -> str:
    """A difference of money to the cent, with its sign; none where it is nothing.

    Examples
    --------
    >>> signed_text(-1234.5, "USD"), signed_text(3), signed_text(0.001, "USD")
    ('−1,234.50 USD', '+3.00', '0.00 USD')
    """
    found = _cents(amount)
    if found is None:
        return NONE
    return _with(f"{found:+,}" if found else "0.00", currency)


def small_text(amount: Decimal | float | None, currency: str = "", *, figures: int = 3) -> str:
    """The price of one of something: cents, and where they are few as many figures as tell.

    Parameters
    ----------
    amount, currency
        Of one.
    figures
        So many at the least.

    Examples
    --------
    >>> small_text(0.01234, "USD"), small_text(12.5, "USD"), small_text(0.01234, figures=4)
    ('0.0123 USD', '12.50 USD', '0.01234')
    """
    if amount is None or not math.isfinite(amount):
        return NONE
    size, places = abs(float(amount)), 2
    if 0 < size < 100:
        places = max(2, figures - 1 - math.floor(math.log10(size)))
    return _with(f"{amount:,.{min(places, _FEW)}f}", currency)


def share_text(share: float | None) -> str:
    """A share in percent.

    Examples
    --------
    >>> share_text(0.1234), share_text(-0.5), share_text(None)
    ('12.3 %', '−50.0 %', '–')
    """
    return NONE if share is None or math.isnan(share) else _with(f"{share * 100:.1f}", "%")


def signed_share(share: float | None) -> str:
    """A relative change in percent, with its sign; none where it is nothing.

    Examples
    --------
    >>> signed_share(0.1234), signed_share(-0.0001)
    ('+12.3 %', '0.0 %')
    """
    if share is None or math.isnan(share):
        return NONE
    return share_text(0.0) if abs(share) < 0.0005 else _with(f"{share * 100:+.1f}", "%")


def count_text(value: float | None) -> str:
    """A number of tokens or requests, short.

    Examples
    --------
    >>> count_text(1.5e6), count_text(float("nan"))
    ('1.5M', '–')
    """
    return NONE if value is None or math.isnan(value) else format_quantity(value)


def sentences(notes: Iterable[str]) -> str:
    """Notes as sentences, each once.

    Examples
    --------
    >>> sentences(["prices are assumed", "prices are assumed", "days have 24 hours"])
    'Prices are assumed. Days have 24 hours.'
    """
    return " ".join(f"{note[:1].upper()}{note[1:]}." for note in dict.fromkeys(notes))


def no_chart(text: str) -> Any:
    """A sentence in place of a panel of a chart."""
    import altair as alt

    empty = alt.Chart(alt.Data(values=[{"text": text}]))
    return empty.mark_text(align="left").encode(text="text:N")


def _cents(amount: Decimal | float | None) -> Decimal | None:
    if amount is None or not math.isfinite(amount):
        return None
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(float(amount)))
    return cents(exact) + 0  # a negative nothing is nothing


def _with(figure: str, unit: str) -> str:
    return f"{figure} {unit}".rstrip().replace("-", "−")

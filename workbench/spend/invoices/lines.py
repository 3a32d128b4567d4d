"""What an invoice says, line by line, in one form for all providers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Invoice", "InvoiceLine", "LineKind"]


class LineKind(StrEnum):
    """What a line charges for."""

    USAGE = "usage"
    """Tokens."""
    OTHER = "other"
    """Something besides tokens: searches, storage, support, reserved capacity."""
    TAX = "tax"
    CREDIT = "credit"
    """Money taken off that belongs to no tokens: credits, discounts, promotions."""
    REFUND = "refund"
    """Tokens taken back: negative money for usage."""
    TOTAL = "total"
    """A sum of other lines: never added to them."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice.

    Attributes
    ----------
    start, days
        The first day, in the time zone of the mapping, and how many; 1 for parts of a day.
    at
        When the line begins, in UTC, where it is shorter than a day: it allows other days to be cut.
    provider, model, region, tier, account
        As the invoice names them; ``""`` where it does not.
    token_class
        One of `TokenClass`, or ``""``.
    tokens
        None where the invoice counts none.
    amount
        Negative for what is taken off.
    line
        Of the file, from 1.
    """

    start: date
    days: int
    at: datetime | None
    provider: str
    model: str
    region: str
    tier: str
    account: str
    token_class: str
    tokens: Decimal | None
    amount: Decimal
    currency: str
    kind: LineKind
    description: str
    id: str
    line: int

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Invoice:
    """The lines of one or several files.

    Attributes
    ----------
    lines
        In the order of the file; totals and repeated lines are left out.
    names
        The files.
    notes
        What a reader must know: lines that were left out, guesses, totals that do not add up.
    """

    lines: tuple[InvoiceLine, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def totals(self, kinds: Iterable[LineKind] = tuple(LineKind)) -> dict[str, Decimal]:
        """Add up, by currency: currencies are never added to each other.

        Examples
        --------
        ``invoice.totals([LineKind.TAX])``
        """
        wanted = frozenset(kinds)
        sums: dict[str, Decimal] = {}
        for line in self.lines:
            if line.kind in wanted:
                sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.amount
        return dict(sorted(sums.items()))

    @property
    def period(self) -> tuple[date, date]:
        """The first day of any usage and the day after the last; of all lines where none is usage."""
        usage = [each for each in self.lines if each.kind is LineKind.USAGE] or list(self.lines)
        return min(each.start for each in usage), max(each.end for each in usage)

    def table(self) -> pd.DataFrame:
        """Give the lines as a table, money as `Decimal`."""
        import pandas as pd

        fields = InvoiceLine.__slots__
        return pd.DataFrame(
            [[getattr(each, name) for name in fields] for each in self.lines], columns=list(fields)
        )

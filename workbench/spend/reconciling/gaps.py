"""What a reconciliation says: gaps between an invoice and our table, each with its cause and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gap", "GapKind", "Reconciliation", "Tolerances"]


class GapKind(StrEnum):
    """Why an invoice says something else than our table."""

    BYPASS = "traffic past the gateway"
    """More tokens were billed than we saw, at our price."""
    MISSED = "missed by our counting"
    """More tokens were billed than we counted, by what our table itself estimates as lost."""
    UNBILLED = "seen but not billed"
    """We saw tokens that the invoice does not have."""
    PRICE = "price"
    """The unit price is another."""
    REGION = "region"
    """The unit price is a region's."""
    CACHE = "cache"
    """As much input was billed as we saw, but another part of it as cached."""
    TIME_ZONE = "time zone"
    """Days are cut at another hour: differences of days cancel."""
    DELAY = "delay"
    """The invoice does not have the last days yet."""
    UNPRICED = "unpriced here"
    """We saw the tokens, but have no price for them."""
    UNKNOWN_MODEL = "unknown model"
    """Neither the price data nor our table has such a model."""
    UNMEASURED = "days that we did not measure"
    TAX = "tax"
    CREDIT = "credit or refund"
    OTHER = "not charged by tokens"
    BAR = "within our error bar"
    """Our own price is known between bounds only, and the invoice's lies between them."""
    TOLERANCE = "within tolerance"
    """Too small to look for a cause: the tolerances say what that is."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What counts as equal.

    Attributes
    ----------
    tokens
        Share by which sums of tokens of a model may differ.
    price
        Share by which unit prices may differ.
    split
        Share of the input by which the cached part may differ.
    money
        Share of the invoice below which no cause is looked for.
    shifted
        Instead of `tokens` where days were found to be cut at another hour without hourly lines: then
        what we saw on the invoice's days is an estimate.
    """

    tokens: float = 0.005
    price: float = 0.005
    split: float = 0.005
    money: float = 0.0005
    shifted: float = 0.015


@dataclass(frozen=True, slots=True)
class Gap:
    """One cause of a difference.

    Attributes
    ----------
    provider, model, token_class
        Where; ``""`` for all.
    amount
        Invoice less ours. The gaps of a reconciliation add up to its difference exactly.
    gross
        Sum of the absolute differences of days and classes: what a gap moves, even if it cancels.
    share
        Of the `gross` of all gaps.
    tokens
        Billed less seen.
    first, last, days
        When: first and last day concerned, and how many.
    within_bar
        Whether our own error bar of this model is wide enough for it, give or take the tolerance of
        tokens; never where we have no doubt.
    evidence
        A sentence for people.
    numbers
        The figures behind it.
    """

    kind: GapKind
    provider: str
    model: str
    token_class: str
    amount: Decimal
    gross: Decimal
    share: float
    tokens: float
    first: date | None
    last: date | None
    days: int
    within_bar: bool
    evidence: str
    numbers: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """An invoice beside our table, in one currency.

    Attributes
    ----------
    billed
        All of the invoice: usage, taxes and credits.
    ours, low, high
        What we say the same models cost in the same time, and its bounds.
    gaps
        Greatest `gross` first.
    first, last
        The days that were compared.
    offset_hours
        By how much later (negative: earlier) than our days the invoice's begin; None where they agree.
    cells
        By day, model and token class: ``billed_tokens``, ``seen_tokens``, ``billed``, ``ours`` (float).
    notes
        What a reader must know.
    version
        Price data.
    """

    currency: str
    billed: Decimal
    ours: Decimal
    low: Decimal
    high: Decimal
    gaps: tuple[Gap, ...]
    first: date
    last: date
    offset_hours: float | None
    tolerances: Tolerances
    cells: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]
    version: str

    @property
    def difference(self) -> Decimal:
        """Invoice less ours."""
        return self.billed - self.ours

    def of(self, kind: GapKind) -> Decimal:
        """Add up the gaps of one kind.

        Examples
        --------
        ``reconciliation.of(GapKind.BYPASS)``
        """
        return sum((gap.amount for gap in self.gaps if gap.kind is kind), Decimal(0))

    def table(self) -> pd.DataFrame:
        """Give the gaps as a table, greatest first, money as `Decimal`."""
        import pandas as pd

        names = [name for name in Gap.__slots__ if name != "numbers"]
        rows = [[getattr(gap, name) for name in names] for gap in self.gaps]
        return pd.DataFrame(rows, columns=names)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON; money is text."""
        gaps = [
            {name: _plain(getattr(gap, name)) for name in Gap.__slots__} for gap in self.gaps
        ]  # fmt: skip
        names = ("currency", "billed", "ours", "low", "high", "difference", "first", "last")
        told = {name: _plain(getattr(self, name)) for name in names}
        tolerances = {name: getattr(self.tolerances, name) for name in Tolerances.__slots__}
        return {
            "version": 1, **told, "offset_hours": self.offset_hours, "tolerances": tolerances,
            "gaps": gaps, "notes": list(self.notes), "prices": self.version,
        }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value

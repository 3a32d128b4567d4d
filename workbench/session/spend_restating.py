"""The restatement study: a spend study's days at the prices then, and at another day's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.findings import Finding
from workbench.spend.prices import Prices, load_price_book
from workbench.spend.reading.request_sizes import request_sizes
from workbench.spend.restating import Restatement, conclude_restatement, restate

if TYPE_CHECKING:
    from workbench.spend.result import SpendResult
    from workbench.views.listing import Listing

__all__ = ["RestatedStudy", "restate_study"]


@dataclass(frozen=True, slots=True)
class RestatedStudy:
    """A time at two prices.

    Parameters
    ----------
    result
        Of `workbench.spend.restating.restate`.
    findings
        What a reader should know.
    """

    result: Restatement
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> Listing:
        """The same tokens at both prices, the greatest difference first."""
        from workbench.views.spend_restated import restated_listing

        return restated_listing(self.result)

    @property
    def changes(self) -> Listing:
        """Which prices changed between both days."""
        from workbench.views.spend_restated import price_changes_listing

        return price_changes_listing(self.result)

    def to_dict(self) -> Mapping[str, Any]:
        """Everything as JSON: ``kind``, ``findings``, ``result``."""
        findings = [finding.to_dict() for finding in self.findings]
        return {"kind": "spend-restated", "findings": findings, "result": self.result.to_dict()}


def restate_study(
    result: SpendResult,
    prices: str | Path = "",
    *,
    first: date,
    last: date,
    now: date,
    then: date | None = None,
) -> RestatedStudy:
    """Restate days of a spend study's history.

    Parameters
    ----------
    result
        Of a spend study.
    prices
        The price book that it was made with.
    first, last
        The days, both included.
    now
        The day whose prices the second side has.
    then
        The day whose prices the first side has; None for each day's own.

    Raises
    ------
    InputError
        The history has no usage on these days, or they end before they begin.
    """
    days = result.history.usage["day"].dt.date
    if not len(days) or not ((days >= first) & (days <= last)).any():
        told = f"it has {min(days)} to {max(days)}" if len(days) else "it has none"
        msg = f"the history has no usage from {first} to {last}: {told}"
        raise InputError(msg, "give days that the source keeps")
    book = load_price_book(Path(prices)) if prices else None
    found = restate(
        result.history, Prices(book), first=first, last=last, then=then, now=now,
        sizes=request_sizes(result.reading),
    )  # fmt: skip
    return RestatedStudy(found, tuple(conclude_restatement(found)))

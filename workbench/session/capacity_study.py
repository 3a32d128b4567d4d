"""The capacity study as it is read: its tables and its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.capacity import CapacityResult
from workbench.findings import Provenance
from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.views.listing import Listing

__all__ = ["CapacityStudy"]


class CapacityStudy(Study):
    """Capacity with the tables that a reader goes through, one after the other.

    Parameters
    ----------
    result
        Of `workbench.capacity.analyse`.
    provenance
        Where each figure comes from.
    """

    result: CapacityResult

    def __init__(self, result: CapacityResult, provenance: Iterable[Provenance]) -> None:
        from workbench.views.capacity import capacity_chart, capacity_table

        super().__init__("capacity", result, provenance, table=capacity_table, chart=capacity_chart)

    @property
    def services(self) -> Listing:
        """What binds each service first."""
        from workbench.views.capacity_listings import services_listing

        return services_listing(self.result)

    @property
    def changes(self) -> Listing:
        """Level shifts in the history, and what else changed then."""
        from workbench.views.capacity_listings import changes_listing

        return changes_listing(self.result)

    @property
    def backtest(self) -> Listing:
        """How forecasts made from earlier days compare with what came."""
        from workbench.views.capacity_listings import backtest_listing

        return backtest_listing(self.result)

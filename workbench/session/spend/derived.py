"""What a reader asks of a spend study afterwards: another model, other prices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.session.study import Study
from workbench.spend.restating import Restatement, conclude_restatement
from workbench.spend.what_if.findings import conclude_what_if
from workbench.spend.what_if.result import SwitchResult

if TYPE_CHECKING:
    import pandas as pd

    from workbench.findings import Finding, Provenance
    from workbench.views.listing import Listing

__all__ = ["RestatedStudy", "SwitchStudy"]


class SwitchStudy(Study):
    """Another model in place of one that is used."""

    result: SwitchResult

    def __init__(self, result: SwitchResult, provenance: Iterable[Provenance]) -> None:
        from workbench.views.spend_what_if import what_if_chart

        super().__init__(
            "llm-switch", result, provenance, table=_switch_table, chart=what_if_chart,
            findings=tuple(conclude_what_if(result)),
        )  # fmt: skip

    @property
    def outcomes(self) -> Listing:
        """What each model would have cost, and whether that is surely less."""
        from workbench.views.spend_what_if import what_if_listing

        return what_if_listing(self.result)

    @property
    def groups(self) -> Listing:
        """The same by team and application."""
        from workbench.views.spend_what_if import what_if_groups_listing

        return what_if_groups_listing(self.result)

    @property
    def assumptions(self) -> Listing:
        """What is supposed of each model."""
        from workbench.views.spend_what_if import what_if_assumptions_listing

        return what_if_assumptions_listing(self.result)


class RestatedStudy(Study):
    """The same usage at other prices, with what is `unseen` of it."""

    result: Restatement

    def __init__(
        self, result: Restatement, provenance: Iterable[Provenance], unseen: Iterable[Finding] = ()
    ) -> None:
        from workbench.views.spend_text import no_chart

        super().__init__(
            "llm-restated", result, provenance, table=_restated_table,
            chart=lambda _: no_chart("A restatement is a table."),
            findings=(*unseen, *conclude_restatement(result)),
        )  # fmt: skip

    @property
    def spend(self) -> Listing:
        """Then and now by model and token class."""
        from workbench.views.spend_restated import restated_listing

        return restated_listing(self.result)

    @property
    def prices(self) -> Listing:
        """Which prices changed."""
        from workbench.views.spend_restated import price_changes_listing

        return price_changes_listing(self.result)


def _switch_table(result: SwitchResult) -> pd.DataFrame:
    from workbench.views.spend_what_if import what_if_listing

    return what_if_listing(result).frame


def _restated_table(result: Restatement) -> pd.DataFrame:
    from workbench.views.spend_restated import restated_listing

    return restated_listing(result).frame

"""The latency study as it is read: its tables and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from workbench.findings import Provenance
from workbench.latency.result import LatencyResult
from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.views.listing import Listing

__all__ = ["LatencyStudy"]


class LatencyStudy(Study):
    """Latency with the tables and pictures that a reader goes through, one after the other.

    Parameters
    ----------
    result
        Of `workbench.latency.analysis.analyse`.
    provenance
        Where each figure comes from.
    """

    result: LatencyResult

    def __init__(self, result: LatencyResult, provenance: Iterable[Provenance]) -> None:
        from workbench.views.latency import latency_chart
        from workbench.views.latency_table import latency_table

        super().__init__("latency", result, provenance, table=latency_table, chart=latency_chart)

    @property
    def quantiles(self) -> Listing:
        """The rows of `table`: each quantile with its interval and its bucket."""
        from workbench.views.latency_table import quantiles_listing

        return quantiles_listing(self.result)

    @property
    def shares(self) -> Listing:
        """Which share of the requests kept each objective, Apdex, and the mean."""
        from workbench.views.latency_table import shares_listing

        return shares_listing(self.result)

    @property
    def comparisons(self) -> Listing:
        """What changed with each deploy, or between what was compared."""
        from workbench.views.latency_listings import comparisons_listing

        return comparisons_listing(self.result)

    @property
    def tails(self) -> Listing:
        """Which label values make the slow requests."""
        from workbench.views.latency_table import tails_listing

        return tails_listing(self.result)

    @property
    def advice(self) -> Listing:
        """Layouts of buckets: what each costs and how far off its quantiles will be."""
        from workbench.views.latency_listings import advice_listing

        return advice_listing(self.result)

    @property
    def snippets(self) -> Listing:
        """The recommended buckets as code for each client."""
        from workbench.views.latency_listings import snippets_listing

        return snippets_listing(self.result)

    @property
    def exemplars(self) -> Listing:
        """Single slow requests, with links to their traces."""
        from workbench.views.latency_listings import exemplars_listing

        return exemplars_listing(self.result)

    def heatmap(self, group: str | None = None) -> Any:
        """The distribution of one group over time.

        Parameters
        ----------
        group
            Its name as it stands in the tables, or a part that only one has; None for the
            busiest of those that became slower, or of all.

        Raises
        ------
        InputError
            No group, or more than one, has such a name.
        """
        from workbench.views.latency_heatmap import latency_heatmap

        return self._drawn(lambda result: latency_heatmap(result, group))

    def ecdf(self) -> Any:
        """Whole distributions side by side: which share of the requests takes longer than what."""
        from workbench.views.latency_ecdf import latency_ecdf

        return self._drawn(latency_ecdf)

    def change_chart(self) -> Any:
        """How much each quantile changed, with its interval and the verdict."""
        from workbench.views.latency_changes import latency_changes

        return self._drawn(latency_changes)

    def tail_chart(self) -> Any:
        """Each label value's part in the slow requests beside its part in all."""
        from workbench.views.latency_tail import latency_tail

        return self._drawn(latency_tail)

    def bucket_chart(self) -> Any:
        """What each layout of buckets costs, and how far off its quantiles will be."""
        from workbench.views.latency_buckets import latency_buckets

        return self._drawn(latency_buckets)

    def _drawn(self, draw: Callable[[LatencyResult], Any]) -> Any:
        from workbench.views import renderer, theme

        theme.enable()
        renderer.enable()
        return draw(self.result)

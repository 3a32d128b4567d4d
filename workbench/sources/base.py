"""What every source can be asked, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.findings import Provenance, Semantics
from workbench.frame import Frame
from workbench.samples import Labels, MetricMetadata, Samples
from workbench.window import Window

__all__ = ["Answer", "Features", "Source", "SourceInfo"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gave: the data and where it comes from.

    Parameters
    ----------
    data
        A `Frame`; for an instant query of a range selector (``up[5m]``), raw `Samples`.
    provenance
        Query, source, window, warnings.
    """

    data: Frame | Samples
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Features:
    """What a source can do beyond queries; False where it is known that it cannot."""

    metadata: bool = True
    exemplars: bool = True
    targets: bool = True
    tsdb_status: bool = True


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source is.

    Parameters
    ----------
    name
        How reports call it: its URL without secrets.
    product, version
        ``Prometheus``, ``VictoriaMetrics``, ``Mimir`` …; ``""`` where the source does not say.
    semantics
        Whose rules of PromQL its numbers follow.
    """

    name: str
    product: str
    version: str
    semantics: Semantics
    features: Features = field(default_factory=Features)


class Source(Protocol):
    """Something that answers PromQL.

    Every method raises a `SourceError` where the source cannot answer and a `QueryError` where
    the expression is wrong. Matchers are selectors as text: ``{job="api"}``.
    """

    def info(self) -> SourceInfo:
        """What the source is; asked once, then remembered."""
        ...

    def now_ms(self) -> int:
        """The source's own now: the clock of a live server, the end of a snapshot's data."""
        ...

    def query(self, expression: str, at_ms: int) -> Answer:
        """Evaluate at one instant."""
        ...

    def query_range(self, expression: str, window: Window) -> Answer:
        """Evaluate at every step of a window; ``kind`` is always ``matrix``."""
        ...

    def series(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of the series that meet any of the selectors."""
        ...

    def label_names(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
        """Label names, sorted; of all series where there is no selector."""
        ...

    def label_values(
        self, name: str, matchers: Sequence[str], start_ms: int, end_ms: int
    ) -> list[str]:
        """Values of one label, sorted."""
        ...

    def metrics(self) -> list[MetricMetadata]:
        """Every metric family with type, help and unit as far as known, sorted by name."""
        ...

    def exemplars(self, expression: str, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
        """Exemplars of the series in an expression, in the HTTP API's form."""
        ...

    def targets(self) -> list[dict[str, Any]]:
        """Scrape targets that are active, in the HTTP API's form."""
        ...

    def tsdb_status(self, limit: int = 10) -> dict[str, Any]:
        """Head statistics, in the HTTP API's form."""
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...

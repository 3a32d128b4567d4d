"""Raw samples at full speed, past PromQL: Prometheus' remote-read and VictoriaMetrics' export."""

from workbench.sources.prometheus.raw.export import Export
from workbench.sources.prometheus.raw.remote_read import RemoteRead
from workbench.sources.prometheus.raw.samples import Raw

__all__ = ["Export", "Raw", "RemoteRead"]

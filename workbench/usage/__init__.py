"""Which metrics and labels rules, alerts and dashboards use, with proof."""

from workbench.usage.breakage import Breakage, Effect
from workbench.usage.joining import InventoryUsage, MetricSummary, join_inventory
from workbench.usage.loading import load_usage, read_usage
from workbench.usage.mimirtool import (
    grafana_analysis,
    mimirtool_inventory,
    mimirtool_json,
    prometheus_analysis,
    ruler_analysis,
)
from workbench.usage.query import Collection, Kind, Query
from workbench.usage.reading import Certainty, LabelRole, Reading
from workbench.usage.usage import LabelProof, LabelUse, MetricUse, Status, Usage

__all__ = [
    "Breakage",
    "Certainty",
    "Collection",
    "Effect",
    "InventoryUsage",
    "Kind",
    "LabelProof",
    "LabelRole",
    "LabelUse",
    "MetricSummary",
    "MetricUse",
    "Query",
    "Reading",
    "Status",
    "Usage",
    "grafana_analysis",
    "join_inventory",
    "load_usage",
    "mimirtool_inventory",
    "mimirtool_json",
    "prometheus_analysis",
    "read_usage",
    "ruler_analysis",
]

"""Prometheus' relabelling over label sets: what a configuration keeps, drops and merges."""

from workbench.relabelling.aggregation import (
    Aggregation,
    write_recording_rules,
    write_stream_aggregation,
)
from workbench.relabelling.collisions import Collision
from workbench.relabelling.fixes import drop_buckets, drop_label, drop_metrics, rewrite_values
from workbench.relabelling.limits import ScrapeLimits, limits_above, write_limits
from workbench.relabelling.one_series import relabel
from workbench.relabelling.operation import GaugeOperation, likely_operation
from workbench.relabelling.reading import read_rules
from workbench.relabelling.rule import Action, NameScheme, RelabelRule
from workbench.relabelling.tables import MetricChange, Relabelled, relabel_tables
from workbench.relabelling.target import with_target_labels
from workbench.relabelling.writing import quote_yaml, write_rules

__all__ = [
    "Action",
    "Aggregation",
    "Collision",
    "GaugeOperation",
    "MetricChange",
    "NameScheme",
    "RelabelRule",
    "Relabelled",
    "ScrapeLimits",
    "drop_buckets",
    "drop_label",
    "drop_metrics",
    "likely_operation",
    "limits_above",
    "quote_yaml",
    "read_rules",
    "relabel",
    "relabel_tables",
    "rewrite_values",
    "with_target_labels",
    "write_limits",
    "write_recording_rules",
    "write_rules",
    "write_stream_aggregation",
]

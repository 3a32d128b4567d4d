"""Prometheus' relabelling over label sets: what a configuration keeps, drops and merges."""

from workbench.relabelling.collisions import Collision
from workbench.relabelling.limits import ScrapeLimits, limits_above, write_limits
from workbench.relabelling.one_series import relabel
from workbench.relabelling.reading import read_rules
from workbench.relabelling.rule import Action, NameScheme, RelabelRule
from workbench.relabelling.tables import MetricChange, Relabelled, relabel_tables
from workbench.relabelling.writing import quote_yaml, write_rules

__all__ = [
    "Action",
    "Collision",
    "MetricChange",
    "NameScheme",
    "RelabelRule",
    "Relabelled",
    "ScrapeLimits",
    "limits_above",
    "quote_yaml",
    "read_rules",
    "relabel",
    "relabel_tables",
    "write_limits",
    "write_rules",
]

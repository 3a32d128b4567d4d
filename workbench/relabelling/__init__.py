"""Prometheus' relabelling over label sets: what a configuration keeps, drops and merges."""

from workbench.relabelling.collisions import Collision
from workbench.relabelling.one_series import relabel
from workbench.relabelling.rule import Action, NameScheme, RelabelRule
from workbench.relabelling.tables import MetricChange, Relabelled, relabel_tables

__all__ = [
    "Action",
    "Collision",
    "MetricChange",
    "NameScheme",
    "RelabelRule",
    "Relabelled",
    "relabel",
    "relabel_tables",
]

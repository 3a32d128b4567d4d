"""Which metrics there are, with their labels and values, as far as code, text or a server tells."""

from workbench.findings import Place
from workbench.inventory.declared import CallSite, DeclaredMetric
from workbench.inventory.inventory import Inventory, UnreadLine
from workbench.inventory.joining import join_inventories, reshape
from workbench.inventory.label_values import Bound, LabelValues
from workbench.inventory.observed import ObservedMetric, family_name
from workbench.inventory.table import LabelTable

__all__ = [
    "Bound",
    "CallSite",
    "DeclaredMetric",
    "Inventory",
    "LabelTable",
    "LabelValues",
    "ObservedMetric",
    "Place",
    "UnreadLine",
    "family_name",
    "join_inventories",
    "reshape",
]

"""What is used at a given load: a relation with its intervals, within and beyond what was seen."""

from workbench.statistics.regression.breaks import last_break
from workbench.statistics.regression.curves import Curves, Shape
from workbench.statistics.regression.fitting import LEAST_DAYS, fit_relation
from workbench.statistics.regression.folding import fold_days
from workbench.statistics.regression.heldout import HeldOut, hold_out
from workbench.statistics.regression.relation import Relation

__all__ = [
    "LEAST_DAYS",
    "Curves",
    "HeldOut",
    "Relation",
    "Shape",
    "fit_relation",
    "fold_days",
    "hold_out",
    "last_break",
]

"""Service level objectives: what is promised, what is left of the error budget, and until when."""

from workbench.slo.files import Objectives, Remark, load_objectives
from workbench.slo.indicator import Availability, Latency, Query
from workbench.slo.objective import Alert, Alerting, Indicator, Objective
from workbench.slo.pairs import BurnPair, burn_pairs
from workbench.slo.slices import Threshold, Timeslices

__all__ = [
    "Alert",
    "Alerting",
    "Availability",
    "BurnPair",
    "Indicator",
    "Latency",
    "Objective",
    "Objectives",
    "Query",
    "Remark",
    "Threshold",
    "Timeslices",
    "burn_pairs",
    "load_objectives",
]

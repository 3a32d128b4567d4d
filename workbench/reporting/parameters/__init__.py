"""The parameters of each report as typed models, which its notebook's `parameters` cell repeats."""

from workbench.reporting.parameters.base import Parameters
from workbench.reporting.parameters.capacity import CapacityParameters
from workbench.reporting.parameters.cardinality import CardinalityParameters
from workbench.reporting.parameters.latency import LatencyParameters
from workbench.reporting.parameters.rightsizing import RightsizingParameters
from workbench.reporting.parameters.slo import SloParameters
from workbench.reporting.parameters.spend import SpendParameters

__all__ = [
    "CapacityParameters",
    "CardinalityParameters",
    "LatencyParameters",
    "Parameters",
    "RightsizingParameters",
    "SloParameters",
    "SpendParameters",
]

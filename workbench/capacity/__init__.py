"""Capacity: when will it be full, how sure are we, and what to do by when."""

from workbench.capacity.analysis import analyse, check_horizon
from workbench.capacity.binding import Binding
from workbench.capacity.coincidence import Event, Moment
from workbench.capacity.coverage import SetFit, coverage_finding, fit_sets
from workbench.capacity.lead_time import OrderBy
from workbench.capacity.outlook import (
    Change,
    Fan,
    Growth,
    Outlook,
    Saturation,
    Verdict,
)
from workbench.capacity.planning import Discovery, Unusable, discover, questions, usage_key
from workbench.capacity.resource import Resource, ResourceFile
from workbench.capacity.resource_sets import (
    load_resources,
    set_names,
    shipped_resources,
    shipped_sets,
)
from workbench.capacity.result import CapacityResult

__all__ = [
    "Binding",
    "CapacityResult",
    "Change",
    "Discovery",
    "Event",
    "Fan",
    "Growth",
    "Moment",
    "OrderBy",
    "Outlook",
    "Resource",
    "ResourceFile",
    "Saturation",
    "SetFit",
    "Unusable",
    "Verdict",
    "analyse",
    "check_horizon",
    "coverage_finding",
    "discover",
    "fit_sets",
    "load_resources",
    "questions",
    "set_names",
    "shipped_resources",
    "shipped_sets",
    "usage_key",
]

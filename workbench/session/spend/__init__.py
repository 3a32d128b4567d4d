"""The spend study: what is asked of it, what it asks, and how it is read."""

from workbench.session.spend.derived import RestatedStudy, SwitchStudy
from workbench.session.spend.planning import SpendPlan, plan_spend
from workbench.session.spend.request import MONTH, SpendRequest, check_request, parse_day
from workbench.session.spend.running import study_spend
from workbench.session.spend.study import SpendStudy

__all__ = [
    "MONTH",
    "RestatedStudy",
    "SpendPlan",
    "SpendRequest",
    "SpendStudy",
    "SwitchStudy",
    "check_request",
    "parse_day",
    "plan_spend",
    "study_spend",
]

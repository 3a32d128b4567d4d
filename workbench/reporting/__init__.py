"""Reports: a parameterized notebook, run and rendered to one HTML page and one JSON, at its times.

>>> from workbench.reporting import catalogue
>>> sorted(catalogue())
['capacity', 'cardinality', 'latency', 'llm-spend', 'rightsizing', 'slo']
"""

from workbench.reporting.catalogue import ReportKind, catalogue
from workbench.reporting.index import write_index
from workbench.reporting.plan import plan_report
from workbench.reporting.record import ReportRecord, Status
from workbench.reporting.run import ReportRun, run_report
from workbench.reporting.schedule import Schedule, due, load_schedule, next_times
from workbench.reporting.scheduler import ScheduledRun, run_forever, run_once

__all__ = [
    "ReportKind",
    "ReportRecord",
    "ReportRun",
    "Schedule",
    "ScheduledRun",
    "Status",
    "catalogue",
    "due",
    "load_schedule",
    "next_times",
    "plan_report",
    "run_forever",
    "run_once",
    "run_report",
    "write_index",
]

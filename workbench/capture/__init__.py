"""A live source copied into a snapshot: its raw samples, read in the best way that it has.

`planning` lists the series and cuts the work into batches that can be held in memory; `reading`
knows the ways of reading them; `copying` reads a few batches at a time and keeps each beside the
target, where `unfinished` finds it again after an interruption; in the end they are joined.
"""

from workbench.capture.copying import MOST_SAMPLES, PATIENCE_SECONDS, CaptureProgress, capture
from workbench.capture.planning import Batch, CapturePlan, plan
from workbench.capture.reading import Reading, choose_reading

__all__ = [
    "MOST_SAMPLES",
    "PATIENCE_SECONDS",
    "Batch",
    "CapturePlan",
    "CaptureProgress",
    "Reading",
    "capture",
    "choose_reading",
    "plan",
]

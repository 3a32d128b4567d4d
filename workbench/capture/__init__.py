"""A live source copied into a snapshot: raw samples by PromQL range selectors.

Samples are asked for in pieces ``(after, until]``, each an instant query ``selector[until-after]``
at `until`, and whatever a server gives beyond its piece is cut off. So it does not matter whether
its windows include their left end (Prometheus 2) or not (Prometheus 3): pieces join without loss
and without a sample standing twice. Metrics are asked for in batches small enough to be held in
memory, since a snapshot is written series by series.
"""

from workbench.capture.copying import MOST_SAMPLES, CaptureProgress, capture
from workbench.capture.planning import Batch, CapturePlan, plan

__all__ = ["MOST_SAMPLES", "Batch", "CapturePlan", "CaptureProgress", "capture", "plan"]

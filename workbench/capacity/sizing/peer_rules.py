"""The rules of two other recommenders, as they document them, to stand beside ours.

- KRR (Robusta), strategy *simple*: CPU request at the 95th percentile of 336 hours, memory at the
  highest of them and 15 %; at least 100 points.
- The recommender of Kubernetes' Vertical Pod Autoscaler: the 90th percentile of a histogram whose
  weights halve every 24 hours, and 15 %; its bounds are the 50th and 95th, wider with less history.
  For memory the histogram holds the highest of each day.

Both rules are for one container of one pod; the floors under their figures are left out, so that
small containers can be compared too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = [
    "PeerAdvice", "VpaBuckets", "krr_cpu", "krr_memory", "vpa_cpu", "vpa_memory",
]  # fmt: skip

_DAY_MS: Final = 86_400_000
_KRR_MS: Final = 336 * 3_600_000
_KRR_POINTS: Final = 100
_KRR_BUFFER: Final = 1.15
_VPA_MARGIN: Final = 1.15
_VPA_HALF_LIFE_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class PeerAdvice:
    """What another rule would ask for.

    Parameters
    ----------
    target
        The request, in cores or bytes.
    low, high
        The bounds between which it lets a request stand; None where the rule has none.
    """

    target: float
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"target": self.target, "low": self.low, "high": self.high}


def krr_cpu(times_ms: Ints, cores: Floats) -> PeerAdvice | None:
    """KRR's CPU request.

    Parameters
    ----------
    times_ms, cores
        Shape (points,): finite usage, ascending in time.

    Returns
    -------
    PeerAdvice or None
        None with fewer than 100 points.
    """
    recent = cores[times_ms > times_ms[-1] - _KRR_MS] if len(cores) else cores
    if len(recent) < _KRR_POINTS:
        return None
    return PeerAdvice(float(np.percentile(recent, 95)))


def krr_memory(times_ms: Ints, peaks: Floats) -> PeerAdvice | None:
    """KRR's memory request: the highest of 336 hours and 15 %."""
    recent = peaks[times_ms > times_ms[-1] - _KRR_MS] if len(peaks) else peaks
    return PeerAdvice(float(recent.max()) * _KRR_BUFFER) if len(recent) else None


@dataclass(frozen=True, slots=True)
class VpaBuckets:
    """Buckets whose widths grow by 5 %.

    Parameters
    ----------
    first
        The width of the first: 0.01 cores, or 10 MB.
    highest
        Where the last begins at the latest: 1,000 cores, or 1 TB.
    """

    first: float
    highest: float

    def start(self, bucket: int) -> float:
        """Where a bucket begins: the sum of the widths before it."""
        return float(self.first * (1.05**bucket - 1) / 0.05)

    @property
    def last(self) -> int:
        """The number of the last bucket."""
        return math.ceil(math.log(self.highest * 0.05 / self.first + 1, 1.05))

    def find(self, values: Floats) -> Ints:
        """The bucket of each value."""
        number = np.floor(np.log(np.maximum(values, 0.0) * 0.05 / self.first + 1) / np.log(1.05))
        found: Ints = np.clip(number, 0, self.last).astype(np.int64)
        return found

    def percentile(self, values: Floats, weights: Floats, share: float) -> float:
        """The end of the first bucket up to which that share of the weight lies."""
        held = np.cumsum(np.bincount(self.find(values), weights))
        bucket = int(np.searchsorted(held, share * held[-1] * (1 - 1e-12)))
        return self.start(min(bucket + 1, self.last))


_CPU: Final = VpaBuckets(0.01, 1000.0)
_MEMORY: Final = VpaBuckets(1e7, 1e12)


def vpa_cpu(times_ms: Ints, cores: Floats) -> PeerAdvice | None:
    """The Vertical Pod Autoscaler's CPU target and bounds; None without usage."""
    return _vpa(times_ms, cores, _CPU)


def vpa_memory(times_ms: Ints, peaks: Floats) -> PeerAdvice | None:
    """The Vertical Pod Autoscaler's memory target and bounds, from the highest of each day."""
    if not len(peaks):
        return None
    day = (times_ms[-1] - times_ms) // _DAY_MS
    highest = np.full(int(day.max()) + 1, -np.inf)
    np.maximum.at(highest, day, peaks)
    seen = np.flatnonzero(np.isfinite(highest))[::-1]
    return _vpa(times_ms[-1] - seen * _DAY_MS, highest[seen], _MEMORY, times_ms)


def _vpa(
    times_ms: Ints, values: Floats, buckets: VpaBuckets, span_ms: Ints | None = None
) -> PeerAdvice | None:
    if not len(values):
        return None
    weights = 2.0 ** (-(times_ms[-1] - times_ms) / _VPA_HALF_LIFE_MS)
    low, target, high = (
        buckets.percentile(values, weights, share) * _VPA_MARGIN for share in (0.5, 0.9, 0.95)
    )
    span = times_ms if span_ms is None else span_ms
    days = max(float(span[-1] - span[0]) / _DAY_MS, 1 / 1440)
    return PeerAdvice(target, low * (1 + 0.001 / days) ** -2, high * (1 + 1 / days))

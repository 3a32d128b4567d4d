"""Requests counted on a grid: the counters and histograms a gateway would have exposed.

A counter's value at a grid point is the number (or the tokens) of all requests up to and
including that moment. It starts with an explicit 0 one step before its first event, so that
`increase` sees the first step whole, and it runs to the end of the grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.conventions.profile import Profile, ProfileMetric
from workbench.errors import InputError
from workbench.samples import Floats, Ints, Labels, MetricMetadata, MetricType, Series
from workbench.store.importers.request_log import Requests
from workbench.units import format_duration
from workbench.window import format_time

__all__ = ["MOST_SAMPLES", "RequestSeries", "count_requests", "format_bound"]

MOST_SAMPLES: Final = 200_000_000
"""More samples than this are refused: it is a wrong time, a tiny step, or a label of ids."""


def format_bound(bound: float) -> str:
    """Write a bucket's bound as Prometheus 3 stores it in ``le``.

    Examples
    --------
    >>> format_bound(0.5), format_bound(1), format_bound(200000), format_bound(float("inf"))
    ('0.5', '1.0', '200000.0', '+Inf')
    """
    return "+Inf" if bound == float("inf") else repr(float(bound))


@dataclass(frozen=True, slots=True)
class _Counted:
    """One metric's events, by series: those of series `i` stand in `starts[i]:starts[i + 1]`."""

    metric: ProfileMetric
    labels: list[dict[str, str]]
    starts: Ints
    cells: Ints
    weights: Floats

    @property
    def members(self) -> int:
        """Series that one label set makes."""
        return len(self.metric.buckets) + 3 if self.metric.type is MetricType.HISTOGRAM else 1


class RequestSeries:
    """The series of counted requests, made as they are gone through.

    Parameters
    ----------
    counted
        Events of each metric.
    step_ms
        Distance of the grid's points.
    last_cell
        The last point of the grid, in steps since the epoch.
    """

    def __init__(self, counted: list[_Counted], step_ms: int, last_cell: int) -> None:
        self._counted = counted
        self._step_ms = step_ms
        self._last = last_cell

    def __len__(self) -> int:
        """How many series there are."""
        return sum(len(one.labels) * one.members for one in self._counted)

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return sum(
            int((self._last - one.cells[one.starts[:-1]] + 2).sum()) * one.members
            for one in self._counted
        )

    @property
    def metadata(self) -> tuple[MetricMetadata, ...]:
        """Of the metrics that have series."""
        return tuple(one.metric.metadata for one in self._counted)

    def __iter__(self) -> Iterator[Series]:
        for one in self._counted:
            for i, labels in enumerate(one.labels):
                rows = slice(int(one.starts[i]), int(one.starts[i + 1]))
                cells, weights = one.cells[rows], one.weights[rows]
                first = int(cells[0]) - 1
                times = np.arange(first, self._last + 1, dtype=np.int64) * self._step_ms
                if one.metric.type is MetricType.HISTOGRAM:
                    yield from _histogram(one.metric, labels, times, cells - first, weights)
                else:
                    sums: Floats = np.bincount(cells - first, weights, len(times)).cumsum()
                    yield {"__name__": one.metric.name, **labels}, times, sums


def _histogram(
    metric: ProfileMetric, labels: Labels, times: Ints, steps: Ints, values: Floats
) -> Iterator[Series]:
    """The buckets, sum and count of one label set."""
    bounds = np.array(metric.buckets)
    # A bound belongs to its bucket: `le` means less than or equal.
    bucket = np.searchsorted(bounds, values, side="left")
    width = len(bounds) + 1
    cells = np.bincount(steps * width + bucket, minlength=len(times) * width)
    counts = cells.reshape(len(times), width).cumsum(axis=0).cumsum(axis=1).astype(np.float64)
    for i, bound in enumerate((*metric.buckets, float("inf"))):
        names = {"__name__": f"{metric.name}_bucket", **labels, "le": format_bound(bound)}
        yield names, times, np.ascontiguousarray(counts[:, i])
    sums: Floats = np.bincount(steps, values, len(times)).cumsum()
    yield {"__name__": f"{metric.name}_sum", **labels}, times, sums
    yield {"__name__": f"{metric.name}_count", **labels}, times, counts[:, -1].copy()


def count_requests(
    requests: Requests,
    profile: Profile,
    step_ms: int,
    *,
    without: frozenset[str] = frozenset(),
    most_samples: int = MOST_SAMPLES,
) -> RequestSeries:
    """Count requests by the metrics of a profile.

    Parameters
    ----------
    requests
        At least one.
    profile
        The metrics, with the keys of the shipped ``llm_gateway`` profile.
    step_ms
        Distance of the grid's points, above 0.
    without
        Labels that no series is to bear.
    most_samples
        Refuse to make more than this.

    Raises
    ------
    InputError
        There would be too many samples.
    """
    cells = -(-requests.times_ms // step_ms)
    counted = []
    for key, (rows, weights) in _events(requests).items():
        if key in profile.metrics and len(rows):
            metric = profile.metrics[key]
            bears = [name for name in metric.labels if name not in without]
            places, labels = _label_sets(requests, bears)
            groups = places[requests.key_of[rows]]
            counted.append(_sorted(metric, labels, groups, cells[rows], weights))
    series = RequestSeries(counted, step_ms, int(cells.max()))
    if series.rows > most_samples:
        first, last = int(requests.times_ms.min()), int(requests.times_ms.max())
        msg = (
            f"{len(series):,} series every {format_duration(step_ms)} from {format_time(first)} to"
            f" {format_time(last)} would be {series.rows:,} samples"
        )
        raise InputError(
            msg, "take a larger step, leave out a label such as user, or mend the times"
        )
    return series


def _events(requests: Requests) -> Mapping[str, tuple[Ints, Floats]]:
    """By metric: the requests it counts, and by how much."""
    ones = np.ones(len(requests))
    amounts = {
        "input_tokens": requests.input_tokens,
        "cached_input_tokens": requests.cached_tokens,
        "output_tokens": requests.output_tokens,
        "request_duration": requests.duration_seconds,
        "request_input_tokens": requests.input_tokens,
        "request_output_tokens": requests.output_tokens,
    }
    which = {
        "requests": np.ones(len(requests), np.bool_),
        "errors": requests.failed,
        "rate_limited_requests": requests.rate_limited,
        "cache_hits": requests.cache_hit == 1,
        "cache_misses": requests.cache_hit == 0,
    }
    result = {key: (np.flatnonzero(mask), ones[mask]) for key, mask in which.items()}
    for key, column in amounts.items():
        rows = np.flatnonzero(~np.isnan(column))
        result[key] = (rows, column[rows])
    return result


def _label_sets(requests: Requests, bears: Sequence[str]) -> tuple[Ints, list[dict[str, str]]]:
    """The distinct sets of some labels, and the place among them of each of the requests' keys."""
    chosen = [(i, name) for i, name in enumerate(requests.labels) if name in bears]
    places: dict[tuple[str, ...], int] = {}
    keys = (tuple(key[i] for i, _ in chosen) for key in requests.keys)
    codes = np.fromiter(
        (places.setdefault(k, len(places)) for k in keys), np.int64, len(requests.keys)
    )
    names = [name for _, name in chosen]
    sets = [{n: v for n, v in zip(names, key, strict=True) if v} for key in places]
    return codes, sets


def _sorted(
    metric: ProfileMetric,
    labels: list[dict[str, str]],
    groups: Ints,
    cells: Ints,
    weights: Floats,
) -> _Counted:
    """One metric's events sorted by series and time; label sets without an event are left out."""
    order = np.lexsort((cells, groups))
    present, first = np.unique(groups[order], return_index=True)
    starts = np.append(first, len(groups)).astype(np.int64)
    kept = [labels[g] for g in present.tolist()]
    return _Counted(metric, kept, starts, cells[order], weights[order])

"""Python's Prometheus client: metrics, families of custom collectors, and their labels' values."""

from __future__ import annotations

import math
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Member, Spread
from workbench.codescan.language import Use
from workbench.codescan.program import Here
from workbench.inventory import Bound, CallSite, DeclaredMetric, LabelValues, Place
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_TYPES: Final = {
    "Counter": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
    "Summary": MetricType.SUMMARY,
    "Info": MetricType.INFO,
    "Enum": MetricType.STATESET,
    "CounterMetricFamily": MetricType.COUNTER,
    "GaugeMetricFamily": MetricType.GAUGE,
    "HistogramMetricFamily": MetricType.HISTOGRAM,
    "SummaryMetricFamily": MetricType.SUMMARY,
    "InfoMetricFamily": MetricType.INFO,
    "UnknownMetricFamily": MetricType.UNKNOWN,
    "UntypedMetricFamily": MetricType.UNKNOWN,
}
DECLARING: Final = frozenset(_TYPES)
USING: Final = frozenset({"labels", "add_metric"})
WORDS: Final = rb"prometheus_client|\.labels\(|MetricFamily\("

_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""The client's own finite bounds."""

_PLACES: Final = ("name", "documentation", "labelnames", "namespace", "subsystem", "unit")
_LABELS_OF_FAMILY: Final = {"SummaryMetricFamily": 4, "HistogramMetricFamily": 4}


class _Arguments:
    """A call's arguments by the names of the client's parameters."""

    def __init__(self, call: Call, here: Here, evaluator: Evaluator) -> None:
        self._call, self._here, self._evaluator = call, here, evaluator

    def get(self, name: str, place: int | None = None) -> Expr | None:
        for keyword, value in self._call.keywords:
            if keyword == name:
                return value
        if place is None or place >= len(self._call.args):
            return None
        before = self._call.args[: place + 1]
        return None if any(isinstance(a, Spread) for a in before) else before[-1]

    def text(self, name: str) -> str:
        return self._evaluator.text(self.get(name, _PLACES.index(name)), self._here)


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a constructor of a metric, or of a family that a custom collector yields."""
    qualified = evaluator.skeleton(call.callee, here)
    package, _, kind = qualified.rpartition(".")
    if not package.startswith(("prometheus_client", "aioprometheus")) or kind not in _TYPES:
        return None
    given = _Arguments(call, here, evaluator)
    if given.get("name", 0) is None:
        return None
    type_, family = _TYPES[kind], kind.endswith("MetricFamily")
    unit = given.text("unit") if not family else evaluator.text(given.get("unit"), here)
    place = _LABELS_OF_FAMILY.get(kind, 3) if family else 2
    labels = evaluator.strings(given.get("labels" if family else "labelnames", place), here)
    name = _name(type_, given, unit, family=family)
    at = here.file.place(call.start)
    histogram = type_ is MetricType.HISTOGRAM and not family
    buckets = _buckets(given.get("buckets"), here, evaluator) if histogram else None
    states = evaluator.strings(given.get("states"), here) if type_ is MetricType.STATESET else None
    return DeclaredMetric(
        name=name,
        type=type_,
        help=given.text("documentation"),
        labels=(*(labels or ()), *((name,) if states is not None else ())),
        place=at,
        language="python",
        library="prometheus_client",
        unit=unit,
        sites=_states(name, states, at) if states is not None else (),
        buckets=buckets,
        bucket_count=len(buckets) if buckets is not None else None,
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def _name(type_: MetricType, given: _Arguments, unit: str, *, family: bool) -> str:
    parts = [given.text(p) for p in ("namespace", "subsystem", "name")]
    if family:
        parts = parts[2:]
    name = "_".join(p for p in parts if p)
    if type_ is MetricType.COUNTER:
        name = name.removesuffix("_total")
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    ends = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}
    return name + ends.get(type_, "")


def _buckets(expr: Expr | None, here: Here, evaluator: Evaluator) -> tuple[float, ...] | None:
    if expr is None:
        return _BUCKETS
    bounds = evaluator.numbers(expr, here)
    return None if bounds is None else tuple(b for b in bounds if b != math.inf)


def _states(name: str, states: tuple[str, ...], at: Place) -> tuple[CallSite, ...]:
    values = LabelValues(
        Bound.BOUNDED,
        "literal",
        tuple(sorted(set(states))),
        len(set(states)),
        "the states of an Enum: each is a series",
        places=(at,),
    )
    return (CallSite(at, {name: values}),)


def use(call: Call, here: Here) -> Use | None:
    """Read a call that gives labels their values."""
    if not isinstance(call.callee, Member):
        return None
    target = call.callee.of
    if call.callee.name == "add_metric":
        given = dict(call.keywords).get("labels", call.args[0] if call.args else None)
        if given is None:
            return None
        return Use(target, positional=(Spread(given.start, given.end, given),), certain=False)
    splat = dict(call.keywords).get("**")
    named = tuple((name, value, here) for name, value in call.keywords if name != "**")
    return Use(target, named=named, positional=call.args, record=splat, certain=False)

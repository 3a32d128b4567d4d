"""Prometheus' clients for Java: simpleclient (``io.prometheus.client``) and its successor."""

from __future__ import annotations

import math
import re
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Member, Name
from workbench.codescan.java.chains import Chain, chain_of, listed, spread
from workbench.codescan.language import Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import Bound, CallSite, DeclaredMetric, LabelValues, Place
from workbench.inventory.declared import DEFAULT_BUCKETS
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_TYPES: Final = {
    "Counter": MetricType.COUNTER,
    "CounterWithCallback": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "GaugeWithCallback": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
    "Summary": MetricType.SUMMARY,
    "SummaryWithCallback": MetricType.SUMMARY,
    "Info": MetricType.INFO,
    "Enumeration": MetricType.STATESET,
    "StateSet": MetricType.STATESET,
}
_FAMILIES: Final = {
    "CounterMetricFamily": MetricType.COUNTER,
    "GaugeMetricFamily": MetricType.GAUGE,
    "SummaryMetricFamily": MetricType.SUMMARY,
}
_BUILT: Final = frozenset({"register", "create"})
DECLARING: Final = _BUILT | _FAMILIES.keys() | {"build"}
USING: Final = frozenset({"labels", "labelValues", "initLabelValues", "addMetric"})
WORDS: Final = (
    rb"io\.prometheus\.(?:client|metrics)|\.(?:labels|labelValues|initLabelValues)\(|MetricFamily\("
)

_ROOT: Final = re.compile(
    r"^io\.prometheus\.(client|metrics\.core\.metrics)\.(\w+?)(?:\.Builder)?(?:\(\))?$"
)
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIMPLE_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""Simpleclient's own finite bounds: three more than its successor's."""

_EXPLICIT: Final = ("buckets", "classicUpperBounds", "withBuckets", "upperBounds")
_LINEAR: Final = ("linearBuckets", "classicLinearUpperBounds")
_EXPONENTIAL: Final = ("exponentialBuckets", "classicExponentialUpperBounds")
_MOST: Final = 10_000


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read the end of a builder's chain, or the constructor of a collector's family."""
    name = last_name(call.callee)
    if name in _FAMILIES:
        return _family(call, here, evaluator)
    chain = chain_of(call, here, evaluator)
    match = _ROOT.match(chain.root)
    if match is None or match[2] not in _TYPES or len(chain.links) < 2:
        return None
    if name == "build" and (match[1] == "client" or chain.links[-1].name != "build"):
        return None
    return _metric(
        call, chain, match[2], here=here, evaluator=evaluator, simple=match[1] == "client"
    )


def _metric(
    call: Call, chain: Chain, kind: str, *, here: Here, evaluator: Evaluator, simple: bool
) -> DeclaredMetric:
    type_ = _TYPES[kind]
    first = chain.links[0]
    stem = chain.text(evaluator, "name")
    help_ = chain.text(evaluator, "help")
    if simple and first.name == "build" and len(first.args) == 2:
        stem = stem or evaluator.text(first.args[0], first.here)
        help_ = help_ or evaluator.text(first.args[1], first.here)
    elif not stem:
        stem = UNSEEN
    parts = [chain.text(evaluator, part) for part in ("namespace", "subsystem")]
    unit = _unit(chain, evaluator)
    name = _exposed("_".join(p for p in (*parts, stem) if p), unit, type_)
    labels: tuple[str, ...] | None = ()
    if (link := chain.get("labelNames")) is not None:
        labels = listed(link.args, link.here, evaluator)
    at = here.file.place(call.start)
    states = _states(chain, evaluator) if type_ is MetricType.STATESET else None
    bounds, count, native = (None, None, False)
    if type_ is MetricType.HISTOGRAM:
        bounds, count, native = _histogram(chain, evaluator, simple=simple)
    return DeclaredMetric(
        name=name,
        type=type_,
        help=help_,
        labels=(*(labels or ()), *((name,) if states is not None else ())),
        place=at,
        language="java",
        library="simpleclient" if simple else "client_java",
        unit=unit,
        constant_labels=_constants(chain, evaluator),
        sites=_state_sites(name, states, at),
        buckets=bounds,
        bucket_count=count,
        objectives=len(chain.all("quantile")),
        native=native,
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def _unit(chain: Chain, evaluator: Evaluator) -> str:
    link = chain.get("unit")
    if link is None or not link.args:
        return ""
    given = link.args[0]
    if isinstance(given, Member | Name) and given.name.isupper():
        return given.name.lower()
    if isinstance(given, Call) and given.args:
        given = given.args[0]
    text = evaluator.text(given, link.here)
    return "" if text == UNSEEN else text


def _exposed(name: str, unit: str, type_: MetricType) -> str:
    ends = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}
    end = ends.get(type_, "")
    stem = name.removesuffix(end) if end else name
    if unit and not stem.endswith(f"_{unit}"):
        stem = f"{stem}_{unit}"
    return stem + end


def _constants(chain: Chain, evaluator: Evaluator) -> dict[str, str]:
    link = chain.get("constLabels")
    texts = listed(link.args, link.here, evaluator) if link is not None else None
    return dict(zip(texts[::2], texts[1::2], strict=False)) if texts else {}


def _histogram(
    chain: Chain, evaluator: Evaluator, *, simple: bool
) -> tuple[tuple[float, ...] | None, int | None, bool]:
    """Finite bounds, how many, and whether it is native too."""
    native = not simple and chain.get("classicOnly") is None
    if chain.get("nativeOnly") is not None:
        return None, None, True
    if chain.get(*_LINEAR, *_EXPONENTIAL) is not None:
        return *_made(chain, evaluator), native
    if chain.get(*_EXPLICIT) is not None:
        found = chain.numbers(evaluator, *_EXPLICIT)
        bounds = None if found is None else tuple(b for b in found if b != math.inf)
        return bounds, None if bounds is None else len(bounds), native
    if simple:
        return _SIMPLE_BUCKETS, len(_SIMPLE_BUCKETS), native
    return _BUCKETS, DEFAULT_BUCKETS, native


def _made(chain: Chain, evaluator: Evaluator) -> tuple[tuple[float, ...] | None, int | None]:
    numbers = chain.numbers(evaluator, *_LINEAR, *_EXPONENTIAL)
    if numbers is None or len(numbers) != 3 or not 0 < numbers[2] <= _MOST:
        return None, None
    first, second, count = numbers[0], numbers[1], int(numbers[2])
    if chain.get(*_LINEAR) is not None:
        return tuple(first + second * i for i in range(count)), count
    try:
        return tuple(first * second**i for i in range(count)), count
    except OverflowError:
        return None, count


def _states(chain: Chain, evaluator: Evaluator) -> tuple[str, ...] | None:
    link = chain.get("states")
    texts = listed(link.args, link.here, evaluator) if link is not None else None
    return texts if texts and UNSEEN not in texts else None


def _state_sites(name: str, states: tuple[str, ...] | None, at: Place) -> tuple[CallSite, ...]:
    if states is None:
        return ()
    known = tuple(sorted(set(states)))
    values = LabelValues(
        Bound.BOUNDED,
        "literal",
        known,
        len(known),
        "the states of an enumeration: each is a series",
        places=(at,),
    )
    return (CallSite(at, {name: values}),)


def _family(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    kind = last_name(call.callee)
    qualified = evaluator.skeleton(call.callee, here)
    if not qualified.startswith("io.prometheus.client.") or len(call.args) < 3:
        return None
    labels = evaluator.strings(call.args[2], here)
    stem = evaluator.text(call.args[0], here)
    if labels is None and evaluator.number(call.args[2], here) is not None:
        labels = ()
    return DeclaredMetric(
        name=_exposed(stem, "", _FAMILIES[kind]),
        type=_FAMILIES[kind],
        help=evaluator.text(call.args[1], here),
        labels=labels or (),
        place=here.file.place(call.start),
        language="java",
        library="simpleclient",
        name_exact=UNSEEN not in stem,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a call that gives labels their values."""
    if not isinstance(call.callee, Member) or not call.args:
        return None
    args = call.args[:1] if call.callee.name == "addMetric" else call.args
    return Use(call.callee.of, positional=spread(args, here, evaluator), certain=False)

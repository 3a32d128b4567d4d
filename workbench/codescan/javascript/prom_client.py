"""Prometheus' client for Node.js: which calls declare a metric, and which give labels values."""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Member, Name, Number, Record, Text
from workbench.codescan.javascript.objects import Properties, pairs_of
from workbench.codescan.language import Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import DeclaredMetric
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_TYPES: Final = {
    "Counter": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
    "Summary": MetricType.SUMMARY,
    "makeCounterProvider": MetricType.COUNTER,
    "makeGaugeProvider": MetricType.GAUGE,
    "makeHistogramProvider": MetricType.HISTOGRAM,
    "makeSummaryProvider": MetricType.SUMMARY,
}
DECLARING: Final = frozenset(_TYPES)
_FIRST: Final = frozenset(
    ["inc", "dec", "set", "observe", "startTimer", "setToCurrentTime", "zero", "endTimer"]
)
USING: Final = _FIRST | {"labels"}
WORDS: Final = rb"prom-client|labelNames|nestjs-prometheus|\.(?:inc|dec|observe|startTimer)\(\s*\{|\.labels\(|startTimer\("

_PACKAGES: Final = re.compile(r"^(?:prom-client|@willsoto/nestjs-prometheus)\b")
_UNRESOLVED: Final = re.compile(r"^[^@\w]|^\w+(?:\(\))?(?:\.\w+(?:\(\))?)*$")
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PERCENTILES: Final = 7
"""Of a summary that names none: 0.01 to 0.999."""

_MOST: Final = 10_000


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a constructor of a metric, or Nest's provider of one."""
    if not call.args:
        return None
    qualified = evaluator.skeleton(call.callee, here)
    kind = qualified.rpartition(".")[2]
    if kind not in _TYPES:
        return None
    given = Properties(call.args[0], here, evaluator)
    known = bool(_PACKAGES.match(qualified))
    if not known:
        # A client in a variable, or from a module of the tree: its options tell whose it is.
        own = "name" in given and "help" in given
        known = own and bool(_UNRESOLVED.match(qualified)) and qualified != kind
    if not known:
        return None
    if "name" not in given:
        return _positional(call, _TYPES[kind], here, evaluator)
    type_ = _TYPES[kind]
    labels = given.strings("labelNames")
    name = given.text("name")
    bounds, count = _buckets(given, evaluator) if type_ is MetricType.HISTOGRAM else (None, None)
    objectives = 0
    if type_ is MetricType.SUMMARY:
        percentiles = given.numbers("percentiles")
        objectives = len(percentiles) if percentiles is not None else _PERCENTILES
    return DeclaredMetric(
        name=name,
        type=type_,
        help=given.text("help"),
        labels=labels or (),
        place=here.file.place(call.start),
        language="javascript",
        library="prom-client",
        buckets=bounds,
        bucket_count=count,
        objectives=objectives,
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def _positional(
    call: Call, type_: MetricType, here: Here, evaluator: Evaluator
) -> DeclaredMetric | None:
    """``new Counter("name", "help", ["label"])``, as before version 11."""
    name = evaluator.text(call.args[0], here)
    if isinstance(evaluator.settle(call.args[0], here)[0], Record):
        name = UNSEEN
    listed = call.args[2] if len(call.args) > 2 else None
    labels = evaluator.strings(listed, here)
    bounds = _BUCKETS if type_ is MetricType.HISTOGRAM else None
    return DeclaredMetric(
        name=name,
        type=type_,
        help=evaluator.text(call.args[1], here) if len(call.args) > 1 else "",
        labels=labels or (),
        place=here.file.place(call.start),
        language="javascript",
        library="prom-client",
        buckets=bounds,
        bucket_count=len(bounds) if bounds is not None else None,
        objectives=_PERCENTILES if type_ is MetricType.SUMMARY else 0,
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels and len(call.args) > 1,
    )


def _buckets(
    given: Properties, evaluator: Evaluator
) -> tuple[tuple[float, ...] | None, int | None]:
    found = given.get("buckets")
    if found is None:
        return _BUCKETS, len(_BUCKETS)
    expr, here = evaluator.settle(*found)
    if isinstance(expr, Call):
        return _made(expr, here, evaluator)
    bounds = evaluator.numbers(expr, here)
    return bounds, None if bounds is None else len(bounds)


def _made(
    call: Call, here: Here, evaluator: Evaluator
) -> tuple[tuple[float, ...] | None, int | None]:
    numbers = [evaluator.number(a, here) for a in call.args]
    if len(numbers) != 3 or numbers[2] is None or not 0 < numbers[2] <= _MOST:
        return None, None
    first, second, count = numbers[0], numbers[1], int(numbers[2])
    if first is None or second is None:
        return None, count
    try:
        if last_name(call.callee) == "linearBuckets":
            return tuple(first + second * i for i in range(count)), count
        return tuple(first * second**i for i in range(count)), count
    except OverflowError:
        return None, count


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a call that gives labels their values."""
    if not isinstance(call.callee, Member) or not call.args:
        return None
    target, first = call.callee.of, call.args[0]
    if call.callee.name == "labels" and not _is_object(first, here, evaluator):
        return Use(target, positional=call.args, certain=False)
    if isinstance(first, Number | Text):
        return None
    given = list(pairs_of(first, here, evaluator))
    names = {name for name, _, _ in given}
    if "labels" in names and names & {"value", "exemplarLabels"}:
        # With exemplars, labels and value stand in one object.
        inner = next((v, at) for name, v, at in given if name == "labels")
        given = list(pairs_of(*inner, evaluator))
    if call.callee.name == "endTimer":
        given = [*_begun(target, here, evaluator), *given]
    if not given:
        return None
    named = {name: (name, value, at) for name, value, at in given}
    return Use(target, named=tuple(named.values()), certain=False)


def _is_object(expr: Expr, here: Here, evaluator: Evaluator) -> bool:
    if isinstance(evaluator.settle(expr, here)[0], Record):
        return True
    # What is called labels is an object of them, also where its literal is not found.
    return isinstance(expr, Name | Member) and expr.name.lower().endswith(("labels", "tags"))


def _begun(target: Expr, here: Here, evaluator: Evaluator) -> list[tuple[str, Expr, Here]]:
    """The labels that were given where a timer was started."""
    if not isinstance(target, Name | Member):
        return []
    start, at = evaluator.settle(target, here)
    if isinstance(start, Call) and start.args and last_name(start.callee) == "startTimer":
        return list(pairs_of(start.args[0], at, evaluator))
    return []

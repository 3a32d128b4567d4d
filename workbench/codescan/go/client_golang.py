"""Go's Prometheus client: which calls declare a metric, and which give its labels values.

Kubernetes' `k8s.io/component-base/metrics` wraps the same calls under the same names.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Items, Member, Name, Record
from workbench.codescan.go.buckets import buckets_of
from workbench.codescan.language import Use
from workbench.codescan.program import Here
from workbench.codescan.rules import HTTP_METHODS, STATUS_CODES
from workbench.inventory import Bound, DeclaredMetric, LabelValues
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_TYPES: Final = {
    "Counter": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
    "Summary": MetricType.SUMMARY,
    "Untyped": MetricType.UNKNOWN,
    "TimingHistogram": MetricType.HISTOGRAM,
}
DECLARING: Final = frozenset(
    [f"New{t}{form}" for t in _TYPES for form in ("", "Vec", "Func", "From")] + ["NewDesc"]
)
_BY_NAME: Final = frozenset({"With", "GetMetricWith"})
_BY_PLACE: Final = frozenset({"WithLabelValues", "GetMetricWithLabelValues"})
_CURRIED: Final = frozenset({"CurryWith", "MustCurryWith"})
_CONST: Final = re.compile(r"New(?:Lazy)?Const(?:Metric|Histogram|Summary)")
_CONST_ARGS: Final = {"Metric": 3, "Histogram": 4, "Summary": 4}
_INSTRUMENTED: Final = frozenset(
    f"Instrument{what}"
    for what in (
        "HandlerCounter",
        "HandlerDuration",
        "HandlerRequestSize",
        "HandlerResponseSize",
        "HandlerTimeToWriteHeader",
        "RoundTripperCounter",
        "RoundTripperDuration",
    )
)
_HANDLED: Final = (
    (
        "code",
        LabelValues(
            Bound.BOUNDED,
            "status code",
            count=STATUS_CODES,
            reason="promhttp gives the status code, of which about 60 are registered",
        ),
    ),
    (
        "method",
        LabelValues(
            Bound.BOUNDED,
            "http method",
            count=HTTP_METHODS + 1,
            reason="promhttp gives the method, and 'unknown' for those that are not registered",
        ),
    ),
)
"""What the wrappers of `promhttp` give by themselves."""

USING: Final = (
    _INSTRUMENTED
    | _BY_NAME
    | _BY_PLACE
    | _CURRIED
    | {f"{m}New{z}Const{k}" for m in ("", "Must") for z in ("", "Lazy") for k in _CONST_ARGS}
)
WORDS: Final = (
    rb"Instrument(?:Handler|RoundTripper)[CDRT]|client_golang/prometheus|component-base/metrics|WithLabelValues\(|NewConst(?:Metric|Histo|Summ)"
    rb"|(?:With|GetMetricWith)\((?:\w+\.)?(?:Labels\{|labels|map\[string\]string)|CurryWith\("
)

_PACKAGE: Final = re.compile(r"(?:client_golang/prometheus(?:/promauto)?|component-base/metrics)\b")
_OPTS: Final = re.compile(r"^[&*]*(\w+)\.(Counter|Gauge|Histogram|Summary|Untyped|\w*)Opts$")
_VALUE_TYPES: Final = {
    "CounterValue": MetricType.COUNTER,
    "GaugeValue": MetricType.GAUGE,
    "UntypedValue": MetricType.UNKNOWN,
}


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a constructor of a metric or of a description."""
    if not isinstance(call.callee, Member | Name):
        return None
    name = call.callee.name
    if name == "NewDesc":
        return _description(call, here, evaluator)
    if not call.args:
        return None
    opts, at = _options(call.args[0], here, evaluator)
    if not _is_client(call, here, opts, at, evaluator):
        return None
    word, vector = re.fullmatch(r"New(.*?)(Vec|Func|From)?", name).groups()  # type: ignore[union-attr]
    labelled = vector in ("Vec", "From") and len(call.args) > 1
    labels = evaluator.strings(call.args[1], here) if labelled else ()
    if isinstance(opts, Items) or not isinstance(opts, Record):
        opts = Record(opts.start, opts.end, ())
    return _metric(_TYPES[word], opts, at, labels=labels, call=call, here=here, evaluator=evaluator)


def _options(expr: Expr, here: Here, evaluator: Evaluator) -> tuple[Expr, Here]:
    """The literal of a metric's options, also inside a call that changes and returns them."""
    opts, at = evaluator.settle(expr, here)
    if isinstance(opts, Call):
        for arg in opts.args:
            inner, inside = evaluator.settle(arg, at)
            if isinstance(inner, Record) and _OPTS.match(inner.type):
                return inner, inside
    return opts, at


def _is_client(call: Call, here: Here, opts: Expr, at: Here, evaluator: Evaluator) -> bool:
    if _PACKAGE.search(evaluator.skeleton(call.callee, here)):
        return True
    # A factory in a variable, field or parameter: its options tell whose it is.
    if isinstance(opts, Record) and (match := _OPTS.match(opts.type)):
        return bool(_PACKAGE.search(at.file.imports.get(match[1], "")))
    return False


def _metric(
    type_: MetricType,
    opts: Record,
    at: Here,
    *,
    labels: tuple[str, ...] | None,
    call: Call,
    here: Here,
    evaluator: Evaluator,
) -> DeclaredMetric:
    inner = opts.get("Opts")
    if isinstance(inner, Record) and opts.get("Name") is None:
        opts = Record(opts.start, opts.end, (*opts.pairs, *inner.pairs), opts.type)
    parts = [evaluator.text(opts.get(k), at) for k in ("Namespace", "Subsystem", "Name")]
    if opts.get("Name") is None:
        parts[2] = UNSEEN
    name = "_".join(p for p in parts if p)
    native = opts.get("NativeHistogramBucketFactor") is not None
    histogram = type_ is MetricType.HISTOGRAM
    bounds, count = buckets_of(opts.get("Buckets"), at, evaluator) if histogram else (None, None)
    if native and opts.get("Buckets") is None:
        bounds, count = None, None
    objectives = opts.get("Objectives")
    settled = evaluator.settle(objectives, at)[0] if objectives is not None else None
    return DeclaredMetric(
        name=name,
        type=type_,
        help=evaluator.text(opts.get("Help"), at),
        labels=tuple(labels or ()),
        place=here.file.place(call.start),
        language="go",
        library=_library(call, here, evaluator),
        constant_labels=evaluator.constants(opts.get("ConstLabels"), at),
        buckets=bounds,
        bucket_count=count,
        objectives=len(settled.pairs) if isinstance(settled, Record) else 0,
        native=native,
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def _library(call: Call, here: Here, evaluator: Evaluator) -> str:
    qualified = evaluator.skeleton(call.callee, here)
    return "component-base" if "component-base" in qualified else "client_golang"


def _description(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if len(call.args) < 3 or not _PACKAGE.search(evaluator.skeleton(call.callee, here)):
        return None
    name = evaluator.text(call.args[0], here)
    labels = evaluator.strings(call.args[2], here)
    constant = call.args[3] if len(call.args) > 3 else None
    return DeclaredMetric(
        name=name,
        type=MetricType.UNKNOWN,
        help=evaluator.text(call.args[1], here),
        labels=labels or (),
        place=here.file.place(call.start),
        language="go",
        library=_library(call, here, evaluator),
        constant_labels=evaluator.constants(constant, here),
        name_exact=UNSEEN not in name,
        labels_exact=labels is not None and UNSEEN not in labels,
    )


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a call that makes a child, or a constant metric."""
    name = call.callee.name if isinstance(call.callee, Name | Member) else ""
    if (const := _CONST.search(name)) is not None:
        return _constant(call, const[0])
    if name.startswith("Instrument"):
        return Use(call.args[0], fixed=_HANDLED) if call.args else None
    if not isinstance(call.callee, Member):
        return None
    target = call.callee.of
    if name in _BY_PLACE:
        return Use(target, positional=call.args)
    if len(call.args) == 1 and (name != "With" or _labels(call.args[0], here, evaluator)):
        return Use(target, record=call.args[0], curried=name in _CURRIED)
    return None


def _labels(expr: Expr, here: Here, evaluator: Evaluator) -> bool:
    # With(…) is a usual name: only where its argument is a map of labels is it a metric's.
    if isinstance(evaluator.settle(expr, here)[0], Record):
        return True
    type_ = evaluator.tracer.type_of(expr, here)
    return type_.endswith("Labels") or type_ == "map[string]string"


def _constant(call: Call, const: str) -> Use | None:
    kind = const.rpartition("Const")[2]
    fixed = _CONST_ARGS[kind]
    if len(call.args) < (2 if const.startswith("NewLazy") else fixed):
        return None
    type_: MetricType | None = MetricType(kind.lower()) if kind != "Metric" else None
    if type_ is None:
        said = call.args[1]
        if isinstance(said, Member | Name):
            type_ = _VALUE_TYPES.get(said.name)
    return Use(call.args[0], positional=call.args[fixed:], type=type_)

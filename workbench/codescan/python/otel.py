"""OpenTelemetry's metric API for Python: instruments, and the attributes that measurements carry."""

from __future__ import annotations

from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Member, Record
from workbench.codescan.language import Use
from workbench.codescan.opentelemetry import (
    DEFAULT_BOUNDS,
    INSTRUMENTS,
    exposed_label,
    exposed_name,
)
from workbench.codescan.program import Here
from workbench.inventory import DeclaredMetric
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_METHODS: Final = {
    "create_counter": "Counter",
    "create_observable_counter": "ObservableCounter",
    "create_up_down_counter": "UpDownCounter",
    "create_observable_up_down_counter": "ObservableUpDownCounter",
    "create_gauge": "Gauge",
    "create_observable_gauge": "ObservableGauge",
    "create_histogram": "Histogram",
}
DECLARING: Final = frozenset(_METHODS)
USING: Final = frozenset({"add", "record", "set"})
WORDS: Final = rb"opentelemetry"


def _is_otel(here: Here) -> bool:
    return any(path.startswith("opentelemetry") for path in here.file.imports.values())


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a call of a meter that makes an instrument."""
    if not isinstance(call.callee, Member) or not _is_otel(here):
        return None
    given = dict(call.keywords)
    observable = "observable" in call.callee.name
    places = ("name", "callbacks", "unit", "description") if observable else (
        "name", "unit", "description",
    )  # fmt: skip
    given.update(dict(zip(places, call.args, strict=False)))
    if "name" not in given:
        return None
    type_ = INSTRUMENTS[_METHODS[call.callee.name]]
    name, unit = evaluator.text(given["name"], here), evaluator.text(given.get("unit"), here)
    advice = given.get("explicit_bucket_boundaries_advisory")
    bounds = evaluator.numbers(advice, here) if advice is not None else None
    count = len(bounds) if bounds is not None else (None if advice is not None else DEFAULT_BOUNDS)
    exact = UNSEEN not in name
    return DeclaredMetric(
        name=exposed_name(name, unit, type_) if exact else name,
        type=type_,
        help=evaluator.text(given.get("description"), here),
        labels=(),
        place=here.file.place(call.start),
        language="python",
        library="opentelemetry",
        unit=unit,
        buckets=bounds,
        bucket_count=count if type_ is MetricType.HISTOGRAM else None,
        name_exact=exact,
        labels_exact=False,
    )


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a measurement and its attributes."""
    if not isinstance(call.callee, Member):
        return None
    given: Expr | None = dict(call.keywords).get("attributes")
    if given is None and len(call.args) > 1:
        given = call.args[1]
    if given is None:
        return None
    record, at = evaluator.settle(given, here)
    if not isinstance(record, Record):
        return None
    named = tuple((exposed_label(evaluator.text(k, at)), v, at) for k, v in record.pairs)
    return Use(call.callee.of, named=named, open=True, certain=False)

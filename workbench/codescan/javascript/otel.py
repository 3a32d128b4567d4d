"""OpenTelemetry's metric API for JavaScript: instruments, and attributes of measurements."""

from __future__ import annotations

from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Member, Name, Record
from workbench.codescan.javascript.objects import Properties, pairs_of
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

DECLARING: Final = frozenset(f"create{kind}" for kind in INSTRUMENTS)
USING: Final = frozenset({"add", "record", "observe"})
WORDS: Final = rb"@opentelemetry/"


def _is_otel(here: Here) -> bool:
    return any(said.startswith("@opentelemetry/") for said in here.file.imports.values())


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a call of a meter that makes an instrument."""
    if not isinstance(call.callee, Member) or not call.args:
        return None
    of = evaluator.skeleton(call.callee.of, here, follow=False).lower()
    if not _is_otel(here) and "meter" not in of:
        return None
    if isinstance(evaluator.settle(call.args[0], here)[0], Record):
        return None
    type_ = INSTRUMENTS[call.callee.name.removeprefix("create")]
    empty = Record(call.end, call.end, ())
    given = Properties(call.args[1] if len(call.args) > 1 else empty, here, evaluator)
    name, unit = evaluator.text(call.args[0], here), given.text("unit")
    advice = given.get("advice")
    bounds = Properties(*advice, evaluator).numbers("explicitBucketBoundaries") if advice else None
    count = len(bounds) if bounds is not None else (None if advice is not None else DEFAULT_BOUNDS)
    exact = UNSEEN not in name
    return DeclaredMetric(
        # This exporter says the unit in a comment, not in the name.
        name=exposed_name(name, "", type_) if exact else name,
        type=type_,
        help=given.text("description"),
        labels=(),
        place=here.file.place(call.start),
        language="javascript",
        library="opentelemetry",
        unit=unit,
        buckets=bounds,
        bucket_count=count if type_ is MetricType.HISTOGRAM else None,
        name_exact=exact,
        labels_exact=False,
    )


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a measurement: ``add(1, {…})``, or in a callback ``observe(value, {…})``."""
    if not isinstance(call.callee, Member) or len(call.args) < 2:
        return None
    target, attributes = call.callee.of, call.args[1]
    if call.callee.name == "observe":
        if len(call.args) > 2:
            # In a batch: observe(instrument, value, attributes).
            target, attributes = call.args[0], call.args[2]
        else:
            target = _observed(target, here, evaluator) or target
    named = tuple(
        (exposed_label(name), value, at)
        for name, value, at in pairs_of(attributes, here, evaluator)
    )
    return Use(target, named=named, open=True, certain=False) if named else None


def _observed(target: Expr, here: Here, evaluator: Evaluator) -> Expr | None:
    """The instrument whose callback measures: ``gauge.addCallback((result) => …)``."""
    if not isinstance(target, Name):
        return None
    package = evaluator.program.package_of(here.file)
    around = [
        fact.call
        for file, fact in package.calls.get("addCallback", [])
        if file is here.file and fact.call.start < here.at < fact.call.end
    ]
    call = min(around, key=lambda c: c.end - c.start, default=None)
    return call.callee.of if call is not None and isinstance(call.callee, Member) else None

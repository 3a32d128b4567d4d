"""OpenTelemetry's metric API for Java: instruments, and the attributes that measurements carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Member, Name
from workbench.codescan.java.chains import Chain, chain_of
from workbench.codescan.language import Use
from workbench.codescan.opentelemetry import (
    DEFAULT_BOUNDS,
    INSTRUMENTS,
    exposed_label,
    exposed_name,
)
from workbench.codescan.program import Here, last_name
from workbench.inventory import DeclaredMetric
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "declare", "use"]

_BUILDERS: Final = {
    "counterBuilder": "Counter",
    "upDownCounterBuilder": "UpDownCounter",
    "histogramBuilder": "Histogram",
    "gaugeBuilder": "Gauge",
}
DECLARING: Final = frozenset({"build", "buildWithCallback", "buildObserver"})
USING: Final = frozenset({"add", "record", "set"})
WORDS: Final = rb"io\.opentelemetry"
_DEEPEST: Final = 4


def _is_otel(here: Here) -> bool:
    return any(said.startswith("io.opentelemetry") for said in here.file.imports.values())


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read the end of an instrument's builder."""
    if not isinstance(call.callee, Member) or not _is_otel(here):
        return None
    chain = chain_of(call, here, evaluator)
    first = chain.get(*_BUILDERS)
    if first is None or not first.args:
        return None
    type_ = INSTRUMENTS[_BUILDERS[first.name]]
    name, unit = evaluator.text(first.args[0], first.here), chain.text(evaluator, "setUnit")
    advice = chain.get("setExplicitBucketBoundariesAdvice")
    bounds = chain.numbers(evaluator, "setExplicitBucketBoundariesAdvice")
    count = len(bounds) if bounds is not None else (None if advice is not None else DEFAULT_BOUNDS)
    exact = UNSEEN not in name
    return DeclaredMetric(
        name=exposed_name(name, unit, type_) if exact else name,
        type=type_,
        help=chain.text(evaluator, "setDescription"),
        labels=(),
        place=here.file.place(call.start),
        language="java",
        library="opentelemetry",
        unit=unit,
        buckets=bounds,
        bucket_count=count if type_ is MetricType.HISTOGRAM else None,
        name_exact=exact,
        labels_exact=False,
    )


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a measurement and its attributes."""
    if not isinstance(call.callee, Member) or len(call.args) < 2 or not _is_otel(here):
        return None
    named = tuple(_attributes(call.args[1], here, evaluator))
    if not named:
        return None
    target = call.callee.of
    callback = _callback(target, here, evaluator)
    return Use(callback or target, named=named, open=True, certain=False)


def _callback(target: Expr, here: Here, evaluator: Evaluator) -> Call | None:
    """The builder whose callback measures: ``buildWithCallback(m -> m.record(v, attributes))``."""
    if not isinstance(target, Name) or here.scope == 0:
        return None
    scope = here.file.scopes[here.scope]
    if not any(p.name == target.name for p in scope.parameters):
        return None
    package = evaluator.program.package_of(here.file)
    around = [
        fact.call
        for file, fact in package.calls.get("buildWithCallback", [])
        if file is here.file and fact.call.start < here.at < fact.call.end
    ]
    return min(around, key=lambda c: c.end - c.start, default=None)


def _attributes(
    expr: Expr, here: Here, evaluator: Evaluator, depth: int = 0
) -> Iterator[tuple[str, Expr, Here]]:
    """Keys and values of ``Attributes.of(…)`` or of a builder's ``put``."""
    expr, here = evaluator.settle(expr, here)
    if depth > _DEEPEST or not isinstance(expr, Call):
        return
    chain = chain_of(expr, here, evaluator)
    if chain.get("toBuilder") is not None:
        yield from _attributes(chain.target, chain.here, evaluator, depth + 1)
    if not _is_attributes(chain):
        for value, at in evaluator.results(expr, here):
            yield from _attributes(value, at, evaluator, depth + 1)
        return
    for link in chain.links:
        if link.name == "putAll" and link.args:
            yield from _attributes(link.args[0], link.here, evaluator, depth + 1)
        if link.name in ("of", "put"):
            for key, value in zip(link.args[::2], link.args[1::2], strict=False):
                if name := _key(key, link.here, evaluator):
                    yield exposed_label(name), value, link.here


def _is_attributes(chain: Chain) -> bool:
    return chain.root.endswith("Attributes") or chain.get("toBuilder") is not None


def _key(expr: Expr, here: Here, evaluator: Evaluator) -> str:
    expr, here = evaluator.settle(expr, here)
    if isinstance(expr, Call) and expr.args and last_name(expr.callee).endswith("Key"):
        expr = expr.args[0]
    text = evaluator.text(expr, here)
    if text != UNSEEN:
        return text
    # A constant of the semantic conventions is called as its key is, with underscores.
    return expr.name.lower() if isinstance(expr, Name | Member) and expr.name.isupper() else ""

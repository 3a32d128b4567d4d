"""OpenTelemetry's metric API for Go: instruments, and the attributes that measurements carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Items, Member, Spread
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

DECLARING: Final = frozenset(f"{n}{kind}" for n in ("Int64", "Float64") for kind in INSTRUMENTS)
_MEASURING: Final = frozenset({"Add", "Record", "Observe"})
_CALLBACKS: Final = frozenset({"ObserveInt64", "ObserveFloat64"})
USING: Final = _MEASURING | _CALLBACKS
WORDS: Final = rb"opentelemetry\.io/otel/(?:metric|attribute)|metric\.WithAttribute"

_PATH: Final = "go.opentelemetry.io/otel"
_ATTRIBUTES: Final = frozenset(
    "String Bool Int Int64 Float64 Stringer StringSlice BoolSlice IntSlice".split()  # noqa: SIM905 - reads as one row
)


def _is_otel(here: Here) -> bool:
    return any(path.startswith(_PATH) for path in here.file.imports.values())


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a call of a meter that makes an instrument."""
    if not isinstance(call.callee, Member) or not call.args or not _is_otel(here):
        return None
    type_ = INSTRUMENTS[call.callee.name.removeprefix("Int64").removeprefix("Float64")]
    options = {last_name(o.callee): o for o in call.args[1:] if isinstance(o, Call)}
    unit = _option(options, "WithUnit", here, evaluator)
    name = evaluator.text(call.args[0], here)
    bounds: tuple[float, ...] | None = None
    given = options.get("WithExplicitBucketBoundaries")
    if given is not None:
        bounds = evaluator.numbers(_listed(given), here)
    count = len(bounds) if bounds is not None else (None if given is not None else DEFAULT_BOUNDS)
    exact = UNSEEN not in name
    return DeclaredMetric(
        name=exposed_name(name, unit, type_) if exact else name,
        type=type_,
        help=_option(options, "WithDescription", here, evaluator),
        labels=(),
        place=here.file.place(call.start),
        language="go",
        library="opentelemetry",
        unit=unit,
        buckets=bounds,
        bucket_count=count if type_ is MetricType.HISTOGRAM else None,
        name_exact=exact,
        labels_exact=False,
    )


def _listed(call: Call) -> Expr:
    if len(call.args) == 1 and isinstance(call.args[0], Spread):
        return call.args[0].of
    return Items(call.start, call.end, call.args)


def _option(options: dict[str, Call], name: str, here: Here, evaluator: Evaluator) -> str:
    option = options.get(name)
    return evaluator.text(option.args[0], here) if option is not None and option.args else ""


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read a measurement and its attributes."""
    if not isinstance(call.callee, Member) or not _is_otel(here):
        return None
    if call.callee.name in _CALLBACKS:
        return _measured(call.args[0], call.args[2:], here, evaluator) if call.args else None
    skip = 1 if call.callee.name == "Observe" else 2
    if len(call.args) <= skip:
        return None
    return _measured(call.callee.of, call.args[skip:], here, evaluator)


def _measured(
    target: Expr, given: tuple[Expr, ...], here: Here, evaluator: Evaluator
) -> Use | None:
    named = tuple(pair for expr in given for pair in _attributes(expr, here, evaluator, 0))
    return Use(target, named=named, open=True, certain=False) if named else None


def _attributes(
    expr: Expr, here: Here, evaluator: Evaluator, depth: int
) -> Iterator[tuple[str, Expr, Here]]:
    expr, here = evaluator.settle(expr.of if isinstance(expr, Spread) else expr, here)
    if depth > 4:
        return
    if isinstance(expr, Items):
        for item in expr.items:
            yield from _attributes(item, here, evaluator, depth + 1)
    if not isinstance(expr, Call):
        return
    name = last_name(expr.callee)
    if name in ("WithAttributes", "WithAttributeSet", "NewSet", "append"):
        for arg in expr.args:
            yield from _attributes(arg, here, evaluator, depth + 1)
    elif name in _ATTRIBUTES and isinstance(expr.callee, Member):
        yield from _attribute(expr, expr.callee, here, evaluator)


def _attribute(
    call: Call, callee: Member, here: Here, evaluator: Evaluator
) -> Iterator[tuple[str, Expr, Here]]:
    if len(call.args) == 2:
        yield exposed_label(evaluator.text(call.args[0], here)), call.args[1], here
    elif len(call.args) == 1 and isinstance(callee.of, Call) and callee.of.args:
        # A key made first, then given a value: Key(k).String(v).
        yield exposed_label(evaluator.text(callee.of.args[0], here)), call.args[0], here

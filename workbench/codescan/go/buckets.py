"""Buckets of Go's client, evaluated."""

from __future__ import annotations

from workbench.codescan.evaluating import Evaluator
from workbench.codescan.expressions import Call, Expr, Member
from workbench.codescan.program import Here, last_name
from workbench.inventory.declared import DEFAULT_BUCKETS

__all__ = ["buckets_of"]

_DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MOST = 10_000


def buckets_of(
    expr: Expr | None, here: Here, evaluator: Evaluator
) -> tuple[tuple[float, ...] | None, int | None]:
    """Finite bounds of a histogram, and how many; each None where it is not known."""
    if expr is None:
        return _DEFAULT, DEFAULT_BUCKETS
    expr, here = evaluator.settle(expr, here)
    if isinstance(expr, Member) and expr.name == "DefBuckets":
        return _DEFAULT, DEFAULT_BUCKETS
    if isinstance(expr, Call):
        return _made(expr, here, evaluator)
    bounds = evaluator.numbers(expr, here)
    return bounds, None if bounds is None else len(bounds)


def _made(
    call: Call, here: Here, evaluator: Evaluator
) -> tuple[tuple[float, ...] | None, int | None]:
    numbers = [evaluator.number(a, here) for a in call.args]
    if len(numbers) != 3 or numbers[2] is None:
        return None, None
    count = int(numbers[2])
    first, second = numbers[0], numbers[1]
    if not 0 < count <= _MOST:
        return None, None
    if first is None or second is None:
        return None, count
    try:
        return _series(last_name(call.callee), first, second, count), count
    except (OverflowError, ZeroDivisionError):
        return None, count


def _series(name: str, first: float, second: float, count: int) -> tuple[float, ...] | None:
    if name == "LinearBuckets":
        return tuple(first + second * i for i in range(count))
    if name == "ExponentialBuckets":
        return tuple(first * second**i for i in range(count))
    if name == "ExponentialBucketsRange" and first > 0 and second > 0 and count > 1:
        growth = (second / first) ** (1 / (count - 1))
        return tuple(first * growth**i for i in range(count))
    return None

"""Functions of a single sample: arithmetic, rounding, trigonometry, clamping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.values import Value
from workbench.samples import Floats

__all__ = ["MATHS"]


def _each(transform: Callable[[Any], Floats]) -> Function:
    """A function that changes each value on its own."""

    def function(call: Call) -> Value:
        vector = call.vector(0)
        return vector.computed(transform(vector.values))

    return function


def _round(call: Call) -> Value:
    """To the nearest multiple; halves go up."""
    vector = call.vector(0)
    to = call.scalar(1) if len(call) > 1 else np.ones(len(call.grid))
    inverse = 1.0 / to
    return vector.computed(np.floor(vector.values * inverse + 0.5) / inverse)


def _clamped(call: Call, low: Floats, high: Floats) -> Value:
    """Between two bounds; NaN where a bound is, nothing where they are crossed."""
    vector = call.vector(0)
    bounded = np.maximum(low, np.minimum(high, vector.values))
    return vector.computed(bounded, vector.present & ~(low > high))


def _clamp(call: Call) -> Value:
    return _clamped(call, call.scalar(1), call.scalar(2))


def _clamp_min(call: Call) -> Value:
    return _clamped(call, call.scalar(1), np.full(len(call.grid), np.inf))


def _clamp_max(call: Call) -> Value:
    return _clamped(call, np.full(len(call.grid), -np.inf), call.scalar(1))


def _of_two(choose: Callable[[Any, Any], Floats]) -> Function:
    def function(call: Call) -> Value:
        return choose(call.scalar(0), call.scalar(1))

    return function


def _pi(call: Call) -> Value:
    return np.full(len(call.grid), np.pi)


def _sign(values: Any) -> Floats:
    return np.asarray(np.where(np.isnan(values) | (values == 0), values, np.sign(values)))


MATHS: Final[dict[str, Function]] = {
    "abs": _each(np.abs),
    "acos": _each(np.arccos),
    "acosh": _each(np.arccosh),
    "asin": _each(np.arcsin),
    "asinh": _each(np.arcsinh),
    "atan": _each(np.arctan),
    "atanh": _each(np.arctanh),
    "ceil": _each(np.ceil),
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "cos": _each(np.cos),
    "cosh": _each(np.cosh),
    "deg": _each(np.degrees),
    "exp": _each(np.exp),
    "floor": _each(np.floor),
    "ln": _each(np.log),
    "log10": _each(np.log10),
    "log2": _each(np.log2),
    "max_of": _of_two(np.maximum),
    "min_of": _of_two(np.minimum),
    "pi": _pi,
    "rad": _each(np.radians),
    "round": _round,
    "sgn": _each(_sign),
    "sin": _each(np.sin),
    "sinh": _each(np.sinh),
    "sqrt": _each(np.sqrt),
    "tan": _each(np.tan),
    "tanh": _each(np.tanh),
}
"""Functions of single values, by name."""

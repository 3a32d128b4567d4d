"""The binary operators as functions of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats

__all__ = ["ARITHMETIC", "COMPARISON", "SETS"]

ARITHMETIC: Final[dict[str, Callable[[Any, Any], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}

COMPARISON: Final[dict[str, Callable[[Any, Any], Bools]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}

SETS: Final = frozenset({"and", "or", "unless"})

"""The function library: one registry, one line a function, one module a family."""

from __future__ import annotations

from typing import Final

from workbench.engine.functions.buckets import BUCKETS
from workbench.engine.functions.clock import CLOCK
from workbench.engine.functions.function import Function
from workbench.engine.functions.info import INFO
from workbench.engine.functions.maths import MATHS
from workbench.engine.functions.over_time import OVER_TIME
from workbench.engine.functions.relabel import RELABEL
from workbench.engine.functions.shape import SHAPE

__all__ = ["FUNCTIONS", "Function"]

FUNCTIONS: Final[dict[str, Function]] = {
    **BUCKETS,
    **CLOCK,
    **INFO,
    **MATHS,
    **OVER_TIME,
    **RELABEL,
    **SHAPE,
}
"""Every function of the language that the engine has, by name."""

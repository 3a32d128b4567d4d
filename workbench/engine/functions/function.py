"""What a function is to the engine."""

from __future__ import annotations

from collections.abc import Callable

from workbench.engine.context import Call
from workbench.engine.values import Value

__all__ = ["Function"]

Function = Callable[[Call], Value]
"""Evaluates one call; it evaluates its own arguments, on the steps it chooses."""

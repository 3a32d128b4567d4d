"""A question an analysis wants asked: PromQL on a window, under a key of the analysis' own."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.window import Window

__all__ = ["Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """What an analysis wants to know; whoever holds a source asks it.

    Parameters
    ----------
    key
        How the analysis finds the answer again; unique within one plan.
    expression
        The PromQL.
    window
        The range and its grid.
    """

    key: str
    expression: str
    window: Window

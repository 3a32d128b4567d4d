"""Shapes that a relation may have: a line, a curve of the second degree, a line with a bend.

Loads are divided by the highest load seen, so that all terms are of one size. No shape turns
back: where a curve would, it stays level, since more load does not free what is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["DRIFT", "TERMS", "Curves", "Shape", "design"]

TERMS: Final = 5
"""Level, slope, square, bend, and what the slope gains a week: 0 at the end of the history."""

DRIFT: Final = 4
"""The place of the last of them."""


class Shape(StrEnum):
    """How usage follows load."""

    LINE = "line"
    CURVE = "curve"
    BEND = "bend"

    @property
    def terms(self) -> Ints:
        """Which of the terms it has, but for the drift."""
        return np.array({"line": (0, 1), "curve": (0, 1, 2), "bend": (0, 1, 3)}[self.value])

    @property
    def parameters(self) -> int:
        """How many figures are fitted: the place of a bend is one too."""
        return {"line": 2, "curve": 3, "bend": 4}[self.value]


def design(load: Floats, knee: float) -> Floats:
    """All terms at the loads of some days.

    Parameters
    ----------
    load
        Shape (days, slots), the newest day last; shares of the highest load seen.
    knee
        Where the bend is.

    Returns
    -------
    ndarray
        Shape (days, slots, 5).
    """
    weeks = np.arange(1 - len(load), 1)[:, None] / 7
    bend = np.maximum(load - knee, 0.0)
    return np.stack([np.ones_like(load), load, load**2, bend, weeks * load], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Possible relations of usage and load, as they are at the end of the history.

    Parameters
    ----------
    terms
        float64, shape (curves, 5).
    knee
        Where those that bend do, as a share of the highest load seen.
    """

    terms: Floats
    knee: float

    def at(self, load: Floats) -> Floats:
        """The usage at some loads.

        Parameters
        ----------
        load
            Shape (curves, n), or (n,) for all curves alike; shares of the highest load seen.

        Returns
        -------
        ndarray
            Shape (curves, n).
        """
        level, slope, square, bend = (self.terms[:, i, None] for i in range(DRIFT))
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = -slope / (2 * square)
        held = np.where(square < 0, np.minimum(load, np.maximum(turn, 0.0)), load)
        held = np.where(square > 0, np.maximum(held, turn), held)
        bend = np.where(slope >= 0, np.maximum(bend, -slope), bend)
        return np.asarray(
            level + slope * held + square * held**2 + bend * np.maximum(load - self.knee, 0.0)
        )

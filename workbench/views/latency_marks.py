"""What is drawn across pictures of latency over time: objectives, deploys, and names of lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.latency.deploys import Deploy
from workbench.samples import Floats
from workbench.views.axis import plain_text
from workbench.views.latency_axis import seconds, seconds_axis
from workbench.views.theme import COLOURS
from workbench.views.timeline import time_axis, time_text
from workbench.window import Window

__all__ = ["LINES", "Name", "Plane", "drawn_quantiles", "line_names"]

LINES: Final = (COLOURS["light"], COLOURS["usage"], COLOURS["forecast"])
"""Of quantiles, from the lowest."""

_APART: Final = 12
"""Pixels between the names at the ends of the lines."""

_HEAD: Final = 16
"""Pixels that are kept free above all data for the titles of deploys."""

_NAMED_DEPLOYS: Final = 4
"""With more in the window, their titles are left to the tooltips."""

_REACH: Final = 20.0
"""An objective so many times beyond all that was measured is not drawn."""


def drawn_quantiles(had: Sequence[float], wanted: Sequence[float]) -> tuple[float, ...]:
    """Of those that were judged the ones nearest to some.

    Examples
    --------
    >>> drawn_quantiles([0.5, 0.95, 0.999], [0.5, 0.95, 0.99])
    (0.5, 0.95, 0.999)
    """
    return tuple(sorted({min(had, key=lambda q: abs(q - w)) for w in wanted})) if had else ()


@dataclass(frozen=True, slots=True)
class Name:
    """A word beside the end of a line."""

    text: str
    at_seconds: float
    colour: str


@dataclass(frozen=True, slots=True)
class Plane:
    """Time to the right, seconds upwards on a logarithmic scale.

    Parameters
    ----------
    ends_ms
        Of the time.
    low, high
        Seconds at the bottom and the top.
    height
        In pixels.
    objectives
        In seconds: those that stand on it.
    deploys
        Those inside the time.
    """

    ends_ms: tuple[int, int]
    low: float
    high: float
    height: int
    objectives: tuple[float, ...]
    deploys: tuple[Deploy, ...]

    @classmethod
    def around(
        cls,
        window: Window,
        values: Floats,
        height: int,
        objectives: Iterable[float],
        deploys: Iterable[Deploy],
    ) -> Plane:
        """Hold all values and the objectives near them, with room for the titles of deploys.

        Parameters
        ----------
        window
            The time.
        values
            In seconds, of any shape; what is not finite or not above 0 has no place.
        height
            In pixels.
        objectives, deploys
            Those that may be drawn.
        """
        known = values[np.isfinite(values) & (values > 0)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.01, 1.0)
        near = tuple(x for x in objectives if low / _REACH < x < high * _REACH)
        inside = tuple(d for d in deploys if window.start_ms <= d.at_ms <= window.end_ms)
        low, high = min([low / 1.15, *(x / 1.3 for x in near)]), max([high, low * 2, *near])
        # the titles' part of the height is the same part of the logarithms
        high *= (high / low) ** (_HEAD / (height - _HEAD))
        return cls((window.start_ms, window.end_ms), low, high, height, near, inside)

    def x(self, field: str = "time", *, most: int | None = None) -> Any:
        """The axis of time."""
        return time_axis(field, ends=self.ends_ms, most=most)

    def y(self, field: str) -> Any:
        """The axis of seconds."""
        import altair as alt

        return seconds_axis(alt.Y, f"{field}:Q", self.low, self.high, most=self.height // 25)

    def objective_rules(self) -> list[Any]:
        """A dashed line for each objective."""
        import altair as alt

        if not self.objectives:
            return []
        rows = [{"at": x, "text": seconds(x)} for x in self.objectives]
        rule = alt.Chart(alt.InlineData(values=rows)).mark_rule(
            color=COLOURS["limit"], strokeDash=[6, 3], strokeWidth=1.3
        )
        return [rule.encode(y=self.y("at"), tooltip=[alt.Tooltip("text:N", title="objective")])]

    def deploy_rules(self) -> list[Any]:
        """A dashed line for each deploy, with its title where there are few."""
        import altair as alt

        if not self.deploys:
            return []
        rows = [{"at": d.at_ms, "text": plain_text(d.title, most=40)} for d in self.deploys]
        base = (
            alt.Chart(alt.InlineData(values=rows))
            .transform_calculate(when=time_text("at"))
            .encode(
                x=self.x("at", most=5),
                tooltip=[
                    alt.Tooltip("text:N", title="deploy"),
                    alt.Tooltip("when:N", title="at (UTC)"),
                ],
            )
        )
        layers = [base.mark_rule(strokeDash=[3, 3], opacity=0.9)]
        if len(rows) <= _NAMED_DEPLOYS:
            text = base.mark_text(align="left", baseline="top", dx=3, dy=1, fontSize=10, limit=90)
            layers.append(text.encode(y=alt.value(0), text="text:N"))
        return layers

    def names(self, lines: Iterable[Name]) -> list[Any]:
        """Names of lines and objectives at the right, moved apart where they would meet."""
        import altair as alt

        named = [Name(seconds(x), x, COLOURS["limit"]) for x in self.objectives]
        rows, last = [], -math.inf
        for each in sorted([*named, *lines], key=lambda n: n.at_seconds):
            last = max(self._pixel(each.at_seconds), last + _APART)
            rows.append({"name": each.text, "at": self._value(last), "colour": each.colour})
        if not rows:
            return []
        mark = alt.Chart(alt.InlineData(values=rows)).mark_text(
            align="left", dx=4, fontSize=10.5, fontWeight=600
        )
        colour = alt.Color("colour:N", scale=None)
        return [mark.encode(x=alt.value("width"), y=self.y("at"), text="name:N", color=colour)]

    def _pixel(self, value: float) -> float:
        """How far above the bottom a value stands."""
        return self.height * math.log(value / self.low) / math.log(self.high / self.low)

    def _value(self, pixel: float) -> float:
        """What stands so far above the bottom."""
        return float(self.low * (self.high / self.low) ** (pixel / self.height))


def line_names(texts: Sequence[str], colours: Sequence[str], values: Floats) -> list[Name]:
    """Each line's name at its last value; none where it has no value.

    Parameters
    ----------
    texts, colours
        One a line.
    values
        Shape (points, lines), in seconds.
    """
    found = []
    for text, colour, column in zip(texts, colours, values.T, strict=True):
        known = column[np.isfinite(column) & (column > 0)]
        if len(known):
            found.append(Name(text, float(known[-1]), colour))
    return found

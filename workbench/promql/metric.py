"""What the helpers for all metric types share: which series are meant, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from workbench.errors import InputError
from workbench.promql.build import LabelValue, Selection, matchers_of, render_selector
from workbench.promql.expression import Expression, RangeExpression
from workbench.promql.matcher import Matcher
from workbench.promql.syntax import duration
from workbench.units import Duration
from workbench.window import Time, parse_time

__all__ = ["Metric"]


@dataclass(frozen=True, slots=True, init=False)
class Metric:
    """A metric, and the conditions on its labels.

    Parameters
    ----------
    name
        The metric's name.
    labels, **matchers
        Conditions, as `workbench.promql.selector` takes them.

    Attributes
    ----------
    name
        The metric's name.
    matchers
        The conditions, sorted.
    shift
        ``offset`` and ``@`` of every selector made from this.
    """

    name: str
    matchers: tuple[Matcher, ...]
    shift: str

    def __init__(
        self, name: str, /, labels: Selection | None = None, **matchers: LabelValue
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "matchers", matchers_of(labels, matchers))
        object.__setattr__(self, "shift", "")

    def where(self, labels: Selection | None = None, /, **matchers: LabelValue) -> Self:
        """Add conditions.

        Examples
        --------
        >>> print(Metric("up", job="api").where(zone="eu").value())
        up{job="api",zone="eu"}
        """
        return self._changed(
            matchers=tuple(sorted({*self.matchers, *matchers_of(labels, matchers)}))
        )

    def offset(self, by: Duration) -> Self:
        """Look at an earlier time.

        Examples
        --------
        >>> print(Metric("up").offset("1w").value())
        up offset 7d
        """
        self._refuse_second(" offset")
        return self._changed(shift=f"{self.shift} offset {duration(by)}")

    def at(self, moment: Time) -> Self:
        """Look at one fixed time (``@``), or at the query's ``start()`` or ``end()``.

        Examples
        --------
        >>> print(Metric("up").at("2026-01-01").value())
        up @ 1767225600
        """
        self._refuse_second(" @")
        if moment in ("start()", "end()"):
            return self._changed(shift=f"{self.shift} @ {moment}")
        milliseconds = parse_time(moment, now_ms=0)
        if milliseconds < 0 or (isinstance(moment, str) and moment.startswith("now")):
            msg = f"{moment!r} is not a fixed time after 1970"
            raise InputError(msg, "give a date, a time, start() or end()")
        seconds, rest = divmod(milliseconds, 1000)
        return self._changed(shift=f"{self.shift} @ {seconds}{f'.{rest:03d}' if rest else ''}")

    def value(self) -> Expression:
        """The series themselves."""
        return Expression(self._text())

    def over(self, period: Duration) -> RangeExpression:
        """The samples of a time before each moment.

        Examples
        --------
        >>> print(Metric("up").over("1h").min())
        min_over_time(up[1h])
        """
        return RangeExpression(self._text(period=period))

    def _text(self, suffix: str = "", *more: Matcher, period: Duration | None = None) -> str:
        """A selector for one of the metric's names, with a range where one is given."""
        found = (Matcher("__name__", "=", self.name + suffix), *sorted({*self.matchers, *more}))
        window = "" if period is None else f"[{duration(period)}]"
        return f"{render_selector(found)}{window}{self.shift}"

    def _refuse_second(self, modifier: str) -> None:
        if modifier in self.shift:
            msg = f"{self.name} already has{self.shift}"
            raise InputError(msg, "set each of offset and @ once")

    def _changed(self, **fields: object) -> Self:
        fresh = object.__new__(type(self))
        for name in self.__dataclass_fields__:
            object.__setattr__(fresh, name, fields.get(name, getattr(self, name)))
        return fresh

"""What a query touches: metrics, labels, functions, and how far back it reads.

A source estimates costs with it, a snapshot learns what to copy, an audit learns which labels
someone relies on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from workbench.promql.durations import Clock
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import kind_of, parse
from workbench.promql.visit import Notes, visit
from workbench.window import Window

__all__ = ["LOOKBACK_MS", "Inspection", "Read", "inspect"]

LOOKBACK_MS: Final = 300_000
"""How far back Prometheus looks for a sample where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of a query, and which stretch of time it reads.

    Parameters
    ----------
    matchers
        Its conditions, the metric's name among them, sorted.
    clock
        What the times below count from: ``time`` (each moment of the evaluation), ``start`` or
        ``end`` (of the window), or a fixed moment in milliseconds since the epoch (``@``).
    back_ms, until_ms
        It reads from `back_ms` to `until_ms` before that; negative means after it.
    """

    matchers: tuple[Matcher, ...]
    clock: Literal["time", "start", "end"] | int
    back_ms: int
    until_ms: int

    @property
    def metric(self) -> str:
        """The metric's name where it is told exactly, else ``""``."""
        return next((m.value for m in self.matchers if m.name == "__name__" and m.op == "="), "")

    def span(self, window: Window) -> tuple[int, int]:
        """First and last millisecond that it reads when asked over a window."""
        first, last = {
            "time": (window.start_ms, window.end_ms),
            "start": (window.start_ms, window.start_ms),
            "end": (window.end_ms, window.end_ms),
        }.get(str(self.clock), (self.clock, self.clock))
        return int(first) - self.back_ms, int(last) - self.until_ms


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a query touches; every tuple of names is sorted and without repetition.

    Parameters
    ----------
    expression
        The query.
    kind
        What it evaluates to: ``scalar``, ``vector``, ``matrix`` or ``string``.
    reads
        Its selectors, in the order in which they stand.
    functions, aggregations
        What it calls and how it aggregates.
    grouped, dropped
        Labels after ``by`` and after ``without``.
    joined
        Labels after ``on`` and ``ignoring``, and those that ``group_left`` or ``group_right`` copy.
    copied, written
        Labels that label functions read, and those that these or ``count_values`` write.
    ranges_ms, offsets_ms
        The ranges and offsets that occur, ascending.
    subqueries_ms
        Range and step of each subquery; the step is None where it is the server's own.
    uses_bounds
        Whether it depends on where the window starts or ends, so that it cannot be split.
    lookback_ms
        How far back an instant selector looks.
    """

    expression: str
    kind: str
    reads: tuple[Read, ...]
    functions: tuple[str, ...]
    aggregations: tuple[str, ...]
    grouped: tuple[str, ...]
    dropped: tuple[str, ...]
    joined: tuple[str, ...]
    copied: tuple[str, ...]
    written: tuple[str, ...]
    ranges_ms: tuple[int, ...]
    offsets_ms: tuple[int, ...]
    subqueries_ms: tuple[tuple[int, int | None], ...]
    uses_bounds: bool
    lookback_ms: int = LOOKBACK_MS

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that are named exactly."""
        return tuple(sorted({read.metric for read in self.reads} - {""}))

    @property
    def name_patterns(self) -> tuple[Matcher, ...]:
        """Other conditions on metrics' names."""
        found = {m for r in self.reads for m in r.matchers if m.name == "__name__" and m.op != "="}
        return tuple(sorted(found))

    @property
    def matched(self) -> tuple[str, ...]:
        """Labels that selectors have conditions on, without ``__name__``."""
        return tuple(sorted({m.name for r in self.reads for m in r.matchers} - {"__name__"}))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that it names in any way, without ``__name__``."""
        parts = (self.matched, self.grouped, self.dropped, self.joined, self.copied, self.written)
        return tuple(sorted({name for part in parts for name in part} - {"__name__"}))

    @property
    def reach_ms(self) -> int:
        """How far before the moment of evaluation it reads; selectors with a fixed ``@`` aside."""
        return max((r.back_ms for r in self.reads if isinstance(r.clock, str)), default=0)

    def span(self, window: Window) -> tuple[int, int]:
        """First and last millisecond of the samples that it needs for a window.

        Examples
        --------
        >>> inspect("rate(x[5m] offset 1h)").span(Window(7_200_000, 7_260_000, 60_000))
        (3300000, 3660000)
        """
        reads = self.reads
        if self.uses_bounds:  # durations may depend on the window, which is known only now
            reads = inspect(self.expression, lookback_ms=self.lookback_ms, window=window).reads
        spans = [read.span(window) for read in reads]
        if not spans:
            return window.start_ms, window.end_ms
        return min(s[0] for s in spans), max(s[1] for s in spans)


def inspect(
    expression: str, *, lookback_ms: int = LOOKBACK_MS, window: Window | None = None
) -> Inspection:
    """Say what a query touches.

    Parameters
    ----------
    expression
        PromQL.
    lookback_ms
        How far back the server looks for a sample of an instant selector.
    window
        What it is asked over. Without it, a duration that depends on the window, such as
        ``[step()]``, is left out of `ranges_ms` and `subqueries_ms`, and counts as 0 in `reads`;
        `Inspection.span` knows the window and takes it into account.

    Raises
    ------
    QueryError
        The expression is no PromQL.

    Examples
    --------
    >>> found = inspect('sum by (job) (rate({__name__="x",code=~"5.."}[5m] offset 1h))')
    >>> found.metrics, found.labels, found.functions, found.reach_ms
    (('x',), ('code', 'job'), ('rate',), 3900000)
    """
    clock = None if window is None else Clock(window.step_ms, window.end_ms - window.start_ms)
    tree = parse(expression, clock)
    notes = Notes()
    visit(tree, notes, lookback_ms)
    return Inspection(
        expression=str(expression),
        kind=kind_of(tree),
        reads=tuple(Read(*read) for read in notes.reads),
        ranges_ms=tuple(sorted(notes.ranges_ms)),
        offsets_ms=tuple(sorted(notes.offsets_ms)),
        subqueries_ms=tuple(notes.subqueries_ms),
        uses_bounds=notes.uses_bounds,
        lookback_ms=lookback_ms,
        **{role: tuple(sorted(names)) for role, names in notes.names.items()},
    )

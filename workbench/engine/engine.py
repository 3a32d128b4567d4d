"""The engine: PromQL text in, frames out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.engine.context import Query
from workbench.engine.evaluator import Evaluator
from workbench.engine.kernels.windows import blocks
from workbench.engine.labels import without_metadata
from workbench.engine.limits import Limits, Meter, never
from workbench.engine.native.edge import api_histograms
from workbench.engine.storage import Storage
from workbench.engine.values import Grid, Ranges, Value, Vector, key_of, merged
from workbench.errors import QueryError
from workbench.frame import Frame, Kind
from workbench.promql.durations import Clock
from workbench.promql.parsing import kind_of, nested_too_deeply, parse
from workbench.promql.tree import Expr
from workbench.samples import Samples, StartedSeries
from workbench.window import Window

__all__ = ["DEFAULT_LOOKBACK_MS", "Engine", "Evaluation"]

DEFAULT_LOOKBACK_MS = 300_000
"""How old a sample may be and still count, as Prometheus has it by default: five minutes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a query gave.

    Parameters
    ----------
    data
        A `Frame`; of an instant query for a range vector, raw `Samples`.
    warnings, infos
        Annotations in Prometheus' wording, without the place in the query.
    samples_read
        Samples that came from storage.
    """

    data: Frame | Samples
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    samples_read: int = 0


class Engine:
    """Evaluates PromQL 3.x over a `Storage`.

    Windows and lookback are open on the left, ``(t - range, t]``; a staleness marker ends a
    series; metric names are dropped at the very end of a query.

    Parameters
    ----------
    storage
        Where samples come from.
    lookback_ms
        How old a sample may be and still count at a step.
    limits
        The bounds of every query.
    heed
        Called between operations; what it raises ends the query, for nobody waits for it any more.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        lookback_ms: int = DEFAULT_LOOKBACK_MS,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        heed: Callable[[], None] = never,
    ) -> None:
        self._storage = storage
        self._lookback_ms = lookback_ms
        self._limits = limits
        self._heed = heed

    def instant(self, expression: str, at_ms: int) -> Evaluation:
        """Evaluate at one moment.

        Parameters
        ----------
        expression
            The PromQL.
        at_ms
            When, in milliseconds since the epoch.

        Raises
        ------
        QueryError
            The expression is wrong, or its values cannot be combined.
        NotSupportedError
            The engine does not have what it asks for.
        TooExpensiveError
            It passes a limit.
        """
        return self._run(expression, Grid(np.array([at_ms], np.int64), at_ms, at_ms, 0))

    def range(self, expression: str, start_ms: int, end_ms: int, step_ms: int) -> Evaluation:
        """Evaluate at every step from start to end, both included.

        Parameters
        ----------
        expression
            The PromQL: an instant vector or a scalar.
        start_ms, end_ms, step_ms
            The grid, milliseconds.

        Returns
        -------
        Evaluation
            Its data is a matrix, series sorted by their labels.

        Raises
        ------
        InputError
            The end is before the start, or the step is not above 0.
        QueryError, NotSupportedError, TooExpensiveError
            As for `instant`.
        """
        window = Window(start_ms, end_ms, step_ms)
        Meter(self._limits).hold(1, len(window))  # before the grid itself takes the memory
        grid = Grid(window.steps, start_ms, end_ms, step_ms)
        return self._run(expression, grid, instant=False)

    def _run(self, expression: str, grid: Grid, *, instant: bool = True) -> Evaluation:
        clock = Clock(grid.step_ms, grid.end_ms - grid.start_ms)
        root = parse(expression, clock)
        if not instant and kind_of(root) in ("matrix", "string"):
            msg = f"{expression!r} is a range vector or a string, which a range query cannot give"
            raise QueryError(msg, "wrap it in a function such as rate() or last_over_time()")
        query = Query(self._storage, self._lookback_ms, Meter(self._limits, self._heed), instant)
        query.meter.hold(1, len(grid))
        with np.errstate(all="ignore"):
            value = _evaluated(query, root, grid, expression)
            query.meter.tick()
            data = (
                _samples(value)
                if isinstance(value, Ranges)
                else _frame(value, grid, expression, instant)
            )
        notes = query.notes
        return Evaluation(data, notes.warnings, notes.infos, query.meter.samples_read)


def _evaluated(query: Query, root: Expr, grid: Grid, expression: str) -> Value:
    try:
        return Evaluator(query).evaluate(root, grid)
    except RecursionError:
        raise nested_too_deeply(expression) from None


def _samples(ranges: Ranges) -> Samples:
    """The samples of the only window."""
    series: list[StartedSeries] = []
    for chosen, windows in blocks(ranges):
        base = int(ranges.offsets[chosen.start])
        for i, labels in enumerate(_final_labels(ranges.labels[chosen], ranges.drop_name[chosen])):
            rows = slice(int(windows.low[i, 0]), int(windows.high[i, 0]))
            if rows.start < rows.stop:
                whole = slice(base + rows.start, base + rows.stop)
                native = None if ranges.histograms is None else ranges.histograms[whole]
                starts = None if ranges.starts_ms is None else ranges.starts_ms[whole]
                columns = windows.times_ms[rows], windows.values[rows], native, starts
                series.append((labels, *columns))
    return Samples.from_series(series)


def _final_labels(labels: Sequence[Any], drop_name: Any) -> list[Any]:
    """Labels with the names dropped that were to be dropped."""
    return [
        without_metadata(x) if drop else x
        for x, drop in zip(labels, drop_name.tolist(), strict=True)
    ]


def _frame(value: Value, grid: Grid, expression: str, instant: bool) -> Frame:  # noqa: FBT001 - private
    times = grid.times_ms
    if isinstance(value, str):
        return Frame(
            "string", (), times, np.empty((0, 1)), np.zeros((0, 1), bool), expression, text=value
        )
    kind: Kind = "vector" if instant else "matrix"
    if isinstance(value, np.ndarray):
        value = Vector.one({}, value)
        kind = "scalar" if instant else "matrix"
    assert isinstance(value, Vector)
    some = value.present.any(axis=1)
    filled = value if some.all() else value.take(np.flatnonzero(some))
    result = merged(replace(filled, labels=_final_labels(filled.labels, filled.drop_name)))
    order = list(range(len(result)))
    if not instant:
        order.sort(key=lambda i: key_of(result.labels[i]))
    result = result.take(np.array(order, np.int64))
    values = result.values  # its own since the line above
    values[~result.present] = np.nan
    native = api_histograms(result)
    return Frame(kind, tuple(result.labels), times, values, result.present, expression, native)

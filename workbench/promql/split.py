"""When a long range may be asked in pieces, and in which.

Servers refuse a range query of more than 11,000 points a series; pieces that are asked at once
also come back sooner. The pieces join to the whole range without gap or overlap, on its own grid.
"""

from __future__ import annotations

from workbench.errors import InputError, QueryError
from workbench.promql.inspection import inspect
from workbench.window import MAX_POINTS, Window

__all__ = ["split_range"]


def split_range(
    window: Window,
    max_points: int = MAX_POINTS,
    piece_points: int | None = None,
    *,
    expression: str = "",
) -> list[Window]:
    """Cut a window into pieces of nearly equal length.

    Parameters
    ----------
    window
        The whole range.
    max_points
        No piece has more points than this.
    piece_points
        How many points a piece should have, to ask several at once; `max_points` where not given.
    expression
        The query; one that depends on where the window starts or ends (``@ end()``) stays whole.

    Returns
    -------
    list of Window
        In order of time; their steps together are the window's steps.

    Raises
    ------
    QueryError
        The query depends on the window's ends and the window has more points than `max_points`.
    InputError
        `max_points` or `piece_points` is below 1.

    Examples
    --------
    >>> pieces = split_range(Window(0, 10_000, 1_000), max_points=5)
    >>> [len(piece) for piece in pieces]
    [4, 4, 3]
    >>> len(split_range(Window(0, 10_000, 1_000), 11, 5, expression="x / (x @ start())"))
    1
    """
    wanted = max_points if piece_points is None else min(piece_points, max_points)
    if wanted < 1:
        msg = f"pieces of {wanted} points are asked for"
        raise InputError(msg, "give at least 1 point a piece")
    points = len(window)
    if points <= wanted:
        return [window]
    if expression and inspect(expression).uses_bounds:
        if points <= max_points:
            return [window]
        msg = f"{expression} depends on the ends of the window, so its {points:,} points cannot be asked in pieces"
        raise QueryError(msg, f"take a longer step: at most {max_points:,} points go at once")
    count = -(-points // wanted)
    return list(window.split(-(-points // count)))

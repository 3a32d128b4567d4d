"""What a source refuses, in the shapes of the HTTP API: a type of error and an HTTP status.

Prometheus has these (web/api/v1): ``bad_data`` 400, ``execution`` 422, ``timeout`` and
``unavailable`` 503, ``not_found`` 404. A source that fails is *unavailable*: this server itself
is well, and whoever asks may ask again.
"""

from __future__ import annotations

from typing import Final

from workbench.errors import (
    InputError,
    NotSupportedError,
    QueryError,
    SnapshotError,
    SourceError,
    TimedOutError,
    TooExpensiveError,
    WorkbenchError,
)
from workbench.promql import parse
from workbench.serving.exchange import Refusal

__all__ = ["timed_out", "too_busy", "translated"]

_SHAPES: Final[tuple[tuple[type[WorkbenchError], int, str, str], ...]] = (
    (TooExpensiveError, 422, "execution", "limit exceeded: "),
    (TimedOutError, 503, "timeout", "query timed out in expression evaluation: "),
    (NotSupportedError, 422, "execution", "not supported: "),
    (SourceError, 503, "unavailable", ""),
    (SnapshotError, 503, "unavailable", ""),
    (InputError, 400, "bad_data", ""),
)
"""The first that fits: an error, its HTTP status, its type and what its message begins with.

The words of the first two are those by which clients tell such errors apart.
"""

_RETRY: Final = {"Retry-After": "1"}


def translated(error: WorkbenchError, expression: str | None = None) -> Refusal:
    """Put an error of the workbench into the API's shape.

    Parameters
    ----------
    error
        What a source raised.
    expression
        The query that was to be evaluated; None where none was.
    """
    message = str(error)
    if isinstance(error, QueryError):
        if expression is not None and _is_promql(expression):
            return Refusal(422, "execution", message)
        name = "match[]" if expression is None else "query"
        return Refusal(400, "bad_data", f'invalid parameter "{name}": {message}')
    if isinstance(error, NotSupportedError) and expression is None:
        return Refusal(404, "not_found", message)
    for errors, status, kind, prefix in _SHAPES:
        if isinstance(error, errors):
            return Refusal(status, kind, prefix + message)
    return Refusal(422, "execution", message)


def timed_out(seconds: float, where: str = "expression evaluation") -> Refusal:
    """The refusal of a query that took too long, or waited too long for its turn."""
    message = f"query timed out in {where}: no answer within {seconds:g} s"
    return Refusal(503, "timeout", message)


def too_busy(waiting: int) -> Refusal:
    """The refusal of a request for which there is no room."""
    message = f"too many requests: {waiting} wait already; ask again later"
    return Refusal(503, "unavailable", message, _RETRY)


def _is_promql(expression: str) -> bool:
    try:
        parse(expression)
    except WorkbenchError:
        return False
    return True

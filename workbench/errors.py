"""Every way in which the workbench can refuse, and what to do about each.

The tree, with the exit code a command ends with::

    WorkbenchError
    ├── InputError ················ 2   what was typed, or a file's content, is wrong
    │   ├── QueryError                  PromQL that does not parse or type-check
    │   ├── SettingsError               workbench.toml, the environment, a source URL
    │   ├── ParameterError              a report's parameter: unknown, or of the wrong type
    │   ├── SnapshotError               a snapshot that is missing, corrupt or half-written
    │   ├── BadRowsError                rows or lines that cannot be imported
    │   ├── OutputError                 a file or folder that cannot be written
    │   └── MissingExtraError           a part of the workbench that is not installed
    ├── SourceError ··············· 3   a source could not answer
    │   ├── UnreachableError            no connection, or it broke while answering
    │   ├── RefusedError                the login or the permission was refused
    │   ├── TimedOutError               no answer in time
    │   ├── TooExpensiveError           the source, or our own limits, refuse the amount of work
    │   ├── NotSupportedError           this source, or our engine, has no such feature
    │   └── BadAnswerError              an answer that is no Prometheus API answer
    └── ReportError ··············· 4   a report failed for another reason

Each message says what was wrong, with the value, and then what to do next. Secrets never
stand in either part: whoever raises is responsible for that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "BadAnswerError",
    "BadRowsError",
    "InputError",
    "MissingExtraError",
    "NotSupportedError",
    "OutputError",
    "ParameterError",
    "QueryError",
    "RefusedError",
    "ReportError",
    "SettingsError",
    "SnapshotError",
    "SourceError",
    "TimedOutError",
    "TooExpensiveError",
    "UnreachableError",
    "WorkbenchError",
    "did_you_mean",
]


class WorkbenchError(Exception):
    """The root of the tree: catch this to catch all that the workbench raises on purpose.

    Parameters
    ----------
    what
        What was wrong, with the offending value, as one sentence.
    mend
        What to do next, as one sentence; empty only where the first already says it.

    Examples
    --------
    >>> str(WorkbenchError("step is 0s", "give a step above 0, such as 1m"))
    'step is 0s: give a step above 0, such as 1m'
    """

    exit_code: ClassVar[int] = 2
    """What a command ends with when this error stops it."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}" if self.mend else self.what


class InputError(WorkbenchError):
    """What was typed, or the content of a file, is wrong."""


class QueryError(InputError):
    """PromQL that does not parse or type-check; carries the server's own message and place."""


class SettingsError(InputError):
    """`workbench.toml`, the environment or a source URL is wrong."""


class ParameterError(InputError):
    """A report's parameter is unknown or of the wrong type."""


class SnapshotError(InputError):
    """A snapshot is missing, corrupt, half-written or of an unknown version."""


class BadRowsError(InputError):
    """Rows or lines of a file that cannot be imported."""


class OutputError(InputError):
    """A file or folder cannot be written."""


class MissingExtraError(InputError):
    """A part of the workbench that is not installed; the message says how to get it."""

    def __init__(self, what: str, extra: str = "lab") -> None:
        super().__init__(
            f"{what} needs the extra {extra!r}, which is not installed",
            f"run: pip install 'observability-workbench[{extra}]'",
        )


class SourceError(WorkbenchError):
    """A source could not answer."""

    exit_code: ClassVar[int] = 3


class UnreachableError(SourceError):
    """No connection could be made, or it broke while the source was answering."""


class RefusedError(SourceError):
    """The source refused the login or the permission."""


class TimedOutError(SourceError):
    """No answer came in time."""


class TooExpensiveError(SourceError):
    """The source, or a limit of our own, refused the amount of work."""


class NotSupportedError(SourceError):
    """This source, or the embedded engine, has no such feature."""


class BadAnswerError(SourceError):
    """An answer that is not one of the Prometheus HTTP API (HTML, truncated, garbled)."""


class ReportError(WorkbenchError):
    """A report failed for a reason that is neither its input nor its source."""

    exit_code: ClassVar[int] = 4


def did_you_mean(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """Suggest the nearest known names, ready to stand at the end of a message.

    Parameters
    ----------
    name
        What was typed.
    known
        The names that exist.
    most
        How many suggestions at the most.

    Returns
    -------
    str
        ``"did you mean 'a' or 'b'?"``, or ``""`` where nothing is near.

    Examples
    --------
    >>> did_you_mean("http_request_total", ["http_requests_total", "up"])
    "did you mean 'http_requests_total'?"
    """
    near = difflib.get_close_matches(name, list(known), n=most, cutoff=0.6)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""

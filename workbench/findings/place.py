"""Where something stands."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Place"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, or of what a URL answered.

    Parameters
    ----------
    path
        The file, relative to the folder that was read and with ``/`` between its parts; or a URL
        without secrets.
    line, column
        Counted from 1; 0 where the whole file is meant.

    Examples
    --------
    >>> str(Place("api/server.go", 12, 5))
    'api/server.go:12'
    """

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

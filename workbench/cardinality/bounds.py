"""How many series there will be: at least, as expected, at most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["SeriesBounds", "total"]


@dataclass(frozen=True, slots=True)
class SeriesBounds:
    """A number of series that is not known exactly.

    Parameters
    ----------
    least
        What has been seen, or follows from what has.
    expected
        What the observed combinations of values make likely.
    most
        What cannot be exceeded; None where nothing bounds it.

    Examples
    --------
    >>> SeriesBounds(2, 3, 6) * 2 + SeriesBounds.exactly(1)
    SeriesBounds(least=5, expected=7, most=13)
    """

    least: int
    expected: int
    most: int | None

    @classmethod
    def exactly(cls, series: int) -> SeriesBounds:
        """A number that is known."""
        return cls(series, series, series)

    def __add__(self, other: SeriesBounds) -> SeriesBounds:
        most = None if self.most is None or other.most is None else self.most + other.most
        return SeriesBounds(self.least + other.least, self.expected + other.expected, most)

    def __mul__(self, times: int) -> SeriesBounds:
        most = None if self.most is None else self.most * times
        return SeriesBounds(self.least * times, self.expected * times, most)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `most` is null where nothing bounds it."""
        return {"least": self.least, "expected": self.expected, "most": self.most}


def total(parts: Iterable[SeriesBounds]) -> SeriesBounds:
    """The sum of some numbers of series."""
    result = SeriesBounds.exactly(0)
    for part in parts:
        result += part
    return result

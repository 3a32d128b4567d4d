"""A figure that is known between bounds: a factor that is supposed, or money that follows from it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import InputError

__all__ = ["Range", "parse_range"]

_NUMBER: Final = r"\d+(?:\.\d+)?|\.\d+"
_TEXT: Final = re.compile(
    rf"\s*({_NUMBER})\s*(?:(?:-|–|\.\.|to)\s*({_NUMBER})\s*)?[x×]?\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds, and what is expected between them.

    Parameters
    ----------
    low, expected, high
        Ascending.
    source
        Who says so; empty where it was computed.

    Raises
    ------
    InputError
        They do not ascend, or are no finite numbers.

    Examples
    --------
    >>> Range(1.0, 2.0, 4.0).text()
    '1–4 ×'
    """

    low: float
    expected: float
    high: float
    source: str = ""

    def __post_init__(self) -> None:
        if not -math.inf < self.low <= self.expected <= self.high < math.inf:
            msg = f"{self.low:g}, {self.expected:g} and {self.high:g} are no range"
            raise InputError(msg, "give finite numbers that ascend: least, expected, most")

    @classmethod
    def between(cls, low: float, high: float, source: str = "") -> Range:
        """Take the geometric mean of two positive bounds as expected: twice is as far as half."""
        middle = min(max(math.sqrt(low * high), low), high)
        return cls(low, middle, high, source)

    @property
    def is_sure(self) -> bool:
        """Whether both bounds are one."""
        return self.low == self.high

    def text(self) -> str:
        """The range as a factor."""
        if self.is_sure:
            return f"{self.expected:.3g} ×"
        return f"{self.low:.3g}–{self.high:.3g} ×"

    def to_dict(self) -> dict[str, float | str]:
        """The JSON form."""
        found: dict[str, float | str] = {
            "low": round(self.low, 6),
            "expected": round(self.expected, 6),
            "high": round(self.high, 6),
        }
        return found | ({"source": self.source} if self.source else {})


def parse_range(value: object, what: str, *, least: float, most: float) -> Range:
    """Read a factor as people write it.

    Parameters
    ----------
    value
        A number, two or three ascending ones, or text: ``"0.9-1.2"``.
    what
        What to call it in a message.
    least, most
        Bounds that make sense, both included.

    Raises
    ------
    InputError
        It is none of these, or out of bounds.

    Examples
    --------
    >>> parse_range("0.9-1.6", "output", least=0.01, most=100)
    Range(low=0.9, expected=1.2, high=1.6, source='given')
    >>> parse_range(2, "output", least=0.01, most=100).is_sure
    True
    """
    if isinstance(value, Range):
        return value
    numbers = _numbers(value)
    if numbers is None or not all(least <= n <= most for n in numbers):
        msg = f"{what} is {value!r}"
        mend = f'give a number or a range such as "0.9-1.2", within {least:g} and {most:g}'
        raise InputError(msg, mend)
    if list(numbers) != sorted(numbers):
        msg = f"{what} is {value!r}, which descends"
        raise InputError(msg, "give the lower bound first")
    if len(numbers) == 3:
        return Range(numbers[0], numbers[1], numbers[2], "given")
    low, high = numbers[0], numbers[-1]
    middle = round(math.sqrt(low * high), 12) if low > 0 else (low + high) / 2
    return Range(low, min(max(middle, low), high), high, "given")


def _numbers(value: object) -> tuple[float, ...] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return (float(value),)
    if isinstance(value, str):
        found = _TEXT.fullmatch(value) if len(value) < 60 else None
        return tuple(float(n) for n in found.groups() if n) if found else None
    if not isinstance(value, Sequence) or not 2 <= len(value) <= 3:
        return None
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
    return tuple(float(n) for n in value) if numbers else None

"""Durations as PromQL 3 reads them: literals, arithmetic, and the query's own step and range.

``[5m * 2]``, ``offset -(1m + 30s)``, ``[min_of(step(), 1h)]``. They are worked out before the
parser sees the text, so what depends on the query's window needs that window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import InputError
from workbench.promql.tokens import Token
from workbench.units import parse_duration

__all__ = ["Clock", "Duration", "DurationError", "DurationReader"]

_LEVELS: Final[tuple[frozenset[str], ...]] = (frozenset("+-"), frozenset("*/%"))
_EXTREMES: Final[dict[str, Callable[[float, float], float]]] = {"min_of": min, "max_of": max}
_DEEPEST: Final = 100
_MOST_MS: Final = parse_duration("292y")
"""Prometheus counts durations in nanoseconds of 64 bits, and so has none longer than this."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What ``step()`` and ``range()`` mean in a duration: the query's own, in milliseconds."""

    step_ms: int
    range_ms: int


@dataclass(frozen=True, slots=True)
class Duration:
    """What a duration comes to; `relative` where it needs a window that is not known."""

    milliseconds: int
    relative: bool = False


class DurationError(Exception):
    """A duration that is none, and the token where that shows."""

    def __init__(self, what: str, token: Token) -> None:
        super().__init__(what)
        self.token = token


class DurationReader:
    """Reads one duration from tokens, by precedence.

    Parameters
    ----------
    tokens
        All tokens of the text.
    position
        Where to begin; afterwards, the first token that was not read.
    clock
        The query's step and range; None where they are not known.
    """

    def __init__(self, tokens: Sequence[Token], position: int, clock: Clock | None) -> None:
        self._tokens = tokens
        self.position = position
        self._clock = clock
        self._relative = False
        self._depth = 0

    def whole(self) -> Duration:
        """Read arithmetic as far as it goes: what stands in brackets, which must be above 0."""
        first = self._token()
        result = self._finished(self._sum())
        if result.milliseconds <= 0 and not result.relative:
            msg = "duration must be greater than 0"
            raise DurationError(msg, first)
        return result

    def offset(self) -> Duration:
        """Read what follows ``offset``: one duration with a sign, or arithmetic in parentheses."""
        negative = self._sign()
        value = self._atom()
        return self._finished(-value if negative else value)

    def expect_end(self) -> None:
        """Refuse words that are left over."""
        if self.position < len(self._tokens):
            token = self._tokens[self.position]
            msg = f"{token.text!r} stands in a duration where an operator is expected"
            raise DurationError(msg, token)

    def _finished(self, seconds: float) -> Duration:
        if self._relative:
            return Duration(0, relative=True)
        milliseconds = seconds * 1000
        if not math.isfinite(milliseconds) or abs(milliseconds) > _MOST_MS:
            msg = "duration is out of range"
            raise DurationError(msg, self._tokens[self.position - 1])
        return Duration(int(milliseconds))

    def _token(self) -> Token:
        if self.position >= len(self._tokens):
            msg = "the duration is not finished"
            raise DurationError(msg, self._tokens[-1])
        return self._tokens[self.position]

    def _next_is(self, *texts: str) -> bool:
        more = self.position < len(self._tokens)
        return more and self._tokens[self.position].text.lower() in texts

    def _take(self, *texts: str) -> Token:
        token = self._token()
        if texts and token.text not in texts:
            msg = f"{token.text!r} stands in a duration where {texts[0]!r} is expected"
            raise DurationError(msg, token)
        self.position += 1
        return token

    def _sign(self) -> bool:
        negative = False
        while self._next_is("+", "-"):
            negative ^= self._take().text == "-"
        return negative

    def _sum(self, level: int = 0) -> float:
        """Operators of one level, from the left."""
        if level == len(_LEVELS):
            return self._signed()
        value = self._sum(level + 1)
        while self._next_is(*_LEVELS[level]):
            token = self._take()
            value = _applied(token, value, self._sum(level + 1), known=not self._relative)
        return value

    def _signed(self) -> float:
        """A sign binds less tightly than ``^``."""
        negative = self._sign()
        value = self._power()
        return -value if negative else value

    def _power(self) -> float:
        base = self._atom()
        if not self._next_is("^"):
            return base
        token = self._take()
        return _applied(token, base, self._signed(), known=not self._relative)

    def _atom(self) -> float:
        token = self._take()
        self._depth += 1
        if self._depth > _DEEPEST:
            msg = "the duration is nested too deeply"
            raise DurationError(msg, token)
        value = self._value(token)
        self._depth -= 1
        return value

    def _value(self, token: Token) -> float:
        name = token.text.lower()
        if token.kind in ("duration", "number"):
            return _literal(token)
        if token.text == "(":
            value = self._sum()
            self._take(")")
            return value
        if name in _EXTREMES and self._next_is("("):
            self._take("(")
            first = self._sum()
            self._take(",")
            second = self._sum()
            self._take(")")
            return _EXTREMES[name](first, second)
        if name in ("step", "range") and self._next_is("("):
            self._take("(")
            self._take(")")
            return self._of_query(name)
        msg = f"{token.text!r} is no duration"
        raise DurationError(msg, token)

    def _of_query(self, name: str) -> float:
        if self._clock is None:
            self._relative = True
            return 1.0
        return (self._clock.step_ms if name == "step" else self._clock.range_ms) / 1000


def _literal(token: Token) -> float:
    try:
        if token.kind == "duration":
            return parse_duration(token.text) / 1000
        return float(int(token.text, 16)) if token.text[:2] in ("0x", "0X") else float(token.text)
    except (InputError, OverflowError):
        msg = f"{token.text!r} is no duration"
        raise DurationError(msg, token) from None


def _applied(token: Token, left: float, right: float, *, known: bool) -> float:
    """One operation; on values that are not known yet its errors mean nothing."""
    if token.text in "/%" and right == 0:
        if not known:
            return 1.0
        msg = "division by zero" if token.text == "/" else "modulo by zero"
        raise DurationError(msg, token)
    try:
        return _OPERATIONS[token.text](left, right)
    except (OverflowError, ZeroDivisionError, ValueError):
        msg = "duration is out of range"
        raise DurationError(msg, token) from None


_OPERATIONS: Final[dict[str, Callable[[float, float], float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": math.pow,
}

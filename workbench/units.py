"""Quantities as text: durations as PromQL writes them, bytes, money and shares as people read them.

Inside the workbench a duration is an integer of milliseconds; this module is where it becomes
text and where text becomes it.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal
from numbers import Integral
from typing import Final

from workbench.errors import InputError

__all__ = [
    "Duration",
    "counted",
    "format_chance",
    "format_duration",
    "format_quantity",
    "is_whole",
    "parse_duration",
]

_EXAMPLES: Final = "5m, 1h30m, 7d, or a number of seconds"

Duration = str | int | float | timedelta
"""A duration as people give it: PromQL text, a number of seconds, or a `timedelta`."""

_UNIT_MS: Final = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
"""Milliseconds of each PromQL duration unit, longest first."""

_LONGEST_MS: Final = 292 * _UNIT_MS["y"]
"""Prometheus counts durations in nanoseconds of 64 bits, and so has none longer than this."""

_DURATION: Final = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)


def parse_duration(value: Duration) -> int:
    """Read a duration.

    Parameters
    ----------
    value
        PromQL duration text (``"5m"``, ``"1h30m"``), a number of seconds (as text or number),
        or a `timedelta`.

    Returns
    -------
    int
        Milliseconds, never negative.

    Raises
    ------
    InputError
        The value is no duration, is negative, or is longer than Prometheus has them (292 years).

    Examples
    --------
    >>> parse_duration("1h30m"), parse_duration(15), parse_duration("0.5")
    (5400000, 15000, 500)
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        text = value.strip()
        match = _DURATION.fullmatch(text)
        if text and match:
            return _bounded(value, _milliseconds(match))
        try:
            seconds = float(text)
        except ValueError:
            raise _not_a_duration(value) from None
    elif isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _not_a_duration(value)
    else:
        seconds = float(value)
    if not math.isfinite(seconds) or seconds < 0:
        raise _not_a_duration(value)
    return _bounded(value, seconds * 1000)


def _milliseconds(match: re.Match[str]) -> int:
    # A number of thousands of digits is not worth reading: int() refuses it with a ValueError.
    return sum(
        int(n) * ms if len(n) <= 20 else _LONGEST_MS + 1
        for n, ms in zip(match.groups(), _UNIT_MS.values(), strict=True)
        if n
    )


def _bounded(value: Duration, milliseconds: float) -> int:
    if milliseconds > _LONGEST_MS:
        shown = value if len(str(value)) <= 40 else f"{str(value)[:40]}…"
        msg = f"{shown!r} is longer than any duration of PromQL (292y)"
        raise InputError(msg, "give a shorter one")
    return round(milliseconds)


def _not_a_duration(value: object) -> InputError:
    return InputError(f"{value!r} is not a duration", f"write {_EXAMPLES}")


def format_duration(milliseconds: int) -> str:
    """Write a duration as PromQL reads it.

    Examples
    --------
    >>> format_duration(5_400_000), format_duration(0), format_duration(604_800_000)
    ('1h30m', '0s', '7d')
    """
    if milliseconds <= 0:
        return "0s"
    parts, rest = [], int(milliseconds)
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNIT_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def counted(count: int, singular: str, plural: str = "") -> str:
    """Write how many there are of something.

    Examples
    --------
    >>> counted(1, "query", "queries"), counted(1200, "target")
    ('1 query', '1,200 targets')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def format_chance(chance: float | None) -> str:
    """Write a probability; one that is near 0 or 1 is never called certain.

    Examples
    --------
    >>> format_chance(0.004), format_chance(0.42), format_chance(1.0), format_chance(None)
    ('< 1 %', '42 %', '> 99 %', '–')
    """
    if chance is None:
        return "–"
    if chance < 0.01:
        return "< 1 %"
    return "> 99 %" if chance > 0.99 else f"{chance * 100:.0f} %"


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, of Python or numpy; ``True`` is none.

    Examples
    --------
    >>> is_whole(90), is_whole(1.5), is_whole("90"), is_whole(True)
    (True, False, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL: Final = ("", "k", "M", "G", "T", "P")


def format_quantity(value: float | Decimal, unit: str = "") -> str:
    """Write a number with its unit, short enough for a table cell.

    Parameters
    ----------
    value
        The number, in `unit`. NaN and infinities are written as such.
    unit
        ``bytes`` (binary prefixes), ``seconds``, ``ratio`` (written as a percentage), ``percent``,
        ``USD`` (or another ISO 4217 code), ``""`` (plain), or any other word, which is appended.

    Examples
    --------
    >>> format_quantity(1536, "bytes"), format_quantity(0.931, "ratio"), format_quantity(12345)
    ('1.5 KiB', '93.1 %', '12.3k')
    >>> format_quantity(0.25, "seconds"), format_quantity(Decimal("1234.5"), "USD")
    ('250 ms', '1,234.50 USD')
    """
    if isinstance(value, Decimal) or (len(unit) == 3 and unit.isupper()):
        return f"{value:,.2f} {unit}".rstrip()
    number = float(value)
    if not math.isfinite(number):
        return "no value" if math.isnan(number) else ("∞" if number > 0 else "−∞")
    if unit == "bytes":
        return _scaled(number, 1024, _BINARY, " ")
    if unit == "seconds":
        return _seconds(number)
    if unit in ("ratio", "percent"):
        percent = number * 100 if unit == "ratio" else number
        return f"{_digits(percent, 4 if 99 <= abs(percent) < 100 else 3)} %"
    text = _scaled(number, 1000, _DECIMAL, "")
    if text == "1" and unit.isalpha() and unit.endswith("s") and unit != "series":
        unit = unit[:-1]
    return f"{text} {unit}" if unit else text


def _scaled(number: float, base: int, prefixes: tuple[str, ...], space: str) -> str:
    power = 0
    while abs(number) >= base and power < len(prefixes) - 1:
        number /= base
        power += 1
    return f"{_digits(number)}{space if prefixes[power] else ''}{prefixes[power]}"


def _seconds(number: float) -> str:
    size = abs(number)
    for bound, factor, name in (
        (1e-3, 1e6, "µs"),
        (1, 1e3, "ms"),
        (120, 1, "s"),
        (7200, 1 / 60, "min"),
        (172_800, 1 / 3600, "h"),
    ):
        if size < bound and size > 0:
            return f"{_digits(number * factor)} {name}"
    return "0 s" if size == 0 else f"{_digits(number / 86_400)} d"


def _digits(number: float, significant: int = 3) -> str:
    """Three significant digits, or as many as asked, without a useless tail of zeros or an exponent below 1e6."""
    if number == 0:
        return "0"
    decimals = max(0, significant - 1 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{min(decimals, 9)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

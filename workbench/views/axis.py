"""Axes and text of charts: quantities scaled to a readable unit, names made safe to draw."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

__all__ = ["Scale", "plain_lines", "plain_text", "scale_for"]

_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SECONDS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))


@dataclass(frozen=True, slots=True)
class Scale:
    """How values of a unit stand on an axis: multiplied by `factor`, under a `title`."""

    factor: float
    title: str


def scale_for(highest: float, unit: str) -> Scale:
    """Choose the prefix in which the highest value of an axis reads best.

    Parameters
    ----------
    highest
        The highest value to be drawn, in `unit`.
    unit
        As `workbench.units.format_quantity` takes it.

    Examples
    --------
    >>> scale_for(3 * 1024**3, "bytes").title, scale_for(0.9, "ratio"), scale_for(12_000, "files")
    ('GiB', Scale(factor=100.0, title='%'), Scale(factor=0.001, title='thousand files'))
    """
    size = abs(highest)
    if unit == "ratio":
        return Scale(100.0, "%")
    if unit == "percent":
        return Scale(1.0, "%")
    if unit == "seconds":
        each, name = next(((s, n) for s, n in _SECONDS if size >= 2 * s), _SECONDS[-1])
        return Scale(1 / each, name)
    if unit == "bytes":
        power = _power(size, 1024, len(_BINARY))
        return Scale(1024.0**-power, _BINARY[power])
    power = _power(size, 1000, 4) if size >= 10_000 else 0
    words = ("", "thousand", "million", "billion")[power]
    return Scale(1000.0**-power, f"{words} {unit}".strip())


def _power(size: float, base: int, count: int) -> int:
    power = 0
    while size >= 2 * base and power < count - 1:
        size /= base
        power += 1
    return power


def plain_text(text: str, *, most: int = 200) -> str:
    r"""A name as one line of drawable characters, shortened in the middle.

    Control characters, line ends and lone surrogates become �; nothing else changes: a chart
    draws text as text, and a page escapes it.

    Examples
    --------
    >>> plain_text("a\nb"), plain_text("x" * 30, most=9)
    ('a�b', 'xxxx…xxxx')
    """
    clean = "".join("�" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    if len(clean) <= most:
        return clean
    head = most // 2
    return f"{clean[:head]}…{clean[len(clean) - (most - head - 1) :]}"


def plain_lines(text: str) -> str:
    r"""Code of any number of lines, whole: what cannot be drawn becomes �, tabs and line ends stay.

    Examples
    --------
    >>> plain_lines("a {\n\tb\x00\n}")
    'a {\n\tb�\n}'
    """
    return "\n".join(
        "\t".join(plain_text(part, most=len(part)) for part in line.split("\t"))
        for line in text.split("\n")
    )

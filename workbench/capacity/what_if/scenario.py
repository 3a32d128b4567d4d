"""What if: more or less traffic, a part gone, instances fewer or more."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from workbench.errors import InputError
from workbench.units import counted

__all__ = ["Scenario", "parse_scenario"]

_TRAFFIC: Final = re.compile(r"(?:([+-])\s*(\d+(?:\.\d+)?)\s*%|[x×*]\s*(\d+(?:\.\d+)?))", re.ASCII)
_LOST: Final = re.compile(r"""\s*([^\s=!~"'{}]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"']*?))\s*""")
_CHANGE: Final = re.compile(r"([+-])\s*(\d{1,6})", re.ASCII)
_COUNT: Final = re.compile(r"n?\s*=\s*(\d{1,6})", re.ASCII)

_MOST: Final = 100.0
"""A load so many times that of now is another system."""

DEFAULT_TRAFFIC: Final = "+30%"
"""Where nothing else is asked."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is supposed.

    Parameters
    ----------
    traffic
        By what all load is multiplied.
    lost
        Label and value of what is gone.
    change, count
        How many instances more or fewer each group has, or how many it has then.
    """

    traffic: float = 1.0
    lost: tuple[str, str] | None = None
    change: int = 0
    count: int | None = None

    @property
    def changes_instances(self) -> bool:
        """Whether groups have another number of instances then."""
        return self.change != 0 or self.count is not None

    def instances_then(self, now: int) -> int:
        """How many instances a group of `now` has then: at least 0."""
        return self.count if self.count is not None else max(now + self.change, 0)

    def describe(self) -> str:
        """The scenario in a few words.

        Examples
        --------
        >>> Scenario(1.3, ("region", "eu"), -1).describe()
        'traffic +30 %, region=eu gone, 1 instance fewer'
        """
        parts = []
        if self.traffic != 1:
            percent = (self.traffic - 1) * 100
            parts.append(
                f"traffic {percent:+.3g} %" if self.traffic < 3 else f"traffic × {self.traffic:.3g}"
            )
        if self.lost:
            parts.append(f"{self.lost[0]}={self.lost[1]} gone")
        if self.count is not None:
            parts.append(f"{counted(self.count, 'instance')} each")
        elif self.change:
            word = "fewer" if self.change < 0 else "more"
            parts.append(f"{counted(abs(self.change), 'instance')} {word}")
        return ", ".join(parts) or "traffic as it is"


def parse_scenario(traffic: str = "", lost: str = "", instances: str = "") -> Scenario:
    """Read a scenario as people write it.

    Parameters
    ----------
    traffic
        ``+30%``, ``-10%`` or ``x2``; where all three are empty, ``+30%``.
    lost
        ``label=value``: ``region=eu-west``.
    instances
        ``-1``, ``+2`` or ``n=4``, in each group of instances that are alike.

    Raises
    ------
    InputError
        A text is none of these.

    Examples
    --------
    >>> parse_scenario("x2").traffic, parse_scenario(lost="region=eu").lost
    (2.0, ('region', 'eu'))
    """
    _check_texts(traffic=traffic, lost=lost, instances=instances)
    if not (traffic.strip() or lost.strip() or instances.strip()):
        traffic = DEFAULT_TRAFFIC
    change, count = _instances(instances.strip())
    return Scenario(_factor(traffic.strip()), _lost(lost), change, count)


def _check_texts(**given: object) -> None:
    """A number is no scenario: 0.6 may mean 60 % more, or 40 % less."""
    for name, text in given.items():
        if not isinstance(text, str):
            msg = f"{name} is {text!r}, which is no text"
            raise InputError(msg, 'write traffic="+30%", lost="region=eu-west" or instances="-1"')


def _factor(text: str) -> float:
    if not text:
        return 1.0
    found = _TRAFFIC.fullmatch(text)
    factor = math.nan
    if found:
        sign, percent, times = found.groups()
        factor = float(times) if times else 1 + (-1 if sign == "-" else 1) * float(percent) / 100
    if not (math.isfinite(factor) and 0 < factor <= _MOST):
        msg = f"traffic is {text!r}"
        raise InputError(msg, "write +30%, -10% or x2: more than nothing, at most x100")
    return factor


def _lost(text: str) -> tuple[str, str] | None:
    if not text.strip():
        return None
    found = _LOST.fullmatch(text)
    value = next((g for g in found.groups()[1:] if g is not None), "") if found else ""
    if not found or not value:
        msg = f"lost is {text!r}"
        raise InputError(msg, "write label=value, such as region=eu-west")
    return found[1], value


def _instances(text: str) -> tuple[int, int | None]:
    if not text:
        return 0, None
    if change := _CHANGE.fullmatch(text):
        number = int(change[2])
        if number:
            return (-number if change[1] == "-" else number), None
    elif (count := _COUNT.fullmatch(text)) and int(count[1]):
        return 0, int(count[1])
    msg = f"instances is {text!r}"
    raise InputError(msg, "write -1, +2 or n=4: how many fewer, more, or in all, at least 1")

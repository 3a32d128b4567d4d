"""What is asked of a spend study, in the words of people, and read before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time
from importlib import resources as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import InputError
from workbench.promql.parser import given_conditions
from workbench.session.audit_names import split_names, split_selectors
from workbench.spend.budgeting.budgets import Budget, load_budgets
from workbench.spend.prices import PriceBook, load_price_book
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.profiles.shipped import load_profile
from workbench.spend.rate_limits.limits import RateLimit, load_limits
from workbench.spend.self_hosted.machines import Machine, load_machines, read_machine
from workbench.spend.unit_cost.spec import UnitSpec, load_units
from workbench.statistics.local_time import time_zone
from workbench.units import parse_duration
from workbench.window import parse_time

if TYPE_CHECKING:
    from workbench.promql.matcher import Matcher
    from workbench.units import Duration
    from workbench.window import Time

__all__ = [
    "MONTH",
    "SpendRequest",
    "Wishes",
    "check_request",
    "end_of",
    "parse_day",
    "read_wishes",
    "whole_days",
]

MONTH: Final = "month"
"""As a period: the calendar month of the last day."""

_DAY_MS: Final = 86_400_000
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NONE: Final = "none"
_SAID: Final = {"yes": True, "no": False, "true": True, "false": False}
_DEMO_FILES: Final = {
    "budgets": "llm-budgets.toml",
    "units": "llm-units.toml",
    "limits": "llm-limits.toml",
    "machines": "llm-machines.toml",
}
"""What the embedded estate says of itself where nothing else is given."""

Names = str | Path | Iterable[str | Path]


@dataclass(frozen=True, slots=True)
class SpendRequest:
    """What is asked of a study; see `Workbench.spend`."""

    last: Duration = "7d"
    history: Duration = "35d"
    end: Time | None = None
    step: Duration = "5m"
    timezone: str = "UTC"
    match: str = ""
    profiles: Names = ""
    includes_cached: str | Mapping[str, bool] = ""
    logs: Names = ""
    budgets: Names = ""
    prices: str | Path = ""
    units: Names = ""
    limits: Names = ""
    machines: Names = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as it was read: what its texts and files say.

    Parameters
    ----------
    days
        Of the period; None for the calendar month.
    history
        Days of the history at least.
    metrics
        Whether metrics are to be read at all.
    """

    days: int | None
    history: int
    step_ms: int
    metrics: bool = True
    where: tuple[Matcher, ...] = ()
    profiles: tuple[UsageProfile, ...] = ()
    includes_cached: Mapping[str, bool] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()
    book: PriceBook | None = None
    units: tuple[UnitSpec, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    machines: tuple[Machine, ...] = ()


def check_request(request: SpendRequest) -> None:
    """Read the texts and files of a request before any source is asked.

    Raises
    ------
    InputError
        A text cannot be read.
    SettingsError
        A file is missing or wrong.
    """
    read_wishes(request)
    for name in split_names(request.logs):
        if not Path(name).is_file():
            msg = f"there is no usage log {name!r}"
            raise InputError(msg, "check its path")


def read_wishes(request: SpendRequest, *, demo: bool = False) -> Wishes:
    """Read what a request says.

    Parameters
    ----------
    request
        What was asked.
    demo
        Whether the embedded estate's own files stand in for those that are not given.

    Raises
    ------
    InputError, SettingsError
        As `check_request`.
    """
    time_zone(request.timezone)
    named = [n for n in split_names(request.profiles) if n != _NONE]
    with ExitStack() as stack:
        given = {name: getattr(request, name) for name in _DEMO_FILES}
        for name, file in _DEMO_FILES.items() if demo else ():
            if not given[name]:
                shipped = packaged.files("workbench.demo").joinpath(file)
                given[name] = [stack.enter_context(packaged.as_file(shipped))]
        return Wishes(
            days=None if request.last == MONTH else whole_days(request.last, "last"),
            history=whole_days(request.history, "history"),
            step_ms=parse_duration(request.step),
            metrics=_NONE not in split_names(request.profiles),
            where=given_conditions(request.match),
            profiles=tuple(load_profile(path) for path in named),
            includes_cached=_includes_cached(request.includes_cached),
            budgets=load_budgets(Path(p) for p in split_names(given["budgets"])),
            book=load_price_book(Path(request.prices)) if request.prices else None,
            units=load_units(_selectors(given["units"])),
            limits=load_limits(Path(p) for p in split_names(given["limits"])),
            machines=_machines(given["machines"]),
        )


def end_of(request: SpendRequest, now_ms: int) -> int:
    """Give the moment before which the last day ends; a bare day is its midnight in the zone."""
    if not request.end:
        return now_ms
    if isinstance(request.end, str) and _DAY.fullmatch(request.end.strip()):
        midnight = datetime.combine(parse_day(request.end), time(), time_zone(request.timezone))
        return int(midnight.timestamp() * 1000)
    return parse_time(request.end, now_ms=now_ms)


def parse_day(given: str | date) -> date:
    """Read a calendar day.

    Raises
    ------
    InputError
        The text is none.
    """
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given).strip())
    except ValueError:
        msg = f"{str(given)[:80]!r} is no day"
        raise InputError(msg, "write it as 2026-01-31") from None


def whole_days(text: Duration, name: str) -> int:
    """Days of a duration that has a whole number of them."""
    span = parse_duration(text)
    if span < _DAY_MS or span % _DAY_MS:
        msg = f"{name} is {text!r}, which is not a number of whole days"
        more = f", or {MONTH}" if name == "last" else ""
        raise InputError(msg, f"give such as 7d{more}: spend is told by calendar days")
    return span // _DAY_MS


def _selectors(given: Names) -> list[str | Path]:
    """Selectors and files; a path of the system may hold what no selector does."""
    if isinstance(given, Path):
        return [given]
    return list(split_selectors(given) if isinstance(given, str) else given)


def _machines(given: Names) -> tuple[Machine, ...]:
    """An hour's price, such as ``2.49 USD/h x2``, or files."""
    if isinstance(given, str) and "/h" in given and not given.endswith(".toml"):
        return (read_machine(given),)
    return load_machines(Path(p) for p in split_names(given))


def _includes_cached(given: str | Mapping[str, bool]) -> Mapping[str, bool]:
    """By profile, from a mapping or from ``"bifrost=yes kong=no"``."""
    if not isinstance(given, str):
        return dict(given)
    found = {}
    for part in given.split():
        name, _, said = part.partition("=")
        if said.lower() not in _SAID:
            msg = f"includes_cached has {part[:80]!r}"
            raise InputError(msg, "write a profile and yes or no, such as bifrost=yes")
        found[name] = _SAID[said.lower()]
    return found

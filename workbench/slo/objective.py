"""What a service promises: an indicator, a target, a window, and who is told when it is at risk."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import datetime
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.errors import WorkbenchError
from workbench.slo.indicator import Availability, Latency, Query
from workbench.slo.period import CALENDAR_MS, calendar_bounds, first_start
from workbench.slo.slices import Threshold, Timeslices
from workbench.units import parse_duration

__all__ = ["Alert", "Alerting", "Indicator", "Objective"]

Indicator = Annotated[
    Availability | Latency | Query | Threshold | Timeslices, Field(discriminator="kind")
]
"""Any kind of indicator; `kind` tells which."""

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_RESERVED: Final = frozenset({"slo", "service", "slo_key", "slo_window", "alertname", "severity"})
"""Labels that the rules write themselves."""
_SHORTEST_MS: Final = 3_600_000
_LONGEST_MS: Final = 366 * 86_400_000


def _checked_labels(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            msg = f"{name!r} is not a label's name"
            raise ValueError(msg)
        if name in _RESERVED:
            msg = f"the label {name!r} is written by the rules themselves"
            raise ValueError(msg)
    return labels


class Alert(BaseModel):
    """How one of the two kinds of alert is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert: bool = Field(default=True, description="false: this kind of alert is not made")
    severity: str = Field("", description="its label `severity`; page or ticket where absent")
    labels: dict[str, str] = Field(default_factory=dict, description="more labels")
    annotations: dict[str, str] = Field(default_factory=dict, description="more annotations")

    @field_validator("labels")
    @classmethod
    def _labels(cls, labels: dict[str, str]) -> dict[str, str]:
        return _checked_labels(labels)


class Alerting(BaseModel):
    """The alerts of an objective: a page where the budget goes fast, a ticket where it goes slowly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", description="the alerts' name; SLOBudgetBurn where absent")
    labels: dict[str, str] = Field(default_factory=dict, description="labels of both")
    annotations: dict[str, str] = Field(default_factory=dict, description="annotations of both")
    page: Alert = Field(default_factory=Alert, description="someone is woken")
    ticket: Alert = Field(default_factory=Alert, description="someone looks in working hours")

    @field_validator("labels")
    @classmethod
    def _labels(cls, labels: dict[str, str]) -> dict[str, str]:
        return _checked_labels(labels)


class Objective(BaseModel):
    """One service level objective.

    Examples
    --------
    >>> from workbench.slo.indicator import Availability
    >>> sli = Availability(total="hits_total", bad='hits_total{code=~"5.."}')
    >>> one = Objective(name="answers", service="shop", target="99.9%", sli=sli)
    >>> one.key, one.target, round(one.budget, 6), one.window_ms // 86_400_000
    ('shop--answers', 0.999, 0.001, 30)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="what it is called")
    service: str = Field(min_length=1, max_length=200, description="whose promise it is")
    description: str = Field("", description="what is promised, for people")
    owner: str = Field("", description="who is to act")
    target: float = Field(description="share of good events, such as 0.999 or '99.9%'")
    window: str = Field(
        "30d", description="a duration (rolling), or day, week, month, quarter or year (calendar)"
    )
    time_zone: str = Field("UTC", description="whose midnight a calendar's window begins at")
    window_start: datetime | None = Field(
        None, description="local time at which some calendar window begins, if not at midnight"
    )
    sli: Indicator = Field(description="what is measured")
    labels: dict[str, str] = Field(default_factory=dict, description="labels of all its rules")
    annotations: dict[str, str] = Field(default_factory=dict, description="of all its alerts")
    alerting: Alerting = Field(default_factory=Alerting, description="who is told, and how")
    min_events: float = Field(
        0, ge=0, allow_inf_nan=False, description="alerts wait for so many events in their window"
    )

    @field_validator("name", "service")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.strip() or not text.isprintable():
            msg = "a name is one line of printable characters"
            raise ValueError(msg)
        return text.strip()

    @field_validator("target", mode="before")
    @classmethod
    def _share(cls, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            msg = "it is no number; write 0.999 or '99.9%'"
            raise ValueError(msg)  # noqa: TRY004 - pydantic takes ValueError alone
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            msg = f"{value!r} is no share; write 0.999 or '99.9%'"
            raise ValueError(msg) from None
        share = float(f"{number / 100:.15g}") if text.endswith("%") else number
        if not (math.isfinite(share) and 0 < share < 1):
            meant = number if 1 < number < 100 else 99.9
            mend = f"write {meant / 100:.15g} or '{meant:.15g}%'"
            msg = f"{value!r} is not between 0 and 1; {mend}"
            raise ValueError(msg)
        return share

    @field_validator("sli", mode="before")
    @classmethod
    def _kind(cls, value: Any) -> Any:
        if isinstance(value, dict) and "kind" not in value:
            msg = "kind is missing; it is availability, latency, query, threshold or timeslices"
            raise ValueError(msg)
        return value

    @field_validator("window")
    @classmethod
    def _length(cls, text: str) -> str:
        if text in CALENDAR_MS:
            return text
        try:
            length = parse_duration(text)
        except WorkbenchError:
            msg = f"{text!r} is neither a duration such as 30d nor {', '.join(CALENDAR_MS)}"
            raise ValueError(msg) from None
        if not _SHORTEST_MS <= length <= _LONGEST_MS:
            msg = f"{text!r} is not between 1h and 1y"
            raise ValueError(msg)
        return text

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            msg = f"{name!r} is no time zone; write one such as Europe/Berlin"
            raise ValueError(msg) from None
        return name

    @field_validator("labels")
    @classmethod
    def _labels(cls, labels: dict[str, str]) -> dict[str, str]:
        return _checked_labels(labels)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not self.is_calendar and (self.window_start is not None or self.time_zone != "UTC"):
            msg = f"a rolling window ({self.window}) has no time zone and no start"
            raise ValueError(msg)
        if self.window_start is not None and self.window_start.tzinfo is not None:
            msg = "window_start is a local time: leave its offset out and give time_zone"
            raise ValueError(msg)
        if self.min_events and not self.sli.has_counts:
            msg = "min_events needs numbers of events, and its query gives only a ratio"
            raise ValueError(msg)
        return self

    @property
    def budget(self) -> float:
        """The share of events that may be bad: 1 - target."""
        return float(f"{1 - self.target:.12g}")  # 1 - 0.999 is 0.0010000000000000009

    @property
    def is_calendar(self) -> bool:
        """Whether its window follows the calendar."""
        return self.window in CALENDAR_MS

    @property
    def window_ms(self) -> int:
        """The window's length in milliseconds; a calendar's nominal one (a month has 30 days)."""
        return CALENDAR_MS.get(self.window) or parse_duration(self.window)

    def period(self, at_ms: int) -> tuple[int, int]:
        """Start and end, in milliseconds since the epoch, of its window at a moment.

        A rolling window ends at the moment; a calendar's holds it and may end later.
        """
        if not self.is_calendar:
            return at_ms - self.window_ms, at_ms
        first = self.window_start or first_start(self.window)
        return calendar_bounds(self.window, self.time_zone, first, at_ms)

    @property
    def key(self) -> str:
        """Its identity in file names, rules and questions: lower case letters, digits and hyphens.

        Where that loses something of the names, a digest of them keeps different ones apart.
        """
        plain = [
            _UNSAFE.sub("-", part.lower()).strip("-")[:60] for part in (self.service, self.name)
        ]
        key = "--".join(plain)
        if plain == [self.service, self.name]:
            return key
        digest = hashlib.sha256(f"{self.service}\n{self.name}".encode()).hexdigest()[:8]
        return f"{key}--{digest}"

"""`schedule.toml`: which report runs when, checked before anything waits for it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.errors import MissingExtraError, ParameterError, SettingsError
from workbench.reporting.catalogue import check_parameters, find_report
from workbench.validation import explain_validation

__all__ = ["Due", "Entry", "Schedule", "due", "load_schedule", "next_times"]

_ENTRY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _entry_name(text: str) -> str:
    """It becomes part of file names, unit names and commands."""
    if not _ENTRY_NAME.fullmatch(text):
        msg = (
            f"{text!r} cannot name an entry; write letters, digits, dots, dashes and underscores, "
            "a letter or digit first, such as capacity-weekly"
        )
        raise ValueError(msg)
    return text


def _cron(text: str) -> str:
    if not _croniter().is_valid(text):
        msg = f"{text!r} is no cron expression; write minute hour day month weekday, such as 0 6 * * 1"
        raise ValueError(msg)
    if len(text.split()) != 5:
        msg = f"{text!r} has {len(text.split())} fields; write five, such as 0 6 * * 1"
        raise ValueError(msg)
    try:
        _croniter()(text, datetime(2000, 1, 1, tzinfo=UTC), ret_type=datetime).get_next()
    except ValueError:  # what croniter raises for 31 February
        msg = f"{text!r} never comes; check the day and the month"
        raise ValueError(msg) from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"{text!r} is no time zone; write one such as Europe/Berlin or UTC"
        raise ValueError(msg) from None
    return text


def _croniter() -> Any:
    try:
        from croniter import croniter
    except ModuleNotFoundError:
        what = "a schedule"
        raise MissingExtraError(what) from None
    return croniter


class Entry(BaseModel):
    """One report at its times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_entry_name)] = Field(
        description="what the entry is called"
    )
    report: str = Field(description="the report's name in the catalogue")
    cron: Annotated[str, AfterValidator(_cron)] = Field(description="minute hour day month weekday")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="time zone in which the cron expression is read"
    )
    source: str | None = Field(
        None, description="a name from workbench.toml, or a URL without secrets"
    )
    output: Path | None = Field(
        None, description="folder for the pages, in place of the schedule's own"
    )
    fail_on: Literal["none", "info", "warning", "error"] = Field(
        "none", description="severity from which on findings make the run count as failed"
    )
    deadline_seconds: float = Field(900.0, gt=0, description="for the whole run")
    parameters: dict[str, Any] = Field(default_factory=dict, description="the report's parameters")

    @model_validator(mode="after")
    def _report_exists(self) -> Self:
        try:
            check_parameters(find_report(self.report), self.parameters)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        return self

    def times(self, after: datetime) -> Iterator[datetime]:
        """The times at which the entry runs, from the first after a moment on, in UTC."""
        local = after.astimezone(ZoneInfo(self.timezone))
        once_a_day = "*" not in self.cron.split()[1]
        for time in _croniter()(self.cron, local, ret_type=datetime):
            # When clocks go back an hour comes twice; what has its hour runs in the first.
            if not (once_a_day and time.fold):
                yield time.astimezone(UTC)


class Schedule(BaseModel):
    """The content of `schedule.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: tuple[Entry, ...] = Field((), alias="report", description="the [[report]] tables")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [entry.name for entry in self.entries]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            msg = f"the name {twice[0]!r} stands twice"
            raise ValueError(msg)
        return self


def load_schedule(path: Path) -> Schedule:
    """Read a `schedule.toml`.

    Raises
    ------
    SettingsError
        The file cannot be read, is no TOML, or an entry is wrong: an unknown report or parameter,
        a bad cron expression or time zone.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"schedule {path} cannot be read ({getattr(error, 'strerror', None) or error})"
        raise SettingsError(msg, "check the path, or give another with --file") from None
    except tomllib.TOMLDecodeError as error:
        msg = f"schedule {path} is not TOML: {error}"
        raise SettingsError(msg, "mend that line") from None
    try:
        schedule = Schedule.model_validate(data)
    except ValidationError as error:
        msg = f"schedule {path}: {explain_validation(error, Entry)}"
        raise SettingsError(msg, "reports/schedule.toml is an example that works") from None
    # Folders in the file are relative to the file.
    anchored = tuple(
        e.model_copy(update={"output": path.parent / e.output}) if e.output else e
        for e in schedule.entries
    )
    return schedule.model_copy(update={"entries": anchored})


class Due(BaseModel):
    """An entry whose time has come.

    `missed` counts earlier times that passed without a run; they are caught up by this one run.
    """

    model_config = ConfigDict(frozen=True)

    entry: Entry
    time: datetime
    missed: int = 0


_MOST_MISSED = 10_000
"""Times counted at the most: a schedule of every minute may have slept for a year."""


def due(schedule: Schedule, now: datetime, last_runs: Mapping[str, datetime]) -> list[Due]:
    """What is to run now.

    Parameters
    ----------
    schedule
        The entries.
    now
        The moment, with a time zone.
    last_runs
        When each entry ran last, by name. An entry that is not there never ran: it is due at once.

    Returns
    -------
    list
        One element an entry that is due, however many of its times have passed.
    """
    found = []
    for entry in schedule.entries:
        if (last := last_runs.get(entry.name)) is None:
            found.append(Due(entry=entry, time=now))
            continue
        latest: datetime | None = None
        passed = 0
        for time in entry.times(last):
            if time > now or passed >= _MOST_MISSED:
                break
            passed, latest = passed + 1, time
        if latest is not None:
            found.append(Due(entry=entry, time=latest, missed=passed - 1))
    return found


def next_times(schedule: Schedule, now: datetime | None = None) -> list[tuple[Entry, datetime]]:
    """When each entry runs next: the soonest first, in the entry's own time zone.

    Examples
    --------
    >>> entry = {"name": "a", "report": "capacity", "cron": "0 6 * * *", "timezone": "Europe/Berlin"}
    >>> schedule = Schedule.model_validate({"report": [entry]})
    >>> moment = datetime(2026, 7, 1, tzinfo=UTC)
    >>> next_times(schedule, moment)[0][1].isoformat()
    '2026-07-01T06:00:00+02:00'
    """
    moment = now or datetime.now(UTC)
    upcoming = [(entry, next(entry.times(moment))) for entry in schedule.entries]
    upcoming.sort(key=lambda pair: pair[1])
    return [(entry, time.astimezone(ZoneInfo(entry.timezone))) for entry, time in upcoming]

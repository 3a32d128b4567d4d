"""Running a schedule: what is due, once or for ever, with a memory in the output folder."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from workbench.errors import SettingsError, WorkbenchError
from workbench.findings import Severity
from workbench.reporting.files import prepare_folder, write_whole
from workbench.reporting.index import write_index
from workbench.reporting.run import ReportRun, run_report
from workbench.reporting.schedule import Due, Entry, Schedule, due, next_times

__all__ = ["STATE_NAME", "ScheduledRun", "run_forever", "run_once"]

STATE_NAME: Final = ".schedule-state.json"
"""The scheduler's memory, in the output folder."""

_LONGEST_SLEEP: Final = 60.0
"""Seconds: a clock that was set, or a machine that slept, is noticed within this."""

Tell = Callable[[str], Any]


class _LastRun(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    time: AwareDatetime
    status: str = ""
    exit_code: int = 0


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    entries: dict[str, _LastRun] = {}


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """What became of one entry that was due.

    Parameters
    ----------
    entry
        The entry.
    run
        What it left; None where it could not begin.
    error
        Why it did not complete.
    """

    entry: Entry
    run: ReportRun | None
    error: WorkbenchError | None

    @property
    def exit_code(self) -> int:
        """The error's; 1 where a finding is as severe as `fail_on`; else 0."""
        if self.error:
            return self.error.exit_code
        if self.entry.fail_on == "none" or self.run is None:
            return 0
        least = Severity(self.entry.fail_on).rank
        return int(any(f.severity.rank >= least for f in self.run.findings))


def run_once(
    schedule: Schedule,
    output: Path,
    *,
    tell: Tell = print,
    now: datetime | None = None,
    run: Callable[..., ReportRun] = run_report,
) -> list[ScheduledRun]:
    """Run what is due, then end; an entry that never ran is due.

    Parameters
    ----------
    schedule
        What `load_schedule` gave.
    output
        Folder of pages, for entries that name none, and of the scheduler's memory.
    tell
        Told what is run, what was missed and what failed, a line each.
    now
        The moment; the clock's without it.
    run
        What runs a report.

    Raises
    ------
    OutputError
        The folder cannot be written.
    SettingsError
        The memory is damaged.
    """
    prepare_folder(output)
    moment = now or datetime.now(UTC)
    last = {name: entry.time for name, entry in _read_state(output).entries.items()}
    done = [_run_entry(each, output, moment, tell, run) for each in due(schedule, moment, last)]
    return [result for result in done if result is not None]


def run_forever(
    schedule: Schedule,
    output: Path,
    *,
    tell: Tell = print,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Any] = time.sleep,
    run: Callable[..., ReportRun] = run_report,
) -> None:
    """Run each entry at its times, until interrupted.

    An entry that never ran waits for its next time. Times that passed while nothing ran are told
    and caught up by one run.

    Parameters
    ----------
    schedule, output, tell, run
        As for `run_once`.
    clock, sleep
        Where the time comes from, and how to wait for it, in seconds.

    Raises
    ------
    SettingsError
        The schedule has no entries.
    """
    if not schedule.entries:
        msg = "the schedule has no entries"
        raise SettingsError(msg, "reports/schedule.toml is an example that works")
    prepare_folder(output)
    began = clock()
    for name in {e.name for e in schedule.entries} - set(_read_state(output).entries):
        _remember(output, name, _LastRun(time=began, status="waiting"))
    for entry, when in next_times(schedule, began):
        tell(f"{entry.name}: {entry.report}, next at {when:%Y-%m-%d %H:%M %Z}")
    while True:
        run_once(schedule, output, tell=tell, now=clock(), run=run)
        moment = clock()
        wait = next_times(schedule, moment)[0][1] - moment
        sleep(min(_LONGEST_SLEEP, max(0.0, wait / timedelta(seconds=1))))


def _run_entry(
    each: Due, output: Path, now: datetime, tell: Tell, run: Callable[..., ReportRun]
) -> ScheduledRun | None:
    """Run one entry, unless it is running already; None then."""
    entry, folder = each.entry, each.entry.output or output
    with _alone(output / f".{entry.name}.lock") as alone:
        if not alone:
            tell(f"{entry.name}: still running from before; this time is left out")
            return None
        if each.missed:
            tell(f"{entry.name}: {each.missed} earlier times were missed; one run catches up")
        tell(f"{entry.name}: running {entry.report}")
        result = _attempt(entry, folder, run)
        status = result.run.status.value if result.run else "failed"
        _remember(output, entry.name, _LastRun(time=now, status=status, exit_code=result.exit_code))
    where = f" {result.run.html}" if result.run else ""
    tell(f"{entry.name}: {status}{where}" + (f": {result.error}" if result.error else ""))
    return result


def _attempt(entry: Entry, folder: Path, run: Callable[..., ReportRun]) -> ScheduledRun:
    try:
        done = run(
            entry.report,
            entry.parameters,
            output=folder,
            source=entry.source,
            deadline_seconds=entry.deadline_seconds,
        )
        write_index(folder)
    except WorkbenchError as error:
        return ScheduledRun(entry, None, error)
    return ScheduledRun(entry, done, done.error)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold a lock that ends with this process, however it ends; False where another holds it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _read_state(folder: Path) -> _State:
    path = folder / STATE_NAME
    try:
        data: Mapping[str, Any] = json.loads(path.read_bytes())
        return _State.model_validate(data)
    except FileNotFoundError:
        return _State()
    except (OSError, ValueError, ValidationError):
        msg = f"the scheduler's memory {path} is damaged"
        raise SettingsError(msg, "delete it; every entry then counts as never run") from None


def _remember(folder: Path, name: str, last: _LastRun) -> None:
    """Note an entry's run; two schedulers in one folder do not lose each other's notes."""
    with (folder / ".schedule.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = _read_state(folder)
        merged = _State(entries={**state.entries, name: last})
        write_whole(folder / STATE_NAME, merged.model_dump_json(indent=1) + "\n")

"""Running a schedule: what is due, remembered, told, and never twice at once."""

import fcntl
import json
from datetime import UTC, datetime, timedelta

import pytest

from workbench.errors import SettingsError, UnreachableError
from workbench.findings import Finding, Severity
from workbench.reporting.record import Status
from workbench.reporting.run import ReportRun
from workbench.reporting.schedule import Schedule
from workbench.reporting.scheduler import STATE_NAME, run_forever, run_once

START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def schedule(**changes):
    entry = {"name": "a", "report": "capacity", "cron": "0 * * * *", "source": "demo:", **changes}
    return Schedule.model_validate({"report": [entry]})


class Runs:
    """Notes each run asked for, and gives one with a warning, or with the error it is told."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    def __call__(self, name, parameters, **options):
        self.asked.append((name, parameters, options))
        found = (Finding("CAP-HEADROOM", Severity.WARNING, "disk", "nearly full"),)
        page = options["output"] / "page.html"
        status = Status.FAILED if self.error else Status.COMPLETE
        return ReportRun(name, status, page, page, found, 1.0, self.error)


def test_what_ran_is_not_due_again_before_its_time(tmp_path):
    runs = Runs()
    for hours in (0, 0.5, 1, 1.5):
        run_once(schedule(), tmp_path, now=START + hours * HOUR, run=runs, tell=lambda _: None)
    assert len(runs.asked) == 2


def test_an_entry_is_run_with_what_it_says(tmp_path):
    runs = Runs()
    entry = {"parameters": {"last": "7d"}, "deadline_seconds": 60, "output": str(tmp_path / "o")}
    run_once(schedule(**entry), tmp_path, now=START, run=runs, tell=lambda _: None)
    assert runs.asked == [
        (
            "capacity",
            {"last": "7d"},
            {"output": tmp_path / "o", "source": "demo:", "deadline_seconds": 60},
        )
    ]
    assert (tmp_path / "o" / "index.html").exists()


def test_missed_times_are_told_and_caught_up_once(tmp_path):
    runs, told = Runs(), []
    run_once(schedule(), tmp_path, now=START, run=runs, tell=told.append)
    run_once(schedule(), tmp_path, now=START + 5 * HOUR, run=runs, tell=told.append)
    assert len(runs.asked) == 2
    assert "a: 4 earlier times were missed; one run catches up" in told


def test_one_that_is_still_running_is_left_alone_and_stays_due(tmp_path):
    runs, told = Runs(), []
    with (tmp_path / ".a.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run_once(schedule(), tmp_path, now=START, run=runs, tell=told.append) == []
    assert "still running" in told[0]
    assert len(run_once(schedule(), tmp_path, now=START, run=runs, tell=told.append)) == 1


def test_an_error_is_told_and_its_exit_code_kept(tmp_path):
    told = []
    failing = Runs(UnreachableError("no connection", "check the network"))
    (result,) = run_once(schedule(), tmp_path, now=START, run=failing, tell=told.append)
    assert result.exit_code == 3
    assert "no connection: check the network" in told[-1]
    state = json.loads((tmp_path / STATE_NAME).read_text())
    assert state["entries"]["a"]["status"] == "failed"
    assert state["entries"]["a"]["exit_code"] == 3


@pytest.mark.parametrize(
    ("fail_on", "code"), [("none", 0), ("error", 0), ("warning", 1), ("info", 1)]
)
def test_findings_count_from_fail_on_upwards(tmp_path, fail_on, code):
    (result,) = run_once(schedule(fail_on=fail_on), tmp_path, run=Runs(), tell=lambda _: None)
    assert result.exit_code == code


def test_a_damaged_memory_is_told_with_the_mend(tmp_path):
    (tmp_path / STATE_NAME).write_text("{")
    with pytest.raises(SettingsError, match=r"memory .* is damaged: delete it"):
        run_once(schedule(), tmp_path, run=Runs(), tell=lambda _: None)


def test_for_ever_waits_for_the_next_time_and_runs_at_it(tmp_path):
    """A clock that only sleeping moves: three hours give three runs, at the hours."""
    now = [START + timedelta(minutes=30)]
    runs, ran_at = Runs(), []

    def sleep(seconds):
        assert 0 <= seconds <= 60
        now[0] += timedelta(seconds=max(seconds, 1))
        if now[0] > START + 3.4 * HOUR:
            raise KeyboardInterrupt

    def run(*args, **options):
        ran_at.append(now[0])
        return runs(*args, **options)

    with pytest.raises(KeyboardInterrupt):
        run_forever(
            schedule(), tmp_path, clock=lambda: now[0], sleep=sleep, run=run, tell=lambda _: None
        )
    assert ran_at == [START + hours * HOUR for hours in (1, 2, 3)]


def test_a_schedule_without_entries_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no entries"):
        run_forever(Schedule.model_validate({}), tmp_path)

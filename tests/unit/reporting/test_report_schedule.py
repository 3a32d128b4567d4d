"""The schedule: checked when it is read; due, missed and next times, also where clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from workbench.errors import SettingsError
from workbench.reporting.assets import shipped
from workbench.reporting.schedule import Schedule, due, load_schedule, next_times

ENTRY = {"name": "weekly", "report": "capacity", "cron": "0 6 * * mon", "timezone": "Europe/Berlin"}


def schedule(**changes):
    return Schedule.model_validate({"report": [{**ENTRY, **changes}]})


def test_the_shipped_example_is_read_and_needs_no_server():
    loaded = load_schedule(shipped("reports", "schedule.toml"))
    assert {e.source for e in loaded.entries} == {"demo:"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('cron = "61 * * * *"', "is no cron expression"),
        ('cron = "* * * * * *"', "has 6 fields"),
        ('cron = "0 6 31 2 *"', "never comes"),
        ('timezone = "Europe/Atlantis"', "is no time zone"),
        ('timezone = "../etc/passwd"', "is no time zone"),
        ('report = "capacty"', "did you mean 'capacity'"),
        ("parameters = {horizon_days = 'x'}", "horizon_days is 'x'"),
        ("parameters = {lasst = '1d'}", "did you mean 'last'"),
        ('fail_on = "sometimes"', "fail_on"),
        ('crom = "0 6 * * *"', "crom is unknown"),
        ('name = "../up"', "'../up' cannot name an entry; write letters"),
        ('name = "a\\n"', "cannot name an entry"),
        ('name = ""', "'' cannot name an entry; write letters"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(tmp_path, change, message):
    lines = {k: f'{k} = "{v}"' for k, v in ENTRY.items()}
    key = change.partition(" ")[0]
    path = tmp_path / "schedule.toml"
    path.write_text("[[report]]\n" + "\n".join({**lines, key: change}.values()))
    with pytest.raises(SettingsError, match=r"schedule .*schedule.toml") as caught:
        load_schedule(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["[[report", "\xff"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, text):
    path = tmp_path / "schedule.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"schedule\.toml"):
        load_schedule(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        load_schedule(tmp_path / "none.toml")


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="'weekly' stands twice"):
        Schedule.model_validate({"report": [ENTRY, ENTRY]})


def test_folders_are_relative_to_the_file(tmp_path):
    path = tmp_path / "schedule.toml"
    path.write_text(
        "[[report]]\n" + "\n".join(f'{k} = "{v}"' for k, v in {**ENTRY, "output": "o"}.items())
    )
    assert load_schedule(path).entries[0].output == tmp_path / "o"


def test_an_entry_is_due_once_however_many_times_have_passed():
    """Three Mondays passed: one run, for the last of them, two missed."""
    ran = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # Monday 06:00 in Berlin
    now = datetime(2026, 6, 22, 12, 0, tzinfo=UTC)
    (found,) = due(schedule(), now, {"weekly": ran})
    assert (found.time, found.missed) == (datetime(2026, 6, 22, 4, 0, tzinfo=UTC), 2)


def test_an_entry_that_ran_is_not_due_before_its_next_time():
    ran = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
    week = timedelta(days=7)
    assert due(schedule(), ran + week - timedelta(seconds=1), {"weekly": ran}) == []
    assert len(due(schedule(), ran + week, {"weekly": ran})) == 1


def test_an_entry_that_never_ran_is_due():
    assert [d.missed for d in due(schedule(), datetime.now(UTC), {})] == [0]


def test_times_are_those_of_the_entrys_time_zone():
    """06:00 in Berlin is 05:00 UTC in winter and 04:00 in summer."""
    daily = schedule(cron="0 6 * * *")
    winter = next_times(daily, datetime(2026, 1, 10, tzinfo=UTC))[0][1]
    summer = next_times(daily, datetime(2026, 7, 10, tzinfo=UTC))[0][1]
    assert winter.astimezone(UTC).hour == 5
    assert summer.astimezone(UTC).hour == 4
    assert {winter.hour, summer.hour} == {6}


def test_an_hour_that_comes_twice_runs_a_daily_entry_once():
    """Clocks go back in Berlin on 25 October 2026 at 03:00: 02:30 comes twice."""
    times = schedule(cron="30 2 * * *").entries[0].times(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert [next(times).day for _ in range(3)] == [25, 26, 27]


def test_an_hour_that_is_left_out_does_not_lose_a_daily_entry():
    """Clocks go forward in Berlin on 29 March 2026 at 02:00: there is no 02:30."""
    times = schedule(cron="30 2 * * *").entries[0].times(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert [next(times).day for _ in range(3)] == [29, 30, 31]


def test_the_soonest_stands_first():
    both = Schedule.model_validate(
        {"report": [ENTRY, {**ENTRY, "name": "hourly", "cron": "0 * * * *"}]}
    )
    found = next_times(both, datetime(2026, 7, 1, tzinfo=UTC))
    assert [entry.name for entry, _ in found] == ["hourly", "weekly"]

"""Words that mean nothing are refused with one message, which names what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forked_program import Forking

from workbench.cli import lab
from workbench.store import write_snapshot

HOUR = 3_600_000
START = 1_767_225_600_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An hour of one series: 2026-01-01, midnight to one."""
    folder = tmp_path_factory.mktemp("options") / "s"
    times = np.arange(START, START + HOUR + 1, 60_000)
    write_snapshot(folder, [({"__name__": "up", "job": "a"}, times, np.ones(len(times)))])
    return f"snapshot:{folder}"


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(forking: Forking, tmp_path: Path) -> Run:
    """Give what runs the program: its exit code and what is said on stderr."""

    def program(*words: str) -> tuple[int, str]:
        done = forking.read(*words, cwd=tmp_path)
        return done.returncode, done.stderr

    return program


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize(
    "words", [("query", "up"), ("doctor",), ("report", "capacity"), ("serve",)], ids=" ".join
)
def test_an_empty_source_is_refused(run: Run, words: tuple[str, ...], empty: str) -> None:
    """It is what ``--source "$UNSET"`` leaves; the default would be another source."""
    code, said = run(*words, "--source", empty)
    assert code == 2
    assert f"--source is empty ({empty!r})" in said
    assert "demo:" in said


@pytest.mark.parametrize(
    ("words", "what", "mend"),
    [
        (["--last", "0s"], "last is '0s', which covers nothing", "--last 7d"),
        (["--last", "4000y"], "'4000y' is longer than any duration", "--last 7d"),
        (["--last", "200y", "--end", "0100-01-01"], "before the year 1", "--last 7d"),
        (["--last", "a week"], "'a week'", "--last 7d"),
        (["--start", "2030-01-01"], "after the source's now (2026-01-01T01:00:00Z)", "--start"),
        (["--start", "2026-01-02", "--end", "2026-01-01"], "before the start", "--start and --end"),
        (["--last", "1h", "--start", "0"], "both start ('0') and last ('1h')", "not both"),
        (["--last", "290y", "--step", "1s"], "steps is more than", "--last, -p last="),
    ],
)
def test_a_wrong_range_names_the_option_to_change(
    run: Run, source: str, words: list[str], what: str, mend: str
) -> None:
    code, said = run("query", "up", "--source", source, *words)
    assert code in (2, 3)
    assert what in said
    assert mend in said
    assert said.count("error:") == 1


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--start", "2001-01-01", "--end", "2001-01-02"], "--last, --start, --end"),
        (["--start", "2025-12-01", "--end", "2025-12-02"], "--last, --start, --end"),
        (["--at", "2001-01-01"], "at (--at)"),
        (["--at", "2030-01-01"], "at (--at)"),
    ],
)
def test_a_time_outside_the_data_is_told_with_the_data_that_are_there(
    run: Run, source: str, words: list[str], option: str
) -> None:
    code, said = run("query", "up", "--source", source, *words)
    assert code == 0
    assert "no series: the data reach from 2026-01-01T00:00:00Z to 2026-01-01T01:00:00Z" in said
    assert option in said


def test_nothing_is_said_of_times_where_the_data_are(run: Run, source: str) -> None:
    code, said = run("query", "up == 2", "--source", source)
    assert (code, said.strip()) == (0, "no series: nothing matches at this time")


@pytest.mark.parametrize("as_root", [True, False])
def test_lab_passes_on_that_root_may_run_it(
    as_root: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """JupyterLab refuses to run as root otherwise; the command line is where our part ends."""
    commands: list[list[str]] = []

    def call(command: list[str]) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(lab.subprocess, "call", call)
    with pytest.raises(lab.typer.Exit):
        lab.lab(tmp_path, port=0, allow_root=as_root, browser=False)
    assert ("--allow-root" in commands[0]) is as_root
    assert "--no-browser" in commands[0]

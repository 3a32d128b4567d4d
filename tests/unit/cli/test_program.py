"""The program as a shell runs it: what no verb foresaw still ends with one message and its code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.errors import InputError
from workbench.findings.pages import titles

SERIES = (
    "import sys; from workbench.cli import main; sys.argv = ['workbench', *sys.argv[1:]]; main()"
)


def run(*words: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program, where asked by a line of shell in which it is "$@"."""
    command = [sys.executable, "-c", SERIES, *words]
    return subprocess.run(
        ["bash", "-c", shell or '"$@"', "bash", *command],
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


def test_an_unforeseen_error_ends_with_4_and_not_with_the_code_of_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> dict[str, str]:
        msg = "secret"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr("workbench.cli.explain.titles", broken)
    monkeypatch.setattr(sys, "argv", ["workbench", "explain"])
    monkeypatch.delenv("WORKBENCH_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    said = capsys.readouterr().err
    assert "ZeroDivisionError in test_program.py" in said
    assert "WORKBENCH_DEBUG=1" in said
    assert "Traceback" not in said
    assert "secret" not in said
    monkeypatch.setenv("WORKBENCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main()


def test_too_little_memory_is_told_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> dict[str, str]:
        raise MemoryError

    monkeypatch.setattr("workbench.cli.explain.titles", broken)
    monkeypatch.setattr(sys, "argv", ["workbench", "explain"])
    monkeypatch.delenv("WORKBENCH_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    assert "shorter range" in capsys.readouterr().err


def test_a_full_disk_behind_stdout_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    got = run("explain", shell='"$@" > /dev/full')
    assert got.returncode == 2
    assert got.stderr.startswith("error: a file or stream cannot be read or written")


def test_a_closed_stdout_is_no_fault() -> None:
    got = run("explain", shell='"$@" >&-')
    assert (got.returncode, got.stderr) == (0, "")


def test_the_end_of_a_pipe_is_not_a_finding() -> None:
    got = run("explain", shell='"$@" | true; exit ${PIPESTATUS[0]}')
    assert got.returncode == 0
    assert "Traceback" not in got.stderr


def test_a_terminal_without_unicode_gets_its_answer() -> None:
    got = run("explain", "💥", PYTHONIOENCODING="ascii")
    assert got.returncode == 2
    assert "is not a finding code" in got.stderr


def test_the_list_of_findings_says_each_code_once() -> None:
    assert not any(title.startswith(code) for code, title in titles().items())


def test_a_chart_to_a_file_of_no_known_kind_is_refused_before_anything_is_asked() -> None:
    from workbench.cli.query import Format, query

    with pytest.raises(InputError, match=r"a chart cannot be written as '\.zip'"):
        query("up", source="http://127.0.0.1:1", form=Format.CHART, output=Path("y.zip"))


@pytest.mark.parametrize(
    ("word", "way"),
    [
        ("capacity", "workbench report capacity"),
        ("what-if", "workbench.connect(…).what_if(…)"),
        ("qurey", "did you mean 'query'"),
        ("zzz", "workbench --help"),
    ],
)
def test_a_command_that_there_is_not_is_told_with_the_way_to_what_was_meant(
    word: str, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Studies are reports or Python, which nobody who types their name can know."""
    monkeypatch.setattr(sys, "argv", ["workbench", word, "--source", "demo:"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"there is no command '{word}'" in said
    assert way in said

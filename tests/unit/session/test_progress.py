"""Progress: a bar where somebody watches, nothing where nobody does."""

import io
import sys

import pytest

from workbench.promql.question import Question
from workbench.session import progress
from workbench.session.progress import shown

PROGRAM = """
from workbench.session import progress
progress._PATIENCE_SECONDS = 0
import time
with progress.shown("forecast") as told:
    for done in range(1, 6):
        time.sleep(0.25)
        told(done, 500)
print("done")
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def eager(monkeypatch):
    """Without the patience of a second, and outside CI."""
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.0)
    monkeypatch.delenv("CI", raising=False)


def _work(total=500):
    with shown("forecast") as told:
        for done in (1, 120, total):
            told(done, total)


def test_a_terminal_shows_what_is_done_and_is_clean_afterwards(eager, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    _work()
    text = terminal.getvalue()
    assert "forecast" in text
    assert "/500" in text
    assert text.endswith("\x1b[2K")  # the line is erased


@pytest.mark.parametrize("value", ["true", "1"])
def test_nothing_is_written_in_ci_even_on_a_terminal(eager, monkeypatch, value):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("CI", value)
    _work()
    assert terminal.getvalue() == ""


def test_nothing_is_written_into_a_pipe(eager, capsys):
    _work()
    assert capsys.readouterr() == ("", "")


def test_short_work_shows_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    _work()
    assert terminal.getvalue() == ""


def test_the_bar_goes_when_the_work_fails(eager, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def interrupted():
        with shown("ask") as told:
            told(1, 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.getvalue().endswith("\x1b[2K")


@pytest.fixture(scope="module")
def kernel():
    """A real kernel, spoken to as a notebook's front end does."""
    pytest.importorskip("ipykernel")
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _displays(kernel, *, watched):
    """What the kernel displays: the messages' kinds and forms."""
    kernel.allow_stdin = watched
    found = []
    code = f"import os\nos.environ.pop('CI', None)\n{PROGRAM}"
    kernel.execute_interactive(
        code, allow_stdin=watched, timeout=60, stdin_hook=lambda _: None,
        output_hook=lambda m: found.append((m["header"]["msg_type"], m["content"])),
    )  # fmt: skip
    return [(kind, content) for kind, content in found if kind.endswith("data")]


def test_a_notebook_shows_one_line_that_changes_and_is_empty_afterwards(kernel):
    shown_ = _displays(kernel, watched=True)
    assert [kind for kind, _ in shown_][:2] == ["display_data", "update_display_data"]
    assert len({c["transient"]["display_id"] for _, c in shown_}) == 1
    assert shown_[0][1]["data"]["text/plain"].startswith("forecast 1 of 500 · ")
    assert shown_[-1][1]["data"] == {"text/plain": "", "text/html": ""}


def test_a_report_s_kernel_shows_nothing(kernel):
    """nbclient, and so papermill, say that nobody is there to answer."""
    assert _displays(kernel, watched=False) == []


def test_every_question_is_told(tmp_path):
    import numpy as np

    import workbench

    wb = workbench.connect(workbench.snapshot([({"__name__": "up"}, np.array([0]), np.ones(1))]))
    told = []
    plan = [Question(f"k{i}", f"up * {i}", wb.window(last="1m", step="1m")) for i in range(5)]
    for wb._concurrency in (1, 3):
        told.clear()
        wb._answers.clear()
        assert len(wb.ask_all(plan, progress=lambda *t: told.append(t))) == 5
        assert told == [(i, 5) for i in range(1, 6)]

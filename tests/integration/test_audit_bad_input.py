"""`workbench audit` with what nobody should type, and somebody will: one message, never a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from forked_program import Forking

OK = 'a_total{x="1"} 1\na_total{x="2"} 2\n'
TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
MAIL = "bob.smith@example.com"

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path, forking: Forking) -> Run:
    """Run the real program in a folder with one good file."""
    (tmp_path / "ok.prom").write_text(OK)
    environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_SOURCE"}

    return partial(forking.run, "audit", cwd=tmp_path, env=environment)


def refused(done: subprocess.CompletedProcess[bytes], says: str) -> None:
    """Exit code 2, one message that says so, nothing on standard output."""
    message = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b""), message
    assert says in message
    assert message.count("error: ") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("",), "is empty"),
        (("/dev/zero",), "is a device"),
        (("-", "--baseline", "-"), "more than once"),
        (("ok.prom", "--since", "7d"), "no history"),
        (("ok.prom", "-o", "", "-f", "json"), "cannot be written"),
        (("ok.prom", "-o", "/", "-f", "json"), "cannot be written"),
    ],
)
def test_names_that_stand_for_nothing(run: Run, words: tuple[str, ...], says: str) -> None:
    """An unset variable, a device that never ends, standard input twice, a folder to write to."""
    refused(run(*words), says)


def test_replicas_beyond_belief(run: Run) -> None:
    """A number that no calculation can hold is refused where it is typed."""
    done = run("ok.prom", "--baseline", "ok.prom", "--replicas", "9" * 400)
    assert done.returncode == 2
    assert b"--replicas" in done.stderr


def test_standard_input_is_closed(tmp_path: Path) -> None:
    """As under some schedulers; only a shell can close it."""
    line = f"'{sys.executable}' -m workbench audit - <&-"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=False)
    refused(done, "standard input is closed")


def test_a_pipe_is_written_and_stays_a_pipe(run: Run, tmp_path: Path) -> None:
    """`-o /dev/stdout`, `-o /dev/null`, `-o PIPE`: never put a file in its place; links stay too."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("ok.prom", "-o", "pipe", "-f", "markdown").returncode == 0
        assert os.read(reader, 100).startswith(b"### Cardinality audit")
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    (tmp_path / "link").symlink_to("real.json")
    assert run("ok.prom", "-o", "link", "-f", "json").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["kind"] == "workbench-audit"
    assert not list(tmp_path.glob(".*"))


def test_a_file_name_that_is_no_utf8(run: Run, tmp_path: Path) -> None:
    """SARIF wants an address, which can hold any byte."""
    name = b"\xff.prom"
    (tmp_path / os.fsdecode(name)).write_text(OK)
    done = run(name, "-f", "sarif")
    assert done.returncode == 0, done.stderr
    assert b'"uri": "%FF.prom"' in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 5000}{']' * 5000}",
        f"[[budget]]\nseries = {'9' * 5000}",
        "[price]\nper_thousand_series_month = 1e300",
    ],
    ids=["deep", "digits", "price"],
)
def test_budgets_beyond_belief(run: Run, tmp_path: Path, text: str) -> None:
    """Tables without end, numbers of five thousand digits, a price that no sum can hold."""
    (tmp_path / "b.toml").write_text(text)
    refused(run("ok.prom", "--budget", "b.toml"), "b.toml")


@pytest.mark.parametrize(
    "row",
    ['{"a": {"series": 1, "labels": {"x": 1e400}, "type": "gauge"}}',
     '{"a": {"series": -1, "labels": {}, "type": "gauge"}}',
     '{"\\ud800": {"series": 1, "labels": {}, "type": "gauge"}}'],
    ids=["infinite", "negative", "half a character"],
)  # fmt: skip
def test_a_baseline_with_figures_that_are_none(run: Run, tmp_path: Path, row: str) -> None:
    """An earlier audit that somebody changed."""
    (tmp_path / "last.json").write_text(
        f'{{"kind": "workbench-audit", "version": 1, "candidate": "c", "inventory": {row}}}'
    )
    refused(run("ok.prom", "--baseline", "last.json"), "damaged audit")


def test_rules_that_cannot_be_read_prove_nothing(run: Run, tmp_path: Path) -> None:
    """Without them nothing is known to be unused; --lenient goes on."""
    (tmp_path / "rules.yml").write_text("{{{{")
    refused(run("ok.prom", "--rules", "rules.yml"), "rules.yml")
    assert run("ok.prom", "--rules", "rules.yml", "--lenient").returncode == 0


def test_secrets_in_what_is_wrong(run: Run, tmp_path: Path) -> None:
    """Duplicates, lines that cannot be read, and literals of code are shown masked."""
    twice = f'a_total{{user="{MAIL}",k="{TOKEN}"}} 1\n' * 2
    (tmp_path / "twice.prom").write_text(twice)
    (tmp_path / "bad.prom").write_text(f"x {TOKEN}\ny {MAIL}\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(
        "from prometheus_client import Counter\n"
        f'c = Counter("logins", "Logins.", ["user", "k"])\nc.labels("{MAIL}", "{TOKEN}").inc()\n'
    )
    for words in (("twice.prom", "-f", "sarif"), ("bad.prom",), ("src", "-f", "json")):
        done = run(*words)
        shown = (done.stdout + done.stderr).decode()
        assert "ghp_…" in shown, words
        assert TOKEN not in shown, words
        assert MAIL not in shown, words


def test_a_thousand_labels_take_no_time() -> None:
    """What each label contributes is counted together: one by one took a minute."""
    import time

    from workbench.cardinality.audit import audit
    from workbench.exposition import scan

    labels = ",".join(f'l{i}="v"' for i in range(1000))
    inventory = scan(f"wide{{{labels}}} 1\n")
    started = time.process_time()
    audit(inventory)
    assert time.process_time() - started < 4

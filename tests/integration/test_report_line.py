"""The report line from end to end: a real kernel, a real snapshot, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from processes import HANGS_SECONDS, children, wait_until

from workbench.errors import (
    OutputError,
    ParameterError,
    ReportError,
    SettingsError,
    UnreachableError,
)
from workbench.reporting import Status, run_report
from workbench.reporting.assets import shipped
from workbench.reporting.kernel import execute
from workbench.store import write_snapshot

pytestmark = pytest.mark.lab

HOSTILE = "</script><script>window.pwned=1</script>"
DAYS = 28
START_MS = 1_780_272_000_000  # 2026-06-01T00:00:00Z


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """Open files of two processes over four weeks: one grows to its limit, one has a hostile name."""
    times = START_MS + np.arange(0, DAYS * 86_400_000, 600_000, dtype=np.int64)
    days = (times - START_MS) / 86_400_000
    labels = {"job": "api", "instance": "a:1"}, {"job": "api", "instance": HOSTILE}
    usage = 400 + 18.0 * days + 10 * np.sin(days * 2 * np.pi), 100 + 5 * np.sin(days * 2 * np.pi)
    series = [
        *(
            ({"__name__": "process_open_fds", **k}, times, v)
            for k, v in zip(labels, usage, strict=True)
        ),
        *(
            ({"__name__": "process_max_fds", **k}, times, np.full(len(times), 1024.0))
            for k in labels
        ),
    ]
    path = tmp_path_factory.mktemp("snapshots") / "fds"
    write_snapshot(path, series)
    return f"snapshot:{path}"


@pytest.fixture(scope="module")
def rendered(snapshot, tmp_path_factory):
    """One report, run once for all the tests that only look at it."""
    folder = tmp_path_factory.mktemp("out")
    seen = []
    run = run_report(
        "capacity", {"horizon_days": "30", "last": "28d"}, output=folder, source=snapshot,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    return run, seen


def test_a_report_completes_and_leaves_its_page_its_json_and_a_pointer(rendered):
    run, seen = rendered
    assert run.error is None
    assert (run.status, run.exit_code) == (Status.COMPLETE, 0)
    assert run.html.name == "capacity-2026-06-28T2300Z.html"
    assert sorted(p.name for p in run.html.parent.iterdir()) == [
        "capacity-2026-06-28T2300Z.html",
        "capacity-2026-06-28T2300Z.json",
        "capacity-latest.html",
    ]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] < seen[-1][1]


def test_the_json_meets_its_schema_and_says_what_the_run_says(rendered, snapshot):
    run, _ = rendered
    data = json.loads(run.json.read_text())
    jsonschema.validate(data, json.loads(shipped("reports", "report.schema.json").read_text()))
    assert data["parameters"]["horizon_days"] == 30
    assert data["source"] == snapshot
    assert [f["fingerprint"] for f in data["findings"]] == [f.fingerprint for f in run.findings]
    assert len(data["provenance"]) >= 2
    assert {"open files api a:1"} <= {o["name"] for o in data["results"][0]["result"]["resources"]}


def test_what_grows_to_its_limit_is_found(rendered):
    """1,024 files at 18 a day from about 904: full in about a week."""
    run, _ = rendered
    about = [f.about for f in run.findings if f.code == "CAP-SATURATION"]
    assert "open files api a:1" in about


def test_hostile_label_values_reach_the_page_as_text_only(rendered):
    soup = BeautifulSoup(rendered[0].html.read_text(), "html.parser")
    assert "window.pwned" in soup.find("main").get_text()
    scripts = [s for s in soup.find_all("script") if not s.get("type")]
    assert not [s for s in scripts if "pwned" in s.get_text()]


def test_the_page_shows_charts_table_backtest_and_provenance(rendered):
    soup = BeautifulSoup(rendered[0].html.read_text(), "html.parser")
    assert len(soup.select("figure[data-chart] > img")) == 2
    headings = {th.get_text(" ", strip=True) for th in soup.select(".prose table thead th")}
    assert {"full on", "binds first", "80 % held"} <= headings
    assert soup.select("table.provenance code")
    assert not soup.select(".panel")


@pytest.mark.parametrize(
    ("parameters", "source", "error"),
    [
        ({"horizon": 3}, "demo:", ParameterError),
        ({"horizon_days": "x"}, "demo:", ParameterError),
        ({}, "ftp://somewhere", SettingsError),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    tmp_path, monkeypatch, parameters, source, error
):
    monkeypatch.setattr("workbench.reporting.run._execute", lambda *_: pytest.fail("something ran"))
    with pytest.raises(error) as caught:
        run_report("capacity", parameters, output=tmp_path / "out", source=source)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError):
        run_report("capacity", {}, output=tmp_path / "out", source="demo:")


def test_an_unreachable_source_gives_a_failed_page_exit_code_3_and_no_secret(tmp_path):
    """Neither the password nor the token in the query turns up in anything that is left."""
    source = "http://me:hunter22pw@127.0.0.1:9/prom"
    run = run_report("capacity", {}, output=tmp_path, source=source)
    assert isinstance(run.error, UnreachableError)
    assert (run.status, run.exit_code) == (Status.FAILED, 3)
    left = "".join(p.read_text() for p in tmp_path.iterdir())
    assert "hunter22pw" not in left + str(run.error)
    assert "me:" not in json.loads(run.json.read_text())["source"]
    soup = BeautifulSoup(run.html.read_text(), "html.parser")
    assert "This report failed" in soup.select_one(".panel").get_text()
    assert soup.select("[data-missed]")


# -------------------------------------------------------------------- the kernel by itself


def write_notebook(path: Path, *cells: str) -> Path:
    v4 = nbformat.v4
    code = [v4.new_code_cell(c) for c in cells]
    code[0].metadata["tags"] = ["parameters"]
    nbformat.write(v4.new_notebook(cells=code), path)
    return path


def texts(notebook):
    return [o.text.strip() for c in notebook.cells for o in c.get("outputs", ()) if "text" in o]


def test_the_kernel_is_this_interpreter_whatever_is_registered_as_python3(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    foreign = {"argv": ["/bin/false"], "display_name": "foreign", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(foreign))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    path = write_notebook(tmp_path / "n.ipynb", "a = 1", "import sys; print(sys.executable)")
    done = execute(path, {}, deadline_seconds=HANGS_SECONDS, environment={})
    assert texts(done.notebook) == [sys.executable]


def test_parameters_and_environment_reach_the_kernel(tmp_path):
    path = write_notebook(
        tmp_path / "n.ipynb", "a = 1", "import os; print(a, os.environ['WB_TEST'])"
    )
    done = execute(
        path, {"a": "x'\"\n"}, deadline_seconds=HANGS_SECONDS, environment={"WB_TEST": "secret"}
    )
    assert texts(done.notebook) == ["x'\"\n secret"]
    assert "WB_TEST" not in os.environ


def test_a_deadline_for_the_whole_run_keeps_what_ran(tmp_path):
    path = write_notebook(
        tmp_path / "n.ipynb", "print('first')", "import time; time.sleep(600)", "print('never')"
    )
    for seconds in (4, 16, 50):  # a busy machine may not have started the kernel in four
        done = execute(path, {}, deadline_seconds=seconds, environment={})
        if texts(done.notebook):
            break
    assert done.timed_out
    assert isinstance(done.error, ReportError)
    assert f"deadline of {seconds}s" in str(done.error)
    assert texts(done.notebook) == ["first"]


def test_an_error_of_ours_in_a_cell_comes_out_as_itself(tmp_path):
    raising = (
        "from workbench.errors import QueryError\nraise QueryError('no such thing', 'look again')"
    )
    done = execute(
        write_notebook(tmp_path / "n.ipynb", "print('a')", raising, "print('never')"),
        {}, deadline_seconds=HANGS_SECONDS, environment={},
    )  # fmt: skip
    assert type(done.error).__name__ == "QueryError"
    assert (str(done.error), done.error.exit_code) == ("no such thing: look again", 2)
    assert texts(done.notebook) == ["a"]


def test_any_other_error_is_a_failed_report_with_exit_code_4(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", "1 / 0")
    done = execute(path, {}, deadline_seconds=HANGS_SECONDS, environment={})
    assert isinstance(done.error, ReportError)
    assert done.error.exit_code == 4
    assert "ZeroDivisionError" in str(done.error)


def test_a_kernel_that_dies_keeps_what_ran(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", "print('a', flush=True)", "import os; os._exit(9)")
    done = execute(path, {}, deadline_seconds=HANGS_SECONDS, environment={})
    assert isinstance(done.error, ReportError)
    assert "ended by itself" in str(done.error)
    assert texts(done.notebook) == ["a"]


SLOW = """
import sys, workbench.reporting.run as run
from pathlib import Path
run.shipped = lambda *_: Path(sys.argv[2])
run.run_report("capacity", {}, output=Path(sys.argv[1]), source="demo:", progress=lambda *a: print(*a, flush=True))
"""


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="needs /proc to see child processes"
)
def test_ctrl_c_ends_the_kernel_and_leaves_nothing_half_written(tmp_path):
    """The notebook sleeps in its second cell when the interrupt comes."""
    slow = write_notebook(tmp_path / "n.ipynb", "a = 1", "import time; time.sleep(600)")
    output = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(output), str(slow)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("2 "):
                break
        kernels = children(process.pid)
        assert kernels
        process.send_signal(signal.SIGINT)
        assert process.wait(HANGS_SECONDS) != 0
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in kernels), "it ends")
    assert list(output.iterdir()) == []

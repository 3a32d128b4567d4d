"""Bad input, as a newcomer would type it: one clear message, the right exit code, nothing half-written."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from processes import HANGS_SECONDS, children, wait_until

from workbench.store import write_snapshot

MINUTES = np.arange(0, 86_400_000, 60_000, dtype=np.int64)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A snapshot of a day with one counter and one gauge."""
    path = tmp_path_factory.mktemp("source") / "kept"
    write_snapshot(
        path,
        [
            (
                {"__name__": "http_requests_total", "job": "api"},
                MINUTES,
                np.arange(len(MINUTES), dtype=float),
            ),
            ({"__name__": "queue_size", "job": "api"}, MINUTES, np.ones(len(MINUTES))),
        ],
    )
    return path


@pytest.fixture
def workbench(tmp_path, forking):
    """Run the real program in an empty folder."""
    environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_SOURCE"}

    return partial(forking.read, cwd=tmp_path, env=environment)


@pytest.fixture
def scripted():
    """A server that answers every request with what a test gives it: what no real server would do."""
    servers = []

    def serve(status, body, headers=(), *, length=None):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def refused(done, code, *texts):
    """The command ended with a code and one clear message: no traceback, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for text in texts:
        assert text in done.stderr
    assert done.stdout == ""


def test_a_source_that_is_no_url(workbench):
    refused(
        workbench("query", "up", "--source", "htp//x"),
        2,
        "'htp//x' is neither a source's URL nor a name",
    )


def test_a_server_that_is_not_there(workbench, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "workbench.toml").write_text(
        f'[sources.gone]\nurl = "http://127.0.0.1:{port}"\nretries = 0\n'
    )
    refused(workbench("query", "up", "--source", "gone"), 3, f"127.0.0.1:{port}", "try:")


def test_a_login_that_is_refused(workbench, scripted):
    done = workbench("query", "up", "--source", scripted(401, b"who are you?"))
    refused(done, 3, "401", "try:")


def test_a_secret_in_a_url_is_never_repeated(workbench, scripted):
    url = scripted(401, b"no").replace("http://", "http://me:hunter2@")
    done = workbench("query", "up", "--source", url)
    refused(done, 3)
    assert "hunter2" not in done.stderr


def test_html_instead_of_json(workbench, scripted):
    page = b"<!doctype html><title>Sign in</title>"
    done = workbench(
        "query", "up", "--source", scripted(200, page, [("Content-Type", "text/html")])
    )
    refused(done, 3, "HTML")


def test_an_answer_cut_short(workbench, scripted):
    body = b'{"status":"success","data":{"resultType":"vector","result":[{"met'
    refused(workbench("query", "up", "--source", scripted(200, body)), 3)


def test_a_server_killed_in_mid_answer(workbench, scripted, tmp_path):
    (tmp_path / "workbench.toml").write_text(
        f'[sources.dying]\nurl = "{scripted(200, b"{", length=1000)}"\nretries = 1\n'
    )
    refused(workbench("query", "up", "--source", "dying"), 3)


def test_a_query_that_does_not_parse(workbench, kept):
    refused(
        workbench("query", "sum(rate(http_requests_total[5m])", "--source", f"snapshot:{kept}"),
        2,
        "error:",
    )


def test_an_unknown_metric_suggests_near_names(workbench, kept):
    done = workbench("query", "http_request_total", "--source", f"snapshot:{kept}")
    assert done.returncode == 0
    assert "no metric 'http_request_total': did you mean 'http_requests_total'" in done.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--start", "now", "--end", "now-1h"], "is before the start"),
        (["--last", "1h", "--step", "0"], "step is 0 ms"),
        (["--last", "soon"], "'soon' is not a duration"),
        (["--at", "yesterday"], "'yesterday' is not a moment in time"),
        (["--at", "now", "--last", "1h"], "together with a range"),
        (["--last", "1h", "--format", "parquet"], "needs a file"),
    ],
)
def test_impossible_times_and_formats(workbench, kept, words, text):
    refused(
        workbench("query", "queue_size", "--source", f"snapshot:{kept}", *words), 2, text, "try:"
    )


@pytest.mark.parametrize(
    ("parameter", "texts"),
    [
        ("lst=7d", ["lst", "did you mean 'lost' or 'last'?"]),
        ("horizon_days=soon", ["horizon_days", "soon"]),
        ("last=soon", ["soon"]),
        ("noequals", ["'noequals' is not KEY=VALUE"]),
        ("resources=nowhere.toml", ["nowhere.toml", "cannot be read (No such file or directory)"]),
    ],
)
def test_notebook_parameters_are_checked_before_anything_runs(
    workbench, kept, tmp_path, parameter, texts
):
    done = workbench(
        "report", "capacity", "-p", parameter, "--source", f"snapshot:{kept}", "--output", "out"
    )
    refused(done, 2, *texts)
    assert not (tmp_path / "out").exists()


def test_an_unknown_report(workbench):
    refused(workbench("report", "capacty"), 2, "did you mean 'capacity'")


@pytest.mark.parametrize("name", ["manifest.json", "series.parquet", "samples-0000.parquet"])
def test_a_damaged_snapshot(workbench, kept, tmp_path, name):
    damaged = tmp_path / "damaged"
    shutil.copytree(kept, damaged)
    file = damaged / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    refused(workbench("query", "queue_size", "--source", f"snapshot:{damaged}"), 2, "damaged")


def test_a_snapshot_that_is_not_there(workbench):
    refused(workbench("query", "up", "--source", "snapshot:nowhere"), 2, "nowhere")


def test_an_output_that_cannot_be_written(workbench, kept, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(
        workbench("report", "capacity", "--source", f"snapshot:{kept}", "--output", "file/out"),
        2,
        "file/out",
    )
    refused(
        workbench(
            "query",
            "queue_size",
            "--source",
            f"snapshot:{kept}",
            "--format",
            "csv",
            "--output",
            "file/x.csv",
        ),
        2,
        "x.csv",
    )
    assert (tmp_path / "file").read_text() == "in the way"


def test_init_does_not_overwrite(workbench, tmp_path):
    assert workbench("init").returncode == 0
    (tmp_path / "workbench.toml").write_text("# mine")
    refused(workbench("init"), 2, "exists already")
    assert (tmp_path / "workbench.toml").read_text() == "# mine"


def test_an_import_is_all_or_nothing(workbench, tmp_path):
    (tmp_path / "bad.csv").write_text(
        "timestamp,value\n2026-01-01T00:00:00,1\nnot a time,2\n2026-01-01T00:02:00,3\n"
    )
    refused(workbench("snapshot", "import", "bad.csv", "DIR"), 2, "--lenient", "line 3")
    assert not (tmp_path / "DIR").exists()
    done = workbench("snapshot", "import", "bad.csv", "DIR", "--lenient")
    assert done.returncode == 0
    assert "line 3" in done.stderr
    info = workbench("snapshot", "info", "DIR")
    assert info.returncode == 0


def test_ctrl_c_ends_a_report_and_leaves_nothing_half_written(kept, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "report", "capacity", "--source", f"snapshot:{kept}", "--output", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: children(process.pid), "the kernel runs")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=HANGS_SECONDS)
    assert process.returncode == 130, err
    assert "interrupted" in err
    left = (
        [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
        if (tmp_path / "out").exists()
        else []
    )
    assert left == []


@pytest.mark.parametrize("module", ["workbench.errors", "typer", "workbench.sources.base"])
def test_ctrl_c_while_the_program_loads(tmp_path, module):
    """Interrupted as soon as a module is there: the interpreter lists each that it has loaded."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "workbench", "query", "up", "--source", "demo:"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.split()[-1] == module:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=HANGS_SECONDS)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert out == ""


def test_an_interruption_that_python_drops_is_repeated(tmp_path):
    """Inside a callback of a weak reference, an exception is only reported, never raised."""
    program = """
import sys, time, weakref
import workbench.__main__, workbench.cli

def slow():
    class Thing: ...
    def interrupted(_): raise KeyboardInterrupt
    thing = Thing()
    kept = weakref.ref(thing, interrupted)
    del thing
    time.sleep(20)
    print("ran to its end")

workbench.cli.main = slow
workbench.__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=HANGS_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr
    assert done.stdout == ""


def test_good_input_prints_the_api_form(workbench, kept):
    done = workbench("query", "queue_size", "--source", f"snapshot:{kept}", "--format", "json")
    assert done.returncode == 0
    (row,) = json.loads(done.stdout)["result"]
    assert row["metric"] == {"__name__": "queue_size", "job": "api"}
    assert row["value"][1] == "1"

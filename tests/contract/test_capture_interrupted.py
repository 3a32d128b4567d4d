"""A capture outlives its server's death and its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import servers

from workbench.capture import capture, planning
from workbench.errors import OutputError, UnreachableError, WorkbenchError
from workbench.promql.matcher import Matcher
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.store import SnapshotStore, read_manifest

TRUTH = '{__name__=~"truth_.+"}'
START = servers.TRUTH_START_MS
END = START + (servers.TRUTH_POINTS - 1) * servers.TRUTH_STEP_MS


def until(met: Callable[[], bool], what: str) -> None:
    """Wait for something."""
    give_up = time.monotonic() + servers.START_SECONDS
    while not met():
        if time.monotonic() > give_up:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.02)


def rows(path: Path) -> dict[frozenset[tuple[str, str]], tuple[list[int], list[float]]]:
    """What a snapshot holds, without NaN."""
    samples = SnapshotStore(path).select([Matcher("__name__", "!=", "")], 0, 10**14)
    return {frozenset(k.items()): (t.tolist(), v.tolist()) for k, t, v in samples}


class Gate:
    """A server that hands everything on to another, and can keep remote-read waiting."""

    def __init__(self, target: str) -> None:
        self.reads: list[str] = []
        self.let_pass = 10**9
        self.open = threading.Event()
        self.open.set()
        gate, host = self, urlsplit(target).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.endswith("/read"):
                    gate.reads.append(self.path)
                    if len(gate.reads) > gate.let_pass:
                        gate.open.wait(servers.START_SECONDS)
                connection = http.client.HTTPConnection(host, timeout=servers.START_SECONDS)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                with contextlib.suppress(OSError):
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                connection.close()

            do_GET = do_POST  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.open.set()
            self.server.shutdown()
            self.server.server_close()
            thread.join()


def test_a_server_that_dies_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed between two batches and started again seconds later: the copy is whole."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 1_500)
    folder = tmp_path / "server"
    servers.backfill(servers.truth(), folder / "data")
    half, dead = threading.Event(), threading.Event()

    def told(done: int, _planned: int) -> None:
        if done == 2:
            half.set()
            dead.wait(servers.START_SECONDS)

    found: list[object] = []

    def run(url: str) -> None:
        try:
            with PrometheusSource(SourceSettings(url=url, retries=0, concurrency=1)) as source:
                found.append(capture(source, [TRUTH], START, END, tmp_path / "copy", progress=told))
        except WorkbenchError as error:
            found.append(error)

    with servers.prometheus(folder) as server:
        thread = threading.Thread(target=run, args=(server.url,))
        thread.start()
        assert half.wait(servers.START_SECONDS)
        server.kill()
        dead.set()
        until(lambda: "trying again" in caplog.text, "the capture notices")
        port = urlsplit(server.url).port
        assert port
        ready = "Server is ready to receive web requests"
        with servers.running(server.process.args, port, tmp_path / "log", ready=ready):  # type: ignore[arg-type]
            thread.join(servers.START_SECONDS)
    [manifest] = found
    assert getattr(manifest, "complete", manifest) is True
    assert rows(tmp_path / "copy") == {
        frozenset(k.items()): (t.tolist(), v.tolist()) for k, t, v in servers.truth()
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "log", "server"]


def test_a_server_that_stays_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience ends; what was read is kept, and only the rest is read when it is back."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 1_500)
    folder = tmp_path / "server"
    servers.backfill(servers.truth(), folder / "data")
    copy = tmp_path / "copy"
    told: list[tuple[int, int]] = []
    with servers.prometheus(folder) as server:

        def kill(done: int, _planned: int) -> None:
            if done == 2:
                server.kill()

        with (
            PrometheusSource(SourceSettings(url=server.url, retries=0, concurrency=1)) as source,
            pytest.raises(UnreachableError),
        ):
            capture(source, [TRUTH], START, END, copy, progress=kill, patience_seconds=0)
    assert not copy.exists()
    unfinished = tmp_path / ".copy.unfinished"
    assert len(list(unfinished.glob("batch-*"))) == 2
    port = urlsplit(server.url).port
    assert port
    ready = "Server is ready to receive web requests"
    with (
        servers.running(server.process.args, port, tmp_path / "log", ready=ready),  # type: ignore[arg-type]
        PrometheusSource(SourceSettings(url=server.url)) as source,
    ):
        with pytest.raises(OutputError, match="unfinished capture of something else"):
            capture(source, ["up"], START, END, copy)
        with pytest.raises(OutputError, match="unfinished capture of something else"):
            capture(source, [TRUTH], START, END - 1, copy)
        manifest = capture(
            source, [TRUTH], START, END, copy, progress=lambda *steps: told.append(steps)
        )
    assert told[0][0] == 3
    assert told[-1][0] == told[-1][1]
    assert manifest.complete
    assert any("continued after an interruption" in note for note in manifest.notes)
    assert rows(copy) == {
        frozenset(k.items()): (t.tolist(), v.tolist()) for k, t, v in servers.truth()
    }
    assert not unfinished.exists()


def test_ctrl_c_and_the_same_command_again(prometheus: str, tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and leaves no snapshot; the same command goes on; another is refused."""
    gate = Gate(prometheus)
    words = ["snapshot", "create", "--source", gate.url, "--last", "1m"]
    unfinished = tmp_path / ".copy.unfinished"
    with gate.running():
        gate.open.clear()
        gate.let_pass = 4  # one to try, one to find external labels, two batches
        with start(tmp_path, *words, "copy") as process:
            try:
                until(lambda: len(list(unfinished.glob("batch-*"))) == 2, "two batches are there")
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=servers.START_SECONDS)
            finally:
                process.kill()
        assert process.returncode == 130, said
        assert "2 of" in said
        assert "--restart" in said
        assert not (tmp_path / "copy").exists()
        first = len(gate.reads)
        gate.open.set()

        process = start(tmp_path, *words, "--match", "up", "copy")
        _, said = process.communicate(timeout=servers.START_SECONDS)
        assert process.returncode == 2
        assert "--restart" in said
        time.sleep(1)

        process = start(tmp_path, *words, "copy")
        out, said = process.communicate(timeout=servers.START_SECONDS)
        assert process.returncode == 0, said
        assert "2 of" in said
        assert "batches are there" in said
        assert out.strip() == "copy"
    manifest = read_manifest(tmp_path / "copy")
    assert manifest.complete
    assert manifest.window
    window = (manifest.window.start_ms, manifest.window.end_ms)
    assert len(gate.reads) - first <= 4  # external labels, and the batches that were missing
    assert not unfinished.exists()
    # The window is the first command's, and all of it is there.
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        capture(source, ['{__name__!=""}'], *window, tmp_path / "again")
    copy, again = rows(tmp_path / "copy"), rows(tmp_path / "again")
    assert copy.keys() == again.keys()
    assert [t for t, _ in copy.values()] == [again[k][0] for k in copy]


def test_restart_discards_what_is_there(prometheus: str, tmp_path: Path) -> None:
    """--restart begins anew, whatever stood there."""
    unfinished = tmp_path / ".copy.unfinished"
    (unfinished / "batch-00000").mkdir(parents=True)
    (unfinished / "plan.json").write_text("{")
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        with pytest.raises(OutputError, match="cannot be read"):
            capture(source, [TRUTH], START, END, tmp_path / "copy")
        capture(source, [TRUTH], START, END, tmp_path / "copy", restart=True)
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]


def test_two_captures_to_one_place(prometheus: str, tmp_path: Path) -> None:
    """The second is refused while the first is at work, and does it no harm."""
    with PrometheusSource(SourceSettings(url=prometheus)) as source:

        def second(_done: int, _planned: int) -> None:
            with pytest.raises(OutputError, match="another process"):
                capture(source, [TRUTH], START, END, tmp_path / "copy")

        capture(source, [TRUTH], START, END, tmp_path / "copy", progress=second)
    assert len(rows(tmp_path / "copy")) == 6


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the command line."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

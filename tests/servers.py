"""Real servers for the tests: started on free loopback ports, stopped whatever happens.

`make servers` unpacks their binaries. Each context manager below gives a `Server` that answers
already; the fixtures of `conftest.py` give the URLs of three that a whole session shares.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from workbench.samples import Series, format_value

BIN = Path(__file__).parents[1] / ".servers" / "bin"
START_SECONDS = 180.0
"""Guards against hanging only: nothing on a busy machine takes so long."""

_FIRST_PORT, _PORTS = 10_000, 22_000
"""Below those that Linux gives to outgoing connections: such a one cannot take a chosen port."""
_looked_at = itertools.count(os.getpid() * 97)


def needs(name: str) -> Path:
    """Give the binary's path; skip the test where it is missing, fail it in CI."""
    path = BIN / name
    if path.exists():
        return path
    if found := shutil.which(name):
        return Path(found)
    reason = f"{name} is not here: run `make servers`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Give a loopback port that nothing listens on, each time another; processes begin apart."""
    for number in itertools.islice(_looked_at, _PORTS):
        port = _FIRST_PORT + number % _PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    return pytest.fail("no port is free", pytrace=False)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def _until_we_die() -> list[str]:
    """Let Linux end the server when the test process ends, even by a kill."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int, log: Path, *, ready: str, scheme: str = "http"
) -> Iterator[Server]:
    """Run a server until the block ends.

    Parameters
    ----------
    command
        The command line.
    port
        Where it will listen.
    log
        File for its output.
    ready
        Text that its log holds once it answers; or a path to ask until it answers with 200.
    scheme
        How its URL begins.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_until_we_die(), *map(str, command)], stdout=output, stderr=output
        )
    server = Server(f"{scheme}://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(server, ready)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: Server, ready: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        if ready.startswith("/"):
            with contextlib.suppress(OSError):
                get(server.url + ready)
                return
        elif ready in server.log.read_text(errors="replace"):
            return
        time.sleep(0.03)
    pytest.fail(
        f"{server.process.args} did not start:\n{server.log.read_text(errors='replace')[-2000:]}",
        pytrace=False,
    )


def get(url: str) -> bytes:
    """Read a URL without any library under test; no proxy of the environment is used."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=START_SECONDS) as answer:
        return bytes(answer.read())


def post(url: str, body: bytes) -> None:
    """Send a body to a URL."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=body), timeout=START_SECONDS):
        pass


# ---------------------------------------------------------------- the servers


@contextlib.contextmanager
def prometheus(
    folder: Path,
    *,
    scrape: Sequence[str] = (),
    jobs: str = "",
    external_labels: str = "",
    config: str = "",
    web_config: str = "",
    scheme: str = "http",
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a Prometheus.

    Parameters
    ----------
    folder
        Its data folder is ``folder/data``, which may hold blocks already (`backfill`).
    scrape
        ``host:port`` of targets scraped once a second, as job ``node``; it scrapes itself too
        where there are any.
    jobs
        More entries of ``scrape_configs``, YAML.
    external_labels
        As they stand between braces in prometheus.yml: ``cluster: eu, dc: x``.
    config
        More lines of prometheus.yml.
    web_config
        Content of the file for ``--web.config.file`` (TLS, basic auth); paths are relative to `folder`.
    scheme
        ``https`` where `web_config` says so.
    arguments
        More command line arguments.
    """
    binary = needs("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    own = f"""
- job_name: prometheus
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
- job_name: node
  static_configs: [{{targets: {list(scrape)!r}}}]"""
    text = f"global: {{scrape_interval: 1s, external_labels: {{{external_labels}}}}}\nscrape_configs:{(own if scrape else '') + jobs or ' []'}\n{config}\n"
    (folder / "prometheus.yml").write_text(text)
    command: list[str | Path] = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--scrape.discovery-reload-interval=100ms",  # the first scrape waits five seconds, else ten
        f"--web.listen-address=127.0.0.1:{port}",
        *arguments,
    ]
    if web_config:
        (folder / "web.yml").write_text(web_config)
        command.append(f"--web.config.file={folder / 'web.yml'}")
    with running(
        command,
        port,
        folder / "prometheus.log",
        ready="Server is ready to receive web requests",
        scheme=scheme,
    ) as server:
        yield server


@contextlib.contextmanager
def victoriametrics(folder: Path, *, arguments: Sequence[str] = ()) -> Iterator[Server]:
    """Run a VictoriaMetrics; `import_into` feeds it."""
    binary = needs("victoria-metrics")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        binary,
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        *arguments,
    ]
    with running(command, port, folder / "victoriametrics.log", ready="/health") as server:
        yield server


@contextlib.contextmanager
def node_exporter(folder: Path) -> Iterator[Server]:
    """Run a node_exporter with the collectors that every Linux has."""
    binary = needs("prometheus-node-exporter")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    collectors = [
        f"--collector.{name}"
        for name in ("cpu", "meminfo", "filesystem", "loadavg", "netdev", "stat")
    ]
    command = [
        binary,
        f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults",
        *collectors,
    ]
    with running(command, port, folder / "node_exporter.log", ready="/metrics") as server:
        yield server


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[Server]:
    """Run an Alertmanager that sends nothing anywhere."""
    binary = needs("prometheus-alertmanager")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    command = [
        *_with_templates(binary),
        binary,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, port, folder / "alertmanager.log", ready="/-/ready") as server:
        yield server


def _with_templates(alertmanager: Path) -> list[str]:
    """Lay its package's templates where Debian's build looks for them, for this process only."""
    wanted = Path("/usr/share/prometheus/alertmanager")
    unpacked = alertmanager.resolve().parents[1] / "share" / "prometheus" / "alertmanager"
    if (wanted / "default.tmpl").exists() or not unpacked.exists():
        return []
    lay = 'mount -t tmpfs none /usr/share && mkdir -p "$1" && cp "$0"/*.tmpl "$1" && shift && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", lay, f"{unpacked}", f"{wanted}"]
    probe = [*command, "true"]
    if (
        not shutil.which("unshare")
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("Alertmanager finds its templates only in /usr/share: install Debian's package")
    return command


# ---------------------------------------------------------------- feeding them


def exposition(series: Iterable[Series], *, per_second: int) -> Iterator[str]:
    """Write samples as text lines; `per_second` is 1 for OpenMetrics, 1000 for Prometheus text."""
    for labels, times_ms, values in series:
        pairs = ",".join(
            f'{name}="{_escaped(value)}"'
            for name, value in sorted(labels.items())
            if name != "__name__"
        )
        head = f"{labels['__name__']}{{{pairs}}}"
        for time_ms, value in zip(times_ms.tolist(), values.tolist(), strict=True):
            stamp = f"{time_ms}" if per_second == 1000 else f"{time_ms / 1000:.3f}"
            yield f"{head} {format_value(value)} {stamp}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def backfill(series: Iterable[Series], data: Path) -> None:
    """Make Prometheus' own blocks of samples, before it is started.

    Parameters
    ----------
    series
        Series of one metric must follow each other.
    data
        The Prometheus' data folder.
    """
    promtool = needs("promtool")
    data.parent.mkdir(parents=True, exist_ok=True)
    text = data.with_suffix(".openmetrics")
    with text.open("w") as file:
        file.writelines(exposition(series, per_second=1))
        file.write("# EOF\n")
    blocks_from(promtool, text, data)
    text.unlink()


def blocks_from(promtool: Path, text: Path, data: Path, *, longest: str = "24h") -> None:
    """Turn an OpenMetrics file into blocks; promtool reads it once for each block."""
    verb = ["tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={longest}"]
    done = subprocess.run(
        [promtool, *verb, text, data], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"promtool: {done.stderr[-2000:]}", pytrace=False)


def import_into(victoriametrics_url: str, series: Iterable[Series]) -> None:
    """Feed a VictoriaMetrics, and wait until what it got can be queried."""
    post(
        f"{victoriametrics_url}/api/v1/import/prometheus",
        "".join(exposition(series, per_second=1000)).encode(),
    )
    get(f"{victoriametrics_url}/internal/force_flush")


# ---------------------------------------------------------------- samples whose truth is known

TRUTH_START_MS = 1_767_225_607_000
"""2026-01-01T00:00:07Z: off the grid of every step, so that open and closed windows agree."""
TRUTH_STEP_MS = 15_000
TRUTH_POINTS = 1_440


def truth() -> list[Series]:
    """Six hours at 15 s of what both servers hold: counters with a reset, a gauge with gaps.

    Numbers have few digits, for VictoriaMetrics keeps about fifteen.
    """
    numbers = np.arange(TRUTH_POINTS)
    times = TRUTH_START_MS + numbers * TRUTH_STEP_MS
    made: list[Series] = []
    for i, path in enumerate(("/", "/pay", 'odd "path"\\\nü')):
        counter = np.cumsum((numbers * (i + 3)) % 7 + 1).astype(np.float64)
        counter[900:] -= counter[899]
        made.append(
            ({"__name__": "truth_requests_total", "job": "api", "path": path}, times, counter)
        )
    wave = np.round(50 + 40 * np.sin(numbers / 100), 3)
    kept = (numbers < 400) | (numbers >= 480)
    made.append(({"__name__": "truth_temperature", "room": "whole"}, times, wave))
    made.append(({"__name__": "truth_temperature", "room": "with a gap"}, times[kept], wave[kept]))
    return made


def odd_values() -> list[Series]:
    """A gauge that is NaN and infinite at times; VictoriaMetrics would drop the NaN."""
    values = np.array([1.0, np.nan, np.inf, -np.inf, -0.5, 1e300, 5e-324, 2.0**63, 0.1 + 0.2, 7.0])
    times = TRUTH_START_MS + np.arange(len(values)) * 60_000
    return [({"__name__": "truth_odd"}, times, values)]

"""`workbench serve` on a snapshot against the real Prometheus it was copied from: 1,000 series × 1,440 steps.

Both are asked over HTTP by the same bare client, in turn; the answers are compared first. Seconds
are those of the client, CPU seconds those of the server that answers.
"""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import estate
import measure
import numpy as np
import orjson
import servers

FOLDER = Path(__file__).parent / "out" / "serving-1"
STEP_MS = 60_000
START_MS = estate.END_MS - 1_439 * STEP_MS
SERIES, STEPS = 1_000, 1_440
RAW = "raw selector, no packing"
QUERIES = {
    RAW: ('bench_gauge{half="0"}', "identity"),
    "raw selector, gzip": ('bench_gauge{half="0"}', "gzip"),
    "avg_over_time of 5 minutes": ('avg_over_time(bench_gauge{half="0"}[5m])', "identity"),
    "sum of 1,000 series": ('sum(bench_gauge{half="0"})', "identity"),
}


def copied(url: str) -> Path:
    """The snapshot of the benchmark's series, copied once."""
    if not (FOLDER / "manifest.json").exists():
        command = [sys.executable, "-m", "workbench", "snapshot", "create", str(FOLDER)]
        command += ["--source", url, "--match", 'bench_gauge{half="0"}']
        command += ["--start", "2026-01-31T00:00:00Z", "--end", "2026-02-01T00:01:00Z"]
        subprocess.run(command, check=True)
    return FOLDER


def body(url: str, expression: str, encoding: str) -> bytes:
    """An answer's bytes as they come."""
    ends = {"start": START_MS / 1000, "end": estate.END_MS / 1000, "step": STEP_MS / 1000}
    request = urllib.request.Request(
        f"{url}/api/v1/query_range?{urlencode({'query': expression, **ends})}",
        headers={"Accept-Encoding": encoding},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as answer:
        return bytes(answer.read())


def cpu_seconds(server: servers.Server) -> float:
    """User and system time that a server's process has taken so far."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _answers(text: bytes) -> dict[str, tuple[list[float], list[float]]]:
    """Times and values of each series of an answer."""
    packed = text[:2] == b"\x1f\x8b"
    rows = orjson.loads(gzip.decompress(text) if packed else text)["data"]["result"]
    return {
        str(row["metric"].get("instance")): (
            [time for time, _ in row["values"]],
            [float(value) for _, value in row["values"]],
        )
        for row in rows
    }


def compare(name: str, theirs: bytes, ours: bytes) -> None:
    """End the program where the two answers differ by more than the order of a sum can do."""
    left, right = _answers(theirs), _answers(ours)
    if left.keys() != right.keys() or (name != "sum of 1,000 series" and len(left) != SERIES):
        sys.exit(f"{name}: {len(left):,} series of Prometheus, {len(right):,} of ours")
    for series, (times, values) in left.items():
        if times != right[series][0] or len(times) != STEPS:
            sys.exit(f"{name}: {series} has other moments")
        np.testing.assert_allclose(right[series][1], values, rtol=1e-12)


def timed(server: servers.Server, expression: str, encoding: str) -> tuple[float, float]:
    """Seconds until the whole answer is here, and CPU seconds of the server."""
    before, begun = cpu_seconds(server), time.perf_counter()
    body(server.url, expression, encoding)
    return time.perf_counter() - begun, cpu_seconds(server) - before


def row(name: str, both: Sequence[servers.Server]) -> float:
    """Print a line of the table; give the ratio of the seconds."""
    texts = [body(server.url, *QUERIES[name]) for server in both]
    compare(name, *texts)
    rounds = [[timed(server, *QUERIES[name]) for server in both] for _ in range(measure.ROUNDS)]
    (wall, cpu), (our_wall, our_cpu) = (
        [statistics.median(r[side][i] for r in rounds) for i in (0, 1)] for side in (0, 1)
    )
    print(
        f"| {name} | {wall:.2f} | {our_wall:.2f} | {our_wall / wall:.2f} "
        f"| {cpu:.2f} | {our_cpu:.2f} | {our_cpu / max(cpu, 0.01):.2f} "
        f"| {len(texts[0]) / 2**20:.1f}, {len(texts[1]) / 2**20:.1f} |"
    )
    return our_wall / wall


def main() -> None:
    """Print the table and which goals are met."""
    with estate.running() as url:
        folder = copied(url)
    port = servers.free_port()
    command = [sys.executable, "-m", "workbench", "serve", "--source", f"snapshot:{folder}"]
    command += ["--listen", f"127.0.0.1:{port}"]
    log = FOLDER.with_suffix(".log")
    with (
        servers.prometheus(estate.FOLDER) as prometheus,
        servers.running(command, port, log, ready="Ctrl-C ends it") as ours,
    ):
        both = (prometheus, ours)
        first = [timed(server, *QUERIES[RAW])[0] for server in both]
        print(f"\n1,000 series × 1,440 steps, medians of {measure.ROUNDS}\n")
        print(
            "| query | Prometheus s | serve s | ratio | Prometheus CPU s | serve CPU s | ratio | MB |"
        )
        print("|---|---|---|---|---|---|---|---|")
        ratios = {name: row(name, both) for name in QUERIES}
    print(f"\nfirst answer after the start: Prometheus {first[0]:.2f} s, serve {first[1]:.2f} s")
    measure.judge({f"{name}: no slower than Prometheus": r <= 1 for name, r in ratios.items()})


if __name__ == "__main__":
    main()

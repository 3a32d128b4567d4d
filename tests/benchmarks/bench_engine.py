"""The embedded engine against a real Prometheus on the same 14.5 million samples: CPU and memory.

CPU seconds (user and system, all threads) of the process that answers, not wall-clock time, so
that a busy machine matters little. Cold is the first query of a process that has just opened the
data, its code loaded; warm the median of five, server and engine taking turns. The server also writes its answer
as JSON, the engine makes a `Frame`; where an answer is small that is next to nothing. Each pair
of answers is compared, value by value, before any time is taken.

Run with ``python tests/benchmarks/bench_engine.py [NAME …]``; ``--scaling`` draws how the cost
grows with series × steps.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import engine_estate
import measure
import numpy as np
import servers

from workbench.engine import Engine
from workbench.frame import Frame
from workbench.store import SnapshotStore

START_MS = engine_estate.START_MS + 30_000
"""Half a minute off, so that no window ends on a moment of a subquery: the server's are closed."""
END_MS = START_MS + engine_estate.HOURS * 3_600_000 - 60_000
STEP_MS = 60_000

QUERIES = {
    "sum of rates": "sum by (job) (rate(c[5m]))",
    "histogram_quantile": "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
    "raw selector": 'c{instance="host-05:9100"}',
    "subquery": "max_over_time(sum by (x) (rate(c[5m]))[1h:5m])",
    "quantile_over_time": "quantile_over_time(0.9, g[1h])",
    "topk": "topk(10, rate(c[5m]))",
    "group_left": "sum by (version) (rate(c[5m]) * on (instance) group_left (version) build)",
    "max_over_time": "max_over_time(g[1h])",
    "avg_over_time": "avg_over_time(g[5m])",
    "stddev_over_time": "stddev_over_time(g[5m])",
    "deriv": "deriv(g[15m])",
    "predict_linear": "predict_linear(g[1h], 3600)",
}
"""The seven of the issue, and five that walk over windows."""

OF_THE_ISSUE = 7
ROUNDS = 5
SAMPLE_BYTES = 16
SAME = 1e-9
"""The largest relative difference of two answers: both sum in orders of their own."""


def _asked(server: servers.Server, expression: str) -> bytes:
    question = {
        "query": expression,
        "start": START_MS / 1000,
        "end": END_MS / 1000,
        "step": STEP_MS // 1000,
    }
    with urlopen(f"{server.url}/api/v1/query_range?{urlencode(question)}", timeout=120) as answer:
        return bytes(answer.read())


def _server_cpu(server: servers.Server) -> float:
    """CPU seconds that the server's threads have taken, to the nanosecond."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


def _cost(clock: Callable[[], float], work: Callable[[], object]) -> float:
    before = clock()
    work()
    return clock() - before


def _opened() -> Engine:
    return Engine(SnapshotStore(engine_estate.FOLDER / "snapshot"))


def _frame(engine: Engine, expression: str) -> Frame:
    data = engine.range(expression, START_MS, END_MS, STEP_MS).data
    assert isinstance(data, Frame)
    return data


def _check(name: str, answer: bytes, frame: Frame) -> None:
    """End where the engine's answer is not the server's."""
    mine = {tuple(sorted(labels.items())): i for i, labels in enumerate(frame.labels)}
    rows = json.loads(answer)["data"]["result"]
    if len(rows) != len(mine):
        sys.exit(f"{name}: {len(rows)} series of the server, {len(mine)} of the engine")
    for row in rows:
        i = mine[tuple(sorted(row["metric"].items()))]
        times, values = np.array(row["values"], float).T
        here = frame.present[i]
        same_times = np.array_equal(frame.times_ms[here], np.round(times * 1000))
        if not same_times or not np.allclose(frame.values[i, here], values, rtol=SAME, atol=SAME):
            sys.exit(f"{name}: the answers differ in {row['metric']}")


# ---------------------------------------------------------------- cold: a process each


def _cold_engine(name: str) -> tuple[float, float, float]:
    """CPU seconds of a first query, extra peak MB, and samples read, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--cold", name],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    cpu, megabytes, samples = json.loads(done.stdout)
    return cpu, megabytes, samples


def _run_cold(name: str) -> None:
    engine = _opened()
    engine.instant("vector(1)", START_MS)  # what modules do once for all queries
    cpu = 0.0

    def query() -> int:
        nonlocal cpu
        before = time.process_time()
        samples = engine.range(QUERIES[name], START_MS, END_MS, STEP_MS).samples_read
        cpu = time.process_time() - before
        return samples

    _, megabytes, samples = measure.measured(query)
    print(json.dumps([cpu, megabytes, samples]))


def _cold_server(name: str) -> float:
    with engine_estate.server() as server:
        return _cost(lambda: _server_cpu(server), lambda: _asked(server, QUERIES[name]))


# ---------------------------------------------------------------- the table


def _row(name: str, server: servers.Server, engine: Engine) -> list[float]:
    expression = QUERIES[name]
    _check(name, _asked(server, expression), _frame(engine, expression))
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(_cost(lambda: _server_cpu(server), lambda: _asked(server, expression)))
        ours.append(_cost(time.process_time, lambda: _frame(engine, expression)))
    cold_ours, megabytes, samples = (
        statistics.median(column)
        for column in zip(*(_cold_engine(name) for _ in range(3)), strict=True)
    )
    cold_theirs = statistics.median(_cold_server(name) for _ in range(3))
    share = megabytes * 2**20 / (samples * SAMPLE_BYTES)
    warm = statistics.median(theirs), statistics.median(ours)
    return [*warm, cold_theirs, cold_ours, samples / 1e6, megabytes, share]


def _print_table(rows: dict[str, list[float]]) -> None:
    print("\nCPU seconds; the ratio is engine / Prometheus\n")
    print(
        "| query | warm Prometheus | engine | ratio | cold Prometheus | engine | ratio "
        "| million samples | extra peak MB | × samples |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, (pw, ew, pc, ec, samples, megabytes, share) in rows.items():
        print(
            f"| {name} | {pw:.3f} | {ew:.3f} | {ew / pw:.2f} | {pc:.3f} | {ec:.3f} | {ec / pc:.2f} "
            f"| {samples:.1f} | {megabytes:.0f} | {share:.1f} |"
        )


# ---------------------------------------------------------------- how costs grow


def _scaling() -> list[dict[str, float]]:
    """Warm CPU seconds of the first query for twice as many series, and for twice as many steps."""
    engine = _opened()
    found = []
    for targets in (5, 10, 20, 40):
        hosts = "|".join(f"host-{number:02d}:9100" for number in range(targets))
        expression = f'sum by (job) (rate(c{{instance=~"{hosts}"}}[5m]))'
        for share in (8, 4, 2, 1):
            end = START_MS + (END_MS - START_MS) // share

            def query(expression: str = expression, end: int = end) -> object:
                return engine.range(expression, START_MS, end, STEP_MS)

            query()
            cpu = statistics.median(_cost(time.process_time, query) for _ in range(ROUNDS))
            steps = (end - START_MS) // STEP_MS + 1
            found.append({"series": targets * 100, "steps": steps, "cpu": cpu})
    return found


def draw_scaling() -> None:
    """Print the costs and draw them against series × steps: a straight line where they are linear."""
    import altair as alt
    import pandas as pd

    table = pd.DataFrame(_scaling())
    table["cells"] = table["series"] * table["steps"]
    table["ns a cell"] = (table["cpu"] / table["cells"] * 1e9).round(1)
    print(table.to_string(index=False))
    chart = (
        alt.Chart(table, title="sum by (job) (rate(c[5m])): CPU against series × steps")
        .mark_line(point=True)
        .encode(
            x=alt.X("cells", type="quantitative", title="series × steps"),
            y=alt.Y("cpu", type="quantitative", title="CPU seconds"),
            color=alt.Color("series", type="nominal", title="series"),
        )
    )
    file = engine_estate.FOLDER.parent / "engine-scaling.svg"
    chart.save(file)
    slope = np.polyfit(np.log(table["cells"]), np.log(table["cpu"]), 1)[0]
    print(f"\n{file}: CPU grows as (series × steps) to the power {slope:.2f}")
    measure.judge({"cost grows no faster than series × steps": slope <= 1.1})


def main(names: list[str]) -> None:
    """Print the table and which goals are met."""
    rows: dict[str, list[float]] = {}
    with engine_estate.server() as server:
        engine = _opened()
        for name in names or list(QUERIES):
            rows[name] = _row(name, server, engine)
            print(f"  {name}: {[round(x, 3) for x in rows[name]]}", file=sys.stderr, flush=True)
    _print_table(rows)
    warm = [ours / theirs for theirs, ours, *_ in rows.values()]
    cold = [row[3] / row[2] for row in rows.values()]
    measure.judge(
        {
            "no more CPU than Prometheus on any, warm": max(warm) <= 1,
            "no more CPU than Prometheus on any, cold": max(cold) <= 1,
            "half of it on most, warm": statistics.median(warm) <= 0.5,
            "half of it on most, cold": statistics.median(cold) <= 0.5,
            "memory below 3 × the samples touched": all(row[6] <= 3 for row in rows.values()),
        }
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cold"]:
        _run_cold(sys.argv[2])
    elif sys.argv[1:2] == ["--scaling"]:
        draw_scaling()
    else:
        main(sys.argv[1:])

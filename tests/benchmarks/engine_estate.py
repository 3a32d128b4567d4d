"""The data of `bench_engine.py`, the same in a snapshot and in a real Prometheus, built once.

Twelve hours at 15 s of 43 targets, about 14.5 million samples, as Prometheus would have scraped
them: every target has its own offset, every tenth jitters by some milliseconds, each restarts
twice (its counters begin anew), one fails a few scrapes.

- ``c``: 4,300 counters, 100 a target, told apart by ``x``; five jobs.
- ``h_bucket``: 516 classic buckets, 12 a target.
- ``g``: 172 gauges, 4 a target; ``build``: one series a target that carries its version.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import servers

from workbench.samples import Floats, Ints, Labels, Series

FOLDER = Path(__file__).parent / "out" / "engine-1"
START_MS = 1_769_860_800_000
"""2026-01-31T12:00:00Z."""
HOURS = 12
TARGETS = 43
SCRAPES = HOURS * 240
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")


def _times(target: int, random: np.random.Generator) -> Ints:
    """When a target is scraped: never on a full minute, so that open and closed windows agree."""
    times = START_MS + int(random.integers(1, 14_900)) + np.arange(SCRAPES) * 15_000
    if target % 10 == 3:
        times += random.integers(0, 40, SCRAPES)
    if target == 7:
        times = np.delete(times, slice(1_000, 1_013))
    return times.astype(np.int64)


def _counter(growth: Floats, restarts: Ints) -> Floats:
    total = 100_000 + np.cumsum(growth)  # zero is where servers of two ages extrapolate unlike
    for restart in restarts.tolist():
        total[restart:] -= total[restart - 1]
    return total


def _target(number: int, random: np.random.Generator) -> Iterator[tuple[str, Series]]:
    """The series of one target, each with the name of its metric."""
    times = _times(number, random)
    restarts = np.sort(random.integers(100, len(times) - 100, 2))
    common = {"job": f"job-{number % 5}", "instance": f"host-{number:02d}:9100"}

    def series(name: str, values: Floats, **labels: str) -> tuple[str, Series]:
        every: Labels = {"__name__": name, **common, **labels}
        return name, (every, times, values)

    for x in range(100):
        growth = random.poisson(random.gamma(2.0, 20.0), len(times)).astype(np.float64)
        yield series("c", _counter(growth, restarts), x=f"{x:02d}")
    shares = np.cumsum(random.dirichlet(np.ones(len(BOUNDS))))
    observed = random.poisson(300.0, len(times)).astype(np.float64)
    for bound, share in zip(BOUNDS, shares, strict=True):
        yield series("h_bucket", _counter(np.round(observed * share), restarts), le=bound)
    for disk in range(4):
        walk = 50 + np.cumsum(random.normal(0, 0.2, len(times)))
        yield series("g", np.round(walk, 4), disk=f"sd{'abcd'[disk]}")
    yield series("build", np.ones(len(times)), version=f"1.{number % 4}")


def every_series() -> list[Series]:
    """All series, metric after metric."""
    random = np.random.default_rng(20_260_131)
    named = [each for number in range(TARGETS) for each in _target(number, random)]
    return [series for name in ("build", "c", "g", "h_bucket") for n, series in named if n == name]


def _text(series: list[Series]) -> Iterator[str]:
    """OpenMetrics text, one chunk a series; texts of times are made once a target."""
    tails: dict[str, list[str]] = {}
    for labels, times, values in series:
        target = labels["instance"]
        if target not in tails:
            tails[target] = [f" {t // 1000}.{t % 1000:03d}\n" for t in times.tolist()]
        pairs = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
        head = f"{labels['__name__']}{{{pairs}}} "
        lines = zip(map(repr, values.tolist()), tails[target], strict=True)
        yield "".join([head + value + tail for value, tail in lines])


def build() -> None:
    """Make the snapshot and Prometheus' blocks, unless they are there."""
    if (FOLDER / "whole").exists():
        return
    from workbench.store import write_snapshot

    promtool = servers.needs("promtool")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    print("building the data of this benchmark once: three to four minutes", file=sys.stderr)
    begun = time.monotonic()
    series = every_series()
    write_snapshot(FOLDER / "snapshot", series)
    text = FOLDER / "all.openmetrics"
    with text.open("w") as file:
        file.writelines(_text(series))
        file.write("# EOF\n")
    servers.blocks_from(promtool, text, FOLDER / "data", longest="24h")
    text.unlink()
    (FOLDER / "whole").touch()
    print(f"built in {time.monotonic() - begun:.0f} s", file=sys.stderr)


@contextlib.contextmanager
def server() -> Iterator[servers.Server]:
    """Give a Prometheus that has just started on the data."""
    build()
    with servers.prometheus(FOLDER) as running:
        yield running


if __name__ == "__main__":
    build()

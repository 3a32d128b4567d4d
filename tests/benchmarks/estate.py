"""The data of the benchmarks in a real Prometheus: built once, kept in the ignored `out` folder.

``bench_gauge``: 2,000 series, 24 hours at 15 s (11.5 million samples), half of them ``half="0"``.
``bench_month``: 50 series, 30 days at 60 s (2.2 million samples).
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

from workbench.samples import Floats, Ints

FOLDER = Path(__file__).parent / "out" / "estate-1"
END_MS = 1_769_904_000_000
"""2026-02-01T00:00:00Z."""
DAY_MS = 86_400_000


def _lines(metric: str, series: int, times_ms: Ints, random: np.random.Generator) -> Iterator[str]:
    """OpenMetrics text, one chunk a series; texts of times are made once for all."""
    tails = [f" {t // 1000}.{t % 1000:03d}\n" for t in times_ms.tolist()]
    for number in range(series):
        walk: Floats = np.round(100 + np.cumsum(random.normal(0, 0.3, len(times_ms))), 5)
        head = f'{metric}{{half="{number % 2}",instance="host-{number:04d}:9100",job="bench"}} '
        values = map(repr, walk.tolist())
        yield "".join([head + value + tail for value, tail in zip(values, tails, strict=True)])


def _build() -> None:
    promtool = servers.needs("promtool")
    random = np.random.default_rng(1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    print("building the benchmarks' data once: two to three minutes", file=sys.stderr)
    begun = time.monotonic()
    for metric, series, length, step in (
        ("bench_gauge", 2_000, DAY_MS, 15_000),
        ("bench_month", 50, 30 * DAY_MS, 60_000),
    ):
        text = FOLDER / f"{metric}.openmetrics"
        times = np.arange(END_MS - length + 7_000, END_MS + 7_000, step, dtype=np.int64)
        with text.open("w") as file:
            file.writelines(_lines(metric, series, times, random))
            file.write("# EOF\n")
        servers.blocks_from(promtool, text, FOLDER / "data", longest="744h")
        text.unlink()
    (FOLDER / "whole").touch()
    print(f"built in {time.monotonic() - begun:.0f} s", file=sys.stderr)


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Give the URL of a Prometheus that holds the data."""
    if not (FOLDER / "whole").exists():
        _build()
    with servers.prometheus(FOLDER) as server:
        yield server.url

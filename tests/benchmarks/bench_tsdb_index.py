"""The index of a Prometheus block against ``promtool tsdb analyze`` on the same block.

Run with ``python tests/benchmarks/bench_tsdb_index.py [SERIES] [ROUNDS]``: a million series and
three rounds where nothing is given. The first run has promtool make the block, which takes one to
two minutes and 1 GB of disk while it lasts; it stays in ``out/``. Each candidate is a process of its
own that begins by importing what it needs; they take turns. promtool counts series and values;
*read* makes the exact table of each metric's labels; *audit* also counts what each label saves.

Ratios are of CPU seconds, user and system, of all threads. Memory is the peak of the process, in
which the pages of the mapped index count.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import exposition_text
import measure

sys.path.insert(0, str(Path(__file__).parents[1]))

import servers

SERIES = 1_000_000
ROUNDS = 3
HERE = Path(__file__)
PROMTOOL = "promtool tsdb analyze"
STAMP = servers.TRUTH_START_MS // 1000


def read(data: Path) -> int:
    """The tables of all metrics."""
    from workbench.sources.tsdb import read_blocks

    return read_blocks(data).series


def audit(data: Path) -> int:
    """The tables, and what an audit counts in them."""
    from workbench.cardinality.census import take_census
    from workbench.sources.tsdb import read_blocks

    inventory = read_blocks(data)
    return take_census(inventory, limit=len(inventory.metrics)).series


CANDIDATES = {"workbench read": read, "workbench audit": audit}


def make(data: Path, series: int) -> Path:
    """Have promtool write one block of so many series, a sample each, unless it stands there."""
    if not data.exists():
        text = data.with_suffix(".openmetrics")
        with text.open("w", encoding="utf-8") as file:
            file.writelines(_stamped(series))
            file.write("# EOF\n")
        part = data.with_suffix(".part")
        servers.blocks_from(servers.needs("promtool"), text, part)
        text.unlink()
        part.rename(data)
    return data


def _stamped(series: int) -> Iterator[str]:
    for block in exposition_text.blocks(series):
        for line in block.splitlines():
            yield f"{line}\n" if line.startswith("#") else f"{line} {STAMP}\n"


def run(name: str, data: Path) -> tuple[float, float, float]:
    """Run a candidate; give seconds, CPU seconds and peak megabytes."""
    command = [sys.executable, str(HERE), "run", name, str(data)]
    if name == PROMTOOL:
        command = [str(servers.needs("promtool")), "tsdb", "analyze", str(data)]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"{name} ended with {code}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(series: int, rounds: int) -> None:
    """Print the table and judge the goals."""
    out = HERE.parent / "out"
    out.mkdir(exist_ok=True)
    data = make(out / f"tsdb-{series}", series)
    names = [*CANDIDATES, PROMTOOL]
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            runs[name].append(run(name, data))
            print(f"  round {number + 1}: {name} {runs[name][-1][1]:.1f} CPU s", file=sys.stderr)
    middle = {n: [statistics.median(r[i] for r in runs[n]) for i in range(3)] for n in names}
    size = sum(path.stat().st_size for path in data.glob("*/index"))
    print(f"{series:,} series, index of {size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}\n")
    print("| candidate | s | CPU s | peak MB | CPU × promtool |\n|---|---|---|---|---|")
    theirs = middle[PROMTOOL][1]
    for name, (seconds, cpu, peak) in middle.items():
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {peak:.0f} | {cpu / theirs:.2f} |")
    own = middle["workbench read"]
    measure.judge(
        {
            "at most 10 CPU seconds a million series": own[1] <= 10e-6 * series,
            "at most 1 GB": own[2] <= 1_000,
            "no more CPU than promtool, which only counts": own[1] <= theirs,
        }
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        CANDIDATES[sys.argv[2]](Path(sys.argv[3]))
    else:
        given = [int(x.replace("_", "")) for x in sys.argv[1:]]
        main(*(given + [SERIES, ROUNDS][len(given) :]))

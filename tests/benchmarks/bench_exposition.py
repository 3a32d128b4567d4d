"""The audit of exposition text against promtool and prometheus_client's parser.

Run with ``python tests/benchmarks/bench_exposition.py [SERIES] [ROUNDS]``: a million series (404 MB)
and three rounds where nothing is given. Each candidate is a process of its own that begins by
importing what it needs; they take turns. The audit counts series, values and pairs, judges shapes,
lints, and says exactly what each label saves; promtool lints (and reads standard input); the parser
of prometheus_client only parses.

Ratios are of CPU seconds (user and system, all threads and children), which a busy machine disturbs
least and which count against the candidate that uses both cores. Memory is the peak of the process;
none of the candidates has children.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import exposition_text
import measure

sys.path.insert(0, str(Path(__file__).parents[1]))

import servers

SERIES = 1_000_000
ROUNDS = 3
HERE = Path(__file__)
PROMTOOL = "promtool check metrics"
CLIENT = "prometheus_client.parser"


def audit(path: Path) -> int:
    """Everything that the audit counts in one exposition."""
    from workbench.cardinality.census import take_census
    from workbench.cardinality.lint import lint
    from workbench.exposition import scan

    inventory = scan(path)
    lint(inventory)
    census = take_census(inventory, limit=len(inventory.metrics))
    return census.series


def scan_only(path: Path) -> int:
    """The tables of all metrics, without counting in them."""
    from workbench.exposition import scan

    return scan(path).series


def client(path: Path) -> int:
    """The reference parser, streaming."""
    from prometheus_client.parser import text_fd_to_metric_families

    with path.open(encoding="utf-8") as file:
        return sum(len(family.samples) for family in text_fd_to_metric_families(file))


CANDIDATES = {"workbench audit": audit, "workbench scan": scan_only, CLIENT: client}


def run(name: str, path: Path) -> tuple[float, float, float]:
    """Run a candidate; give seconds, CPU seconds and peak megabytes."""
    command = [sys.executable, str(HERE), "run", name, str(path)]
    if name == PROMTOOL:
        tool = servers.needs("promtool")
        command = [str(tool), "check", "metrics"]
    begun = time.perf_counter()
    quiet = subprocess.DEVNULL
    with path.open("rb") as text:
        child = subprocess.Popen(command, stdin=text, stdout=quiet, stderr=quiet)
        _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    code = os.waitstatus_to_exitcode(status)
    if code not in ((0, 3) if name == PROMTOOL else (0,)):
        sys.exit(f"{name} ended with {code}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(series: int, rounds: int) -> None:
    """Print the table and judge the goals."""
    out = HERE.parent / "out"
    out.mkdir(exist_ok=True)
    path = exposition_text.write(out / f"exposition-{series}.prom", series)
    names = ["workbench audit", "workbench scan", PROMTOOL, CLIENT]
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            if name == CLIENT and number:
                continue  # a minute and a half is enough to know it by
            runs[name].append(run(name, path))
            print(f"  round {number + 1}: {name} {runs[name][-1][0]:.1f} s", file=sys.stderr)
    middle = {n: [statistics.median(r[i] for r in runs[n]) for i in range(3)] for n in names}
    own = middle["workbench audit"]
    print(f"{series:,} series, {path.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}\n")
    print("| candidate | s | CPU s | peak MB | CPU × audit |\n|---|---|---|---|---|")
    for name, (seconds, cpu, peak) in middle.items():
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {peak:.0f} | {cpu / own[1]:.1f} |")
    measure.judge(
        {
            "at least 3 × faster than promtool": middle[PROMTOOL][1] >= 3 * own[1],
            "at least 15 × faster than prometheus_client's parser": middle[CLIENT][1]
            >= 15 * own[1],
            "at most 10 CPU seconds a million series: 5 s on two cores": own[1] <= 10e-6 * series,
            "at most 600 MB": own[2] <= 600,
        }
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        CANDIDATES[sys.argv[2]](Path(sys.argv[3]))
    else:
        given = [int(x.replace("_", "")) for x in sys.argv[1:]]
        main(*(given + [SERIES, ROUNDS][len(given) :]))

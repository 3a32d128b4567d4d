"""Time and memory of candidates, alternating, each run in a process of its own."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROUNDS = 5


def _memory_kb(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise LookupError(field)


def measured(candidate: Callable[[], int]) -> tuple[float, float, int]:
    """Run a candidate in this process; give seconds, extra peak memory in MB and its own figure."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _memory_kb("VmRSS:")
    begun = time.perf_counter()
    figure = candidate()
    seconds = time.perf_counter() - begun
    return seconds, (_memory_kb("VmHWM:") - before) / 1024, figure


def run_here(candidate: Callable[[], int]) -> None:
    """Run a candidate in this process and print what `measured` gives."""
    print(json.dumps(measured(candidate)))


def alternate(
    script: str, names: Sequence[str], url: str, rounds: int = ROUNDS
) -> Mapping[str, tuple[float, float, int]]:
    """Run every candidate once a round; give the medians of seconds and MB, and the last figure.

    Parameters
    ----------
    script
        The benchmark's file, which runs one candidate when called with its name and the URL.
    names
        The candidates.
    url
        The server.
    rounds
        How often.
    """
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", script, name, url],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr}")
            seconds, megabytes, figure = json.loads(done.stdout.splitlines()[-1])
            runs[name].append((seconds, megabytes, figure))
            print(f"  round {number + 1} of {rounds}: {name} {seconds:.2f} s", file=sys.stderr)
    return {
        name: (
            statistics.median(r[0] for r in each),
            statistics.median(r[1] for r in each),
            each[-1][2],
        )
        for name, each in runs.items()
    }


def judge(claims: Mapping[str, bool]) -> None:
    """Print which goals are met; end with 1 where one is not."""
    print()
    for claim, met in claims.items():
        print(f"- {'met' if met else '**MISSED**'}: {claim}")
    if not all(claims.values()):
        sys.exit(1)

"""Do saturation dates come true? Simulated fleets whose future is known.

Run with ``python tests/benchmarks/bench_saturation.py [RESOURCES] [SEED]``: so many resources in
each of nine fleets (200 where nothing is given). Prints one line a fleet and one for all:

- ``cov80``, ``cov95``: truths within the interval, by randomised PIT (0.75 to 0.85 is the aim);
- ``false``: resources that never fill and got a date (at most 0.05);
- ``true``: dated resources that do fill (at least 0.85);
- ``recall``: resources that fill and got a date; ``brier``: of P(full within 90 days).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "capacity"))

from capacity_simulation import FLEETS, Score, judge_fleet, score


def main(count: int, seed: int) -> None:
    """Print the table."""
    columns = "cov80  cov95  false  true   recall brier  filled  ms/resource"
    print(f"{'fleet':<18}{'n':>6}  {columns}")
    passages: list = []
    dated: list[bool] = []
    truths: list = []
    spent = 0.0
    for number, fleet in enumerate(FLEETS):
        start = time.process_time()
        found = judge_fleet(fleet, count, [seed, number])
        used = time.process_time() - start
        spent += used
        print(_line(fleet.name, score(*found), used / count), flush=True)
        for total, part in zip((passages, dated, truths), found, strict=True):
            total.extend(part)
    every = score(passages, dated, truths)
    print(_line("all", every, spent / (count * len(FLEETS))))


def _line(name: str, found: Score, seconds: float) -> str:
    figures = [found.coverage_80, found.coverage_95, found.false_dates, found.dated_filled]
    figures += [found.recall, found.brier, found.filled]
    shown = "  ".join(f"{x:.3f}" for x in figures)
    return f"{name:<18}{found.resources:>6}  {shown}   {seconds * 1000:.0f}"


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    main(*(given + [200, 7][len(given) :]))

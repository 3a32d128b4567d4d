"""Do the dates on which error budgets run out come true? Simulated services whose future is known.

Run with ``python tests/benchmarks/bench_slo_runout.py [SERVICES] [SEED]``: so many services in each
kind of estate (200 where nothing is given), 33 days of history, 30 days of window, 90 days ahead.
Prints one line an estate and one for all:

- ``cov80``, ``cov95``: truths within the interval, by randomised PIT (0.75 to 0.85 is the aim);
- ``false``: services that never run out and got a date;
- ``true``: dated services that do run out;
- ``recall``: services that run out and got a date; ``brier``: of P(gone within 90 days);
- ``gone``: services that run out in truth; ``dated``: how many got a date.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "slo"))

from slo_simulation import ESTATES, Score, judge_estate, score


def main(count: int, seed: int, only: str = "") -> None:
    """Print the table."""
    columns = "cov80  cov95  false  true   recall brier  gone   dated  ms/service"
    print(f"{'estate':<24}{'n':>6}  {columns}")
    forecasts: list = []
    truths: list = []
    spent = 0.0
    chosen = [(n, e) for n, e in enumerate(ESTATES) if only in e.name]
    for number, estate in chosen:
        start = time.process_time()
        found = judge_estate(estate, count, [seed, number])
        used = time.process_time() - start
        spent += used
        print(_line(estate.name, score(*found), used / count), flush=True)
        forecasts.extend(found[0])
        truths.extend(found[1])
    print(_line("all", score(forecasts, truths), spent / (count * len(chosen))))


def _line(name: str, found: Score, seconds: float) -> str:
    figures = [found.coverage_80, found.coverage_95, found.false_dates, found.dated_true]
    figures += [found.recall, found.brier, found.ran_out]
    shown = "  ".join(f"{x:.3f}" for x in figures)
    return f"{name:<24}{found.services:>6}  {shown}  {found.dated:>5}  {seconds * 1000:.0f}"


if __name__ == "__main__":
    words = sys.argv[1:]
    numbers = [int(x) for x in words[:2]]
    main(*(numbers + [200, 7][len(numbers) :]), *words[2:])

"""How often does a comparison of two windows cry wolf, and how often does it see a wolf?

Run with ``python tests/benchmarks/bench_latency_comparison.py [DEPLOYS] [SEED]``: so many null
deploys in each world (1,600 where nothing is given), in two processes. A line holds, for
p50, p95 and p99 at a nominal 5 %:

- ``false``: null deploys called a change (goal: 3 to 7 % with history; of 1,600 at a true 5.5 %, one
  cell in 250 is outside by chance);
- ``power``: deploys that make every request 25 % slower, called a change;
- ``cover``: those whose 95 % interval holds the true +25 %.

Two labels at the same time are compared too, and windows without history, which are approximate
and have no goal. It ends with 1 where a goal is missed.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "statistics"))

from request_simulation import WORLDS, World, simulate

from workbench.statistics.comparison import QuantileChanges, compare_paired, compare_windows

QUANTILES = (0.5, 0.95, 0.99)
SLOWER = np.log(1.25)
BATCH = 50
GOAL = (0.03, 0.07)
CASES = {  # window and history, minutes
    "30 min, 48 h before": (30, 2880),
    "1 h, 48 h before": (60, 2880),
    "3 h, 48 h before": (180, 2880),
    "1 h, 6 h before": (60, 360),
    "1 h, none (approximate)": (60, 0),
}
PAIRED = {"both at once, 1 h of 48 h": (60, 2880), "both at once, no history": (60, 0)}
DEPLOYS = 4  # of one simulated system, each with its own history
APART = 2 * 180
MINUTES = 2880 + DEPLOYS * APART


def main(runs: int, seed: int) -> int:
    """Print the table; 1 where a goal is missed."""
    began = time.perf_counter()
    print(f"{'':<30}{'false alarms, %':^21}{'power, %':^21}{'coverage, %':^21}")
    print(f"{'':<30}" + 3 * "".join(f"{f'p{q * 100:g}':>7}" for q in QUANTILES))
    missed = 0
    seeds = [[seed, number] for number in range(len(WORLDS))]
    with ProcessPoolExecutor(2) as pool:
        for world, cases in zip(
            WORLDS, pool.map(judge_world, WORLDS, repeat(runs), seeds), strict=True
        ):
            print(world.name)
            missed += sum(report(case, found, runs) for case, found in cases.items())
    print(f"{time.perf_counter() - began:.0f} s on two cores")
    print("every goal met" if not missed else f"{missed} goals missed")
    return int(bool(missed))


def judge_world(world: World, runs: int, seed: list[int]) -> dict[str, np.ndarray]:
    """Counts by case, shape (4, quantiles), as `tally` gives them."""
    rng = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    for _ in range(max(runs // (BATCH * DEPLOYS), 1)):
        world_a, world_b = (simulate(world, rng, BATCH, MINUTES) for _ in range(2))
        stable, canary = world_a.draw(rng), world_b.draw(rng, rate=0.4)
        for number in range(DEPLOYS):
            end = MINUTES - number * APART
            late = slice(end - 180, end)
            slow = world_a.draw(rng, late, slower=SLOWER)
            slow_canary = world_b.draw(rng, late, slower=SLOWER, rate=0.4)
            for case, (window, history) in CASES.items():
                before = stable[:, end - 2 * window : end - window]
                past = stable[:, end - 2 * window - history : end - 2 * window]
                compared = [
                    compare_windows(before, after, past if history else None, QUANTILES)
                    for after in (stable[:, end - window : end], slow[:, 180 - window :])
                ]
                found[case] = found.get(case, 0) + tally(*compared)
            for case, (window, history) in PAIRED.items():
                one, rows = (
                    stable[:, end - window : end],
                    slice(end - window - history, end - window),
                )
                past = (stable[:, rows], canary[:, rows]) if history else None
                compared = [
                    compare_paired(one, after, past, QUANTILES)
                    for after in (canary[:, end - window : end], slow_canary[:, 180 - window :])
                ]
                found[case] = found.get(case, 0) + tally(*compared)
    return found


def tally(null: QuantileChanges, changed: QuantileChanges) -> np.ndarray:
    """False alarms, alarms, covered, judged: shape (4, quantiles)."""
    held = (changed.low <= SLOWER) & (changed.high >= SLOWER)
    told = np.isfinite(null.p)
    return np.array([x.sum(axis=0) for x in (null.p < 0.05, changed.p < 0.05, held, told)])


def report(case: str, found: np.ndarray, runs: int) -> bool:
    """Print one line; whether its goal is missed."""
    judged = np.maximum(found[3], 1)
    shares = found[:3] / judged
    has_goal = "no history" not in case and "approximate" not in case
    good = not has_goal or bool(((shares[0] >= GOAL[0]) & (shares[0] <= GOAL[1])).all())
    cells = "".join(f"{100 * x:>7.1f}" for x in shares.ravel())
    abstained = 1 - judged.min() / judged.max()
    rest = f"  ({abstained:.0%} abstained)" if abstained > 0.005 else ""
    print(f"  {case:<28}{cells}  {('met' if good else 'missed') if has_goal else ''}{rest}")
    return not good


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    sys.exit(main(*(given + [1600, 7][len(given) :])))

"""Do forecasts of a month's spend come true? Weeks made of real rates, from many origins.

Run with ``python tests/benchmarks/bench_spend_outlook.py [WORLDS] [SEED]``; 400 take two minutes.
Each world (`spend_worlds`) is forecast 3 to 30 days ahead. Prints, for all and for each trait of the
worlds, how often the 80 % and the 95 % interval of the total held, the median error and that of
"each day as in the last seven"; how often a budget was broken that had some chance of it; and how
often the day of the breach lay within its 80 % interval.

Ends with 1 where, of all, the 80 % interval does not hold 75 to 85 % of the totals or the error is
not below the naive one.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
from spend_worlds import DATA, LONGEST, World, worlds

from workbench.spend.budgeting.outlook import Outlook, outlook

HORIZONS = (3, 7, 14, 21, 30)
BUDGETS = (0.9, 1.0, 1.1, 1.25)
"""As multiples of what a naive forecast says."""

CHANCES = (0.0, 0.05, 0.15, 0.3, 0.7, 0.85, 0.95, 1.0001)


def forecast(world: World) -> Outlook:
    """From the last day that is known."""
    found = outlook(
        np.arange(world.known),
        world.spend[: world.known],
        spent=0.0,
        left=LONGEST,
        rng=np.random.default_rng(1),
        first=world.first,
        origins=0,
    )
    assert found is not None
    return found


def judged(world: World) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """By horizon: place of the truth among futures, errors; by budget: chance and what came."""
    found, naive = forecast(world), float(world.spend[: world.known][-7:].mean())
    came = np.cumsum(world.spend[world.known :])
    totals, breaches = [], []
    for ahead in HORIZONS:
        drawn, truth = found.totals[:, ahead - 1], float(came[ahead - 1])
        errors = abs(np.median(drawn) - truth) / truth, abs(naive * ahead - truth) / truth
        totals.append((float((drawn < truth).mean()), *errors))
        for share in BUDGETS:
            amount = share * naive * ahead
            breaches.append((float((drawn > amount).mean()), float(truth > amount)))
    return totals, breaches


def dated(world: World) -> list[bool]:
    """Whether days of breaches lay within their 80 % interval, "not within the time" included."""
    found, naive = forecast(world), float(world.spend[: world.known][-7:].mean())
    came = np.cumsum(world.spend[world.known :])
    held = []
    for days in (5, 12, 20):
        over = np.flatnonzero(came > days * naive)
        truth = float(over[0]) + 1 if len(over) else np.inf
        early, late = (found.breach(days * naive, level) for level in (0.1, 0.9))
        held.append((early or np.inf) <= truth <= (late or np.inf))
    return held


def row(name: str, table: np.ndarray) -> str:
    """A line of the table: totals are rows of place, error, naive error."""
    place = table[:, 0]
    held = [((place >= a) & (place <= 1 - a)).mean() for a in (0.1, 0.025)]
    error, naive = np.median(table[:, 1]), np.median(table[:, 2])
    return f"{name:36} {len(table):6} {held[0]:6.3f} {held[1]:6.3f} {error:7.3f} {naive:7.3f}"


def main(count: int, seed: int) -> int:
    """Print the tables."""
    if not DATA.is_dir():
        print(f"skipped: there is no {DATA}")
        return 0
    drawn = list(worlds(count, np.random.default_rng(seed)))
    results = [judged(world) for world in drawn]
    table = np.array([t for t, _ in results])
    whole = table.reshape(-1, 3)
    print(f"{'':36} {'totals':>6} {'80 %':>6} {'95 %':>6} {'error':>7} {'naive':>7}")
    print(row("all", whole))
    for place, ahead in enumerate(HORIZONS):
        print(row(f"{ahead} days ahead", table[:, place]))
    for trait in drawn[0].traits:
        for value in sorted({world.traits[trait] for world in drawn}):
            mine = np.array([world.traits[trait] == value for world in drawn])
            print(row(f"{trait} {value}", table[mine].reshape(-1, 3)))
    chance, came = np.array([b for _, each in results for b in each]).T
    for low, high in pairwise(CHANCES):
        some = (chance >= low) & (chance < high)
        if some.any():
            told = f"said {chance[some].mean():.3f}, came {came[some].mean():.3f}"
            print(f"breaches with a chance of {low:.2f} to {min(high, 1):.2f}: {told}")
    days = np.mean([held for world in drawn[:100] for held in dated(world)])
    print(f"days of breaches within their 80 % interval, whole days: {days:.3f}")
    held = ((whole[:, 0] >= 0.1) & (whole[:, 0] <= 0.9)).mean()
    better = np.median(whole[:, 1]) < np.median(whole[:, 2])
    return int(not (0.75 <= held <= 0.85 and better))


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    sys.exit(main(*(given + [400, 7][len(given) :])))

"""Do forecasts of a month's spend come true? Ten weeks made of real rates, from many origins.

Run with ``python tests/benchmarks/bench_spend_outlook.py [SERIES] [SEED]``. The rates of
`../shared/data/llm` (two clients, two weeks) are repeated to ten weeks, alone and mixed, times
growth and noise that carries over. From each of four days the spend until a month's end, 5 to 21
days away, is forecast. Prints the coverage of the intervals, the error, and that of "each day as in
the last seven". Ends with 1 where the 80 % interval does not cover 75 to 85 %.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from workbench.spend.budgeting.outlook import outlook

DATA = Path(__file__).parents[3] / "shared" / "data" / "llm"
DAYS = 70
ORIGINS = (28, 35, 42, 49)


def daily(client: int) -> np.ndarray:
    """Requests of each of fourteen days."""
    file = DATA / f"servegen-m-large-{client}-trace.csv"
    rates = np.loadtxt(file, delimiter=",", usecols=1)
    return rates.reshape(14, 144).sum(axis=1) * 600


def ten_weeks(clients: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Seventy days of one client or a mixture."""
    share = rng.choice([0.0, 1.0, rng.random()])
    base = share * clients[0] + (1 - share) * clients[1]
    wander = np.zeros(DAYS)
    carried, noise = rng.choice([0.0, 0.3, 0.6]), rng.choice([0.05, 0.1, 0.2])
    for day in range(1, DAYS):
        wander[day] = carried * wander[day - 1] + rng.normal(0, noise)
    return np.tile(base, 5) * np.exp(rng.normal(0, 0.004) * np.arange(DAYS) + wander)


def main(series: int, seed: int) -> int:
    """Print the table."""
    if not DATA.is_dir():
        print(f"skipped: there is no {DATA}")
        return 0
    rng = np.random.default_rng(seed)
    clients = [daily(0), daily(1)]
    rows = []
    for _ in range(series):
        spend = ten_weeks(clients, rng)
        for origin in ORIGINS:
            left = int(rng.integers(5, 22))
            found = outlook(
                np.arange(origin), spend[:origin], spent=0.0, left=left, rng=rng, origins=0
            )
            assert found is not None
            truth = spend[origin : origin + left].sum()
            ends = [found.total(q) for q in (0.1, 0.9, 0.025, 0.975)]
            naive = spend[origin - 7 : origin].mean() * left
            rows.append(
                (
                    ends[0] <= truth <= ends[1],
                    ends[2] <= truth <= ends[3],
                    abs(found.total(0.5) - truth) / truth,
                    abs(naive - truth) / truth,
                )
            )
    table = np.array(rows, dtype=float)
    held_80, held_95 = table[:, 0].mean(), table[:, 1].mean()
    error, naive = np.median(table[:, 2]), np.median(table[:, 3])
    print(f"{len(rows)} forecasts: 80 % interval held {held_80:.3f}, 95 % {held_95:.3f}")
    print(f"median error {error:.3f}, each day as in the last seven {naive:.3f}")
    return int(not 0.75 <= held_80 <= 0.85)


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    sys.exit(main(*(given + [100, 7][len(given) :])))

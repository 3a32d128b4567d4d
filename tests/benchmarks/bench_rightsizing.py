"""Is our CPU request tighter than KRR's and the Vertical Pod Autoscaler's, at the same risk?

Run with ``python tests/benchmarks/bench_rightsizing.py``. Real CPU series of CloudWatch (the NAB
collection): every rule learns from all but the last week of each and is judged on that week.

- ``exceeded``: the share of the week's 5-minute steps above the request;
- ``unused``: what the request held above usage, as a share of the mean usage.

Compared is what is held in vain, first at the risk that a rule's percentile states (KRR's 95th, the
autoscaler's 90th). But a lower request always holds less and is exceeded more often: so, second, our
stated risk is moved until we are exceeded as often as the rule is, in the mean over the series. (On
one series alone, two constant requests that are exceeded equally often are the same request: a rule
shows its worth in how it spreads the risk over containers.)

A second table takes the same rules through every week of the series, one more that is longer
among them. Containers lend each other margins, so what they are judged with matters: in each fleet a
container stands once, as it does in a cluster. The third table judges all weeks as one fleet, in which
the longer series, the one with bursts, stands seven times. More tables give the same of simulated
containers.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "capacity"))

from usage_simulation import simulated_fleet

from workbench.capacity.sizing.cpu import fit_cpu, unused_share
from workbench.capacity.sizing.peer_rules import krr_cpu, vpa_cpu
from workbench.capacity.sizing.quantiles import Usage
from workbench.capacity.sizing.working_hours import hours_of_week

DATA = Path(__file__).parents[3] / "shared" / "data" / "nab"
WEEK_MS = 7 * 86_400_000
RISK = 0.05

Fold = tuple[Usage, np.ndarray]
Fleet = dict[str, Fold]
"""Containers that are judged together, each with the week that it has not seen."""

Score = tuple[list[float], list[float]]


def read(path: Path) -> Usage:
    """One series."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = np.array(
        [
            int(datetime.fromisoformat(r["timestamp"]).replace(tzinfo=UTC).timestamp()) * 1000
            for r in rows
        ]
    )
    values = np.array([float(r["value"]) for r in rows]) / 100
    order = np.argsort(times, kind="stable")
    return Usage(times[order], values[order], hours_of_week(times[order], "UTC"))


def fold(usage: Usage, back: int = 0) -> Fold:
    """What is known before a week, and that week; `back` weeks before the last one."""
    cut = int(usage.times_ms[-1]) - (back + 1) * WEEK_MS
    past = usage.between(int(usage.times_ms[0]) - 1, cut)
    return past, usage.between(cut, cut + WEEK_MS).values


def judged(request: float, week: np.ndarray) -> tuple[float, float]:
    """How often a request is exceeded, and what it holds in vain."""
    return float((week > request).mean()), unused_share(week, request) or 0.0


def ours(fleets: list[Fleet], risk: float) -> Score:
    """Our rule at a stated risk: one figure a container and week, the mean over its fleets."""
    found: dict[str, list[tuple[float, float]]] = {}
    for fleet in fleets:
        fits = fit_cpu([past for past, _ in fleet.values()], risk)
        for (name, (_, week)), fit in zip(fleet.items(), fits, strict=True):
            found.setdefault(name, []).append(judged(fit.request, week))
    means = [np.mean(scores, axis=0).tolist() for scores in found.values()]
    return [exceeded for exceeded, _ in means], [unused for _, unused in means]


def theirs(rule: Callable, fleets: list[Fleet]) -> Score:
    """Another rule, which knows no fleet."""
    folds = {name: fold for fleet in fleets for name, fold in fleet.items()}
    scores = [judged(rule(p.times_ms, p.values).target, week) for p, week in folds.values()]
    return [exceeded for exceeded, _ in scores], [unused for _, unused in scores]


def at_exceedance(fleets: list[Fleet], wanted: float) -> tuple[float, Score]:
    """Our rule at the stated risk at which it is exceeded so often, at the most."""
    low, high = 0.001, 0.5
    for _ in range(14):
        middle = float(np.sqrt(low * high))
        if np.mean(ours(fleets, middle)[0]) <= wanted:
            low = middle
        else:
            high = middle
    return low, ours(fleets, low)


PEERS: dict[str, tuple[Callable, float]] = {"KRR": (krr_cpu, 0.05), "VPA": (vpa_cpu, 0.1)}
"""Each rule and the risk that its percentile states."""


def compare(fleets: list[Fleet], *, each: bool) -> bool:
    """Print one table; whether ours holds less than every peer at its own exceedance."""
    columns: list[tuple[str, Score]] = [(f"ours {RISK:.0%}", ours(fleets, RISK))]
    said: list[tuple[str, bool]] = []
    for name, (rule, stated) in PEERS.items():
        peer = theirs(rule, fleets)
        told = columns[0][1] if stated == RISK else ours(fleets, stated)
        said.append(_verdict(f"at {name}'s stated risk of {stated:.0%}", peer, told))
        risk, same = at_exceedance(fleets, float(np.mean(peer[0])))
        columns += [(name, peer), (f"ours as {name}", same)]
        said.append(_verdict(f"exceeded as often as {name} (stated {risk:.1%})", peer, same))
    print(f"{'exceeded / unused, %':<34}" + "".join(f"{title:>16}" for title, _ in columns))
    names = list(dict.fromkeys(name for fleet in fleets for name in fleet))
    for i, name in enumerate(names if each else ()):
        cells = [f"{100 * s[0][i]:.1f} / {100 * s[1][i]:.1f}" for _, s in columns]
        print(f"{name:<34}" + "".join(f"{cell:>16}" for cell in cells))
    means = [f"{100 * np.mean(s[0]):.1f} / {100 * np.mean(s[1]):.1f}" for _, s in columns]
    print(f"{f'mean of {len(names)}':<34}" + "".join(f"{cell:>16}" for cell in means))
    for line, _ in said:
        print(f"  {line}")
    print()
    return all(met for _, met in said)


def _verdict(what: str, theirs: Score, mine: Score) -> tuple[str, bool]:
    held, kept = float(np.mean(theirs[1])), float(np.mean(mine[1]))
    more = 100 * float(np.mean(mine[0]) - np.mean(theirs[0]))
    met = kept < held
    word = "met" if met else "missed"
    change = f"{100 * (kept / held - 1):+.0f} % unused, exceeded {more:+.1f} points"
    return f"{what}: {change}: {word}", met


def weekly(series: dict[str, Usage]) -> list[Fleet]:
    """A fleet a week back: every container once; one with a shorter history, in its first week."""
    weeks = {
        name: max(int(usage.times_ms[-1] - usage.times_ms[0]) // WEEK_MS - 1, 1)
        for name, usage in series.items()
    }
    fleets: list[Fleet] = []
    for back in range(max(weeks.values())):
        backs = {name: min(back, weeks[name] - 1) for name in series}
        fleets.append({f"{name[:27]} −{n} w": fold(series[name], n) for name, n in backs.items()})
    return fleets


def main() -> int:
    """Print the tables; 1 where the figure is missed."""
    paths = sorted([*DATA.glob("ec2_cpu_utilization*.csv"), *DATA.glob("rds_cpu*.csv")])
    if not paths:
        print(f"no CPU series in {DATA}: skipped")
        return 0
    series = {path.stem: read(path) for path in paths}
    print("Real series, the last week\n")
    met = compare([{name: fold(usage) for name, usage in series.items()}], each=True)
    every = series | {p.stem: read(p) for p in DATA.glob("cpu_utilization_asg*.csv")}
    fleets = weekly(every)
    print("Real series, every week after the first, and one series more\n")
    compare(fleets, each=True)
    print("The same weeks, all as one fleet\n")
    compare([{name: each for fleet in fleets for name, each in fleet.items()}], each=False)
    for days in (7, 28):
        print(f"Simulated containers, {days} days of history\n")
        fleet = simulated_fleet(np.random.default_rng(days), containers=60, days=days + 7)
        compare([{str(i): fold(usage) for i, usage in enumerate(fleet)}], each=False)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

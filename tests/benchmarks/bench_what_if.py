"""What-if: do the intervals hold beyond the loads seen, and is N* where it was put?

Run with ``python tests/benchmarks/bench_what_if.py [FLEETS] [SEED]`` (12 of each kind where nothing is
given). Usage follows a load by four laws, with four kinds of noise of short and long memory; each
relation is learnt from 35 days, and the truth is the next day, with its load as it is and 30 %
higher. Then throughput follows known laws of scalability. Prints one line a kind, and each figure
with *met* or *missed*.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "statistics"))

from load_simulation import LAWS, autoregressive, loads, usages

from workbench.statistics.regression import fit_relation
from workbench.statistics.scalability import fit_scalability, usl

DAYS = 35
FACTORS = np.array([1.0, 1.3])
ENDS = (0.025, 0.1, 0.5, 0.9, 0.975)
SCALING = (
    (100, 0.05, 0.001, 60),
    (50, 0.1, 0.0002, 100),
    (10, 0.02, 0.0003, 40),
    (100, 0.05, 0.0, 60),
    (100, 0.15, 0.0, 40),
)
"""λ, σ, κ and the highest concurrency."""


def judged(law, noise, memory, seed):
    """Per factor: within 80 %, within 95 %, error and width as shares of the true peak."""
    place = [seed, *map(len, (law, noise)), ord(law[0]), int(memory * 10)]
    rng = np.random.default_rng(place)
    load = loads(rng, DAYS + 1)
    row = []
    for factor in FACTORS:
        then = load.copy()
        then[-1] *= factor
        drawn = np.random.default_rng([*place, 5])
        usage = usages(drawn, then, LAWS[law], noise=noise, memory=memory)
        began = time.process_time()
        found = fit_relation(load[:-1], usage[:-1], rng, test=False)
        peaks = found.peaks(load[-1], np.array([factor]), rng)[:, 0]
        seconds = time.process_time() - began
        truth = usage[-1].max()
        low95, low80, middle, high80, high95 = np.quantile(peaks, ENDS)
        inside = [low80 <= truth <= high80, low95 <= truth <= high95]
        row += [*inside, middle / truth - 1, (high80 - low80) / truth, seconds]
    return row


def peaks(count, seed):
    """Print a line a kind; give the means of all."""
    print("law      noise    memory  now: 80   95   bias    width   +30 %: 80   95   bias    width")
    every = []
    for law in LAWS:
        for noise in ("even", "growing", "heavy", "job"):
            for memory in (0.5, 0.9):
                rows = [judged(law, noise, memory, seed + i) for i in range(count)]
                mean = np.mean(rows, axis=0)
                every.append(mean)
                now, then = (
                    f"{m[0]:.2f} {m[1]:.2f} {m[2]:+.3f} {m[3]:.3f}" for m in (mean[:5], mean[5:])
                )
                print(f"{law:<8} {noise:<8} {memory}      {now}      {then}", flush=True)
    return np.mean(every, axis=0)


def scaling(count, seed):
    """Print a line a law; give coverage of λ, σ, κ, errors of N*, and how often one is made up."""
    print(
        "law                          memory  80 %: λ    σ    κ     peak told  error of N*  N* held"
    )
    held, errors, within, invented = [], [], [], []
    for one, contention, coherency, top in SCALING:
        star = np.sqrt((1 - contention) / coherency) if coherency else np.inf
        for memory in (0.0, 0.7):
            rows, told, off, inside = [], [], [], []
            for i in range(count):
                rng = np.random.default_rng(
                    [seed + i, top, round(1e5 * contention), int(memory * 10)]
                )
                load = loads(rng, 14).ravel()
                n = 1 + load / load.max() * (top - 1)
                noise = 1 + autoregressive(rng, len(n), memory, 0.05)
                found = fit_scalability(n, usl(n, one, contention, coherency) * noise, rng)
                ends = found.intervals[[1, 3]]
                truth = np.array([one, contention, coherency])
                rows.append((ends[0] <= truth) & (truth <= ends[1]))
                told.append(found.has_peak)
                if found.has_peak and coherency:
                    off.append(abs(found.peak[2] / star - 1))
                    inside.append(found.peak[1] <= star <= found.peak[3])
            cover = np.mean(rows, axis=0)
            shown = " ".join(f"{c:.2f}" for c in cover)
            held.append(cover[: 3 if coherency else 2].mean())
            errors += off
            within += inside
            invented += [] if coherency else told
            error = f"{np.mean(off):.3f}        {np.mean(inside):.2f}" if off else "–"
            law = f"{one} {contention} {coherency} to {top}"
            print(
                f"{law:<28} {memory}     {shown}      {np.mean(told):.2f}       {error}", flush=True
            )
    return np.mean(held), np.mean(errors), np.mean(within), np.mean(invented)


def verdict(what, value, *, least=-np.inf, most=np.inf):
    """Print a figure with met or missed; give whether it was missed."""
    missed = not least <= value <= most
    aim = " to ".join(f"{x:g}" for x in (least, most) if np.isfinite(x))
    print(f"{what:<56}{value:8.3f}  aim {aim:<13} {'missed' if missed else 'met'}")
    return missed


def main(count, seed):
    """Print both parts and the verdicts; give whether an aim was missed."""
    mean = peaks(count, seed)
    held, error, within, invented = scaling(count, seed)
    return any(
        [
            verdict("80 % intervals of the peak now", mean[0], least=0.75, most=0.85),
            verdict("80 % intervals of the peak at +30 %", mean[5], least=0.75, most=0.85),
            verdict("95 % intervals of the peak at +30 %", mean[6], least=0.92, most=0.98),
            verdict("bias at +30 %, share of the peak", abs(mean[7]), most=0.02),
            verdict("seconds a relation", mean[9], most=0.1),
            verdict("80 % intervals of λ, σ, κ", held, least=0.72, most=0.88),
            verdict("error of N*, share of it", error, most=0.1),
            verdict("80 % intervals of N*", within, least=0.72, most=0.88),
            verdict("peaks told where there is none", invented, most=0.05),
        ]
    )


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:]]
    sys.exit(main(*(numbers or [12]), *([] if len(numbers) > 1 else [1])))

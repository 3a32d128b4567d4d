"""Does advised bucket layouts' printed error come true? Simulated families of latencies.

Run with ``python tests/benchmarks/bench_bucket_adviser.py [SAMPLES] [BUCKETS]``: so many samples
of 20,000 requests in each of six smooth families and four lumpy ones (30 where nothing is given),
observed on Prometheus' default boundaries, with layouts of at most so many buckets, ``+Inf`` among
them (12, which is the default's own cost). Another sample of the same family is then counted on
the advised layout.
Mean relative errors in per cent, of our estimate and (``hq``) by ``histogram_quantile``:

- ``printed``: what the adviser expects of p99; ``true``: what came; ``today``: on the default;
- ``p50``, ``p95``: the same means for the other quantiles, by ``histogram_quantile``;
- ``<worst``: share of the true errors, of all three quantiles and both ways, below the worst that
  is printed;
- ``kept``: share of samples in which today's layout was found good enough.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "latency"))

from advised_families import FAMILIES, LUMPY, Trial, try_advice


def main(samples: int, buckets: int) -> None:
    """Print the table."""
    print(f"{'':<12}{'ours, p99':^22}  {'hq, p99':^22}  {'hq, p50':^15}  {'hq, p95':^15}")
    print(f"{'family':<12}{'printed   true  today':>22}  {'printed   true  today':>22}"
          f"  {'true   today':>15}  {'true   today':>15}  series  <worst  kept     ms")  # fmt: skip
    for title, families in (("all smooth", FAMILIES), ("all lumpy", LUMPY)):
        every: list[Trial] = []
        for family in families:
            trials = [try_advice(family, seed, max_buckets=buckets) for seed in range(samples)]
            every += trials
            print(_line(family, trials), flush=True)
        print(_line(title, every))


def _line(name: str, trials: list[Trial]) -> str:
    def mean(field: str, quantile: int) -> float:
        return 100 * float(np.mean([getattr(trial, field)[quantile] for trial in trials]))

    ours = [mean(field, 2) for field in ("expected", "true", "today_true")]
    promql = [mean(field, 2) for field in ("expected_promql", "true_promql", "today_promql")]
    other = [mean(field, i) for i in (0, 1) for field in ("true_promql", "today_promql")]
    series = np.mean([trial.chosen.series_per_label_set for trial in trials])
    below = np.mean([[x.true <= x.worst, x.true_promql <= x.worst_promql] for x in trials])
    kept = np.mean([trial.chosen is trial.today for trial in trials])
    spent = 1000 * np.mean([trial.cpu_seconds for trial in trials])
    cells = "  ".join(
        " ".join(f"{value:>{width}.2f}" for value in part)
        for part, width in ((ours, 6), (promql, 6), (other[:2], 7), (other[2:], 7))
    )
    return f"{name:<12} {cells}  {series:>6.1f}  {below:>6.2f}  {kept:.2f}  {spent:>5.0f}"


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    main(*(given + [30, 12][len(given) :]))

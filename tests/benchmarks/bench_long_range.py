"""Thirty days at 60 s, 43,200 points a series: pieces by two threads against sequential chunks."""

from __future__ import annotations

import sys
from collections.abc import Callable

import estate
import measure

EXPRESSION = "avg_over_time(bench_month[5m])"
POINTS = 43_200
END_MS = estate.END_MS
START_MS = END_MS - (POINTS - 1) * 60_000


def _prepared(url: str) -> tuple[object, ...]:
    from workbench.settings import SourceSettings
    from workbench.sources.prometheus import PrometheusSource
    from workbench.window import Window

    source = PrometheusSource(SourceSettings(url=url))
    source.info()
    return source, Window(START_MS, END_MS, 60_000)


def workbench(url: str) -> Callable[[], int]:
    """`query_range` of the whole."""
    source, window = _prepared(url)
    return lambda: int(source.query_range(EXPRESSION, window).data.present.sum())  # type: ignore[attr-defined]


def sequential(url: str) -> Callable[[], int]:
    """The same code, one chunk of 11,000 points after the other, joined in the same way."""
    from workbench.sources.prometheus.decode import Decoded
    from workbench.sources.prometheus.ranges import join

    source, window = _prepared(url)

    def run() -> int:
        parts = [
            Decoded(source.query_range(EXPRESSION, part).data) for part in window.split(11_000)
        ]  # type: ignore[attr-defined]
        return int(join(parts, window, EXPRESSION).data.present.sum())  # type: ignore[arg-type, union-attr]

    return run


CANDIDATES = {"workbench": workbench, "sequential": sequential}


def main() -> None:
    """Print the table and which goal is met."""
    with estate.running() as url:
        found = measure.alternate(__file__, list(CANDIDATES), url)
    ours, one_by_one = found["workbench"], found["sequential"]
    if ours[2] != one_by_one[2]:
        sys.exit(f"{ours[2]:,} points against {one_by_one[2]:,}")
    print(f"\n{EXPRESSION}, {ours[2]:,} points, medians of {measure.ROUNDS}\n")
    print("| candidate | s | workbench is faster by | extra peak MB |")
    print("|---|---|---|---|")
    for name, (seconds, peak, _) in found.items():
        print(f"| {name} | {seconds:.2f} | {seconds / ours[0]:.2f} | {peak:.0f} |")
    measure.judge({"at least 1.6 × faster than sequential chunks": one_by_one[0] >= 1.6 * ours[0]})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure.run_here(CANDIDATES[sys.argv[1]](sys.argv[2]))
    else:
        main()

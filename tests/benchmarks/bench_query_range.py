"""A range query to a wide DataFrame, 1,000 series × 1,440 points: against the body alone and the peers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import estate
import measure

EXPRESSION = 'bench_gauge{half="0"}'
END_MS = estate.END_MS
START_MS = END_MS - 1_439 * 60_000
SHAPE = 1_000 * 1_440


def body_only(url: str) -> Callable[[], int]:
    """Read the body with `requests` and keep it; the figure is its size."""
    import requests

    session = requests.Session()
    session.trust_env = False
    params = {"query": EXPRESSION, "start": START_MS / 1000, "end": END_MS / 1000, "step": 60}

    def run() -> int:
        answer = session.get(
            f"{url}/api/v1/query_range",
            params=params,
            headers={"Accept-Encoding": "identity"},
            timeout=120,
        )
        return len(answer.content)

    return run


def _workbench(url: str, form: str, *, fast: bool = True) -> Callable[[], int]:
    import pandas as pd

    from workbench.frame import Frame
    from workbench.settings import SourceSettings
    from workbench.sources.prometheus import PrometheusSource, spans
    from workbench.window import Window

    if not fast:
        spans.simdjson = None
    pd.DataFrame(
        {"a": [1]}, index=pd.DatetimeIndex([0], tz="UTC")
    )  # imports what pandas imports late
    source = PrometheusSource(SourceSettings(url=url))
    source.info()

    def run() -> int:
        data = source.query_range(EXPRESSION, Window(START_MS, END_MS, 60_000)).data
        assert isinstance(data, Frame)
        return data.to_wide().size if form == "wide" else len(data.to_long())

    return run


def workbench_wide(url: str) -> Callable[[], int]:
    """What `query_range` gives: one column a series."""
    return _workbench(url, "wide")


def workbench_numpy_only(url: str) -> Callable[[], int]:
    """The same where simdjson is not installed."""
    return _workbench(url, "wide", fast=False)


def workbench_long(url: str) -> Callable[[], int]:
    """The long form with categorical labels."""
    return _workbench(url, "long")


def prometheus_pandas(url: str) -> Callable[[], int]:
    """The peer prometheus-pandas."""
    from prometheus_pandas.query import Prometheus

    client = Prometheus(url)
    return lambda: client.query_range(EXPRESSION, START_MS / 1000, END_MS / 1000, 60).size


def api_client(url: str) -> Callable[[], int]:
    """The peer prometheus-api-client with its MetricRangeDataFrame (which is long)."""
    from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect

    client = PrometheusConnect(url)
    start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (START_MS, END_MS))
    return lambda: len(
        MetricRangeDataFrame(client.custom_query_range(EXPRESSION, start, end, "60"))
    )


CANDIDATES = {
    each.__name__: each
    for each in (
        body_only,
        workbench_wide,
        workbench_numpy_only,
        workbench_long,
        prometheus_pandas,
        api_client,
    )
}


def main() -> None:
    """Print the table and which goals are met."""
    with estate.running() as url:
        found = measure.alternate(__file__, list(CANDIDATES), url)
    alone, _, size = found["body_only"]
    wide, memory, cells = found["workbench_wide"]
    for name, (_, _, figure) in found.items():
        if name != "body_only" and figure != SHAPE:
            sys.exit(f"{name} gave {figure:,} values, not {SHAPE:,}")
    megabytes = size / 2**20
    print(
        f"\n{EXPRESSION}, {cells:,} values, body {megabytes:.1f} MB, medians of {measure.ROUNDS}\n"
    )
    print(
        "| candidate | s | × body only | workbench is faster by | extra peak MB | MB over the body |"
    )
    print("|---|---|---|---|---|---|")
    for name, (seconds, peak, _) in found.items():
        print(
            f"| {name} | {seconds:.2f} | {seconds / alone:.2f} | {seconds / wide:.1f} | {peak:.0f} | {peak - megabytes:.0f} |"
        )
    measure.judge(
        {
            "wide DataFrame in at most 1.5 × the body alone": wide <= 1.5 * alone,
            "at least 6 × faster than prometheus-pandas": found["prometheus_pandas"][0] >= 6 * wide,
            "at least 6 × faster than prometheus-api-client": found["api_client"][0] >= 6 * wide,
            "at most 100 MB over the body": memory - megabytes <= 100,
        }
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure.run_here(CANDIDATES[sys.argv[1]](sys.argv[2]))
    else:
        main()

"""The engine gives what a real Prometheus gives on the same samples.

Debian's Prometheus 2.42 has windows closed on the left, the engine's are open as in 3.x. The
samples lie off the grid of the steps, so no window begins on a sample and both must agree.
"""

from __future__ import annotations

import json
import urllib.parse

import numpy as np
import pytest
import servers

from workbench.engine import Engine
from workbench.samples import Samples
from workbench.store import MemoryStore

START = servers.TRUTH_START_MS // 60_000 * 60_000 - 120_000
END = START + 4 * 3_600_000
STEP = 60_000

QUERIES = [
    "truth_temperature",
    "rate(truth_requests_total[5m])",
    "sum by (job) (rate(truth_requests_total[5m]))",
    "increase(truth_requests_total[1h])",
    "irate(truth_requests_total[2m])",
    "delta(truth_temperature[10m])",
    "deriv(truth_temperature[10m])",
    "predict_linear(truth_temperature[30m], 3600)",
    "avg_over_time(truth_temperature[10m])",
    "stddev_over_time(truth_temperature[1h])",
    "quantile_over_time(0.9, truth_temperature[20m])",
    "max_over_time(rate(truth_requests_total[5m])[30m:2m])",
    "changes(truth_temperature[10m])",
    "resets(truth_requests_total[1h])",
    "sum(truth_temperature offset 7m) - sum(truth_temperature)",
    "topk(1, truth_temperature) or bottomk(1, truth_requests_total)",
    "count by (job) (truth_temperature > 0)",
    "stdvar(truth_temperature) / avg(truth_temperature)",
    'label_replace(truth_temperature, "x", "$1", "job", "(.).*")',
    "absent_over_time(truth_temperature[5m])",
    "hour() + day_of_week(vector(time()))",
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine over the samples that the server holds."""
    return Engine(MemoryStore(Samples.from_series(servers.truth())))


def asked(url: str, expression: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    """What the server answers: for each label set its values by time in milliseconds."""
    query = urllib.parse.urlencode(
        {"query": expression, "start": START / 1000, "end": END / 1000, "step": STEP / 1000}
    )
    answer = json.loads(servers.get(f"{url}/api/v1/query_range?{query}"))
    return by_labels(answer["data"]["result"])


def by_labels(result: list[dict]) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    return {
        tuple(sorted(row["metric"].items())): {round(t * 1000): float(v) for t, v in row["values"]}
        for row in result
    }


@pytest.mark.parametrize("expression", QUERIES)
def test_the_engine_agrees_with_a_server(prometheus: str, engine: Engine, expression: str) -> None:
    """The same series, the same steps, the same values but for rounding."""
    frame = engine.range(expression, START, END, STEP).data
    ours, theirs = by_labels(frame.to_api()["result"]), asked(prometheus, expression)
    assert theirs or expression.startswith("absent")
    assert set(ours) == set(theirs)
    for labels, wanted in theirs.items():
        assert list(ours[labels]) == list(wanted)
        np.testing.assert_allclose(
            list(ours[labels].values()), list(wanted.values()), rtol=1e-9, atol=1e-9
        )

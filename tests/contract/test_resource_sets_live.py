"""The queries of the ready-made resource sets, asked of real servers."""

import json
from urllib.parse import quote

import pytest
from resource_estates import EVERYTHING, GRID, estate
from servers import backfill, get, import_into, prometheus, victoriametrics

import workbench
from workbench.capacity import questions, set_names, shipped_resources
from workbench.engine import Engine

pytestmark = pytest.mark.servers
SERIES = sorted(estate(EVERYTHING), key=lambda each: each[0]["__name__"])


def test_prometheus_answers_as_the_engine_does(tmp_path):
    """Labels, too: joins and regular expressions may not differ."""
    backfill(SERIES, tmp_path / "data")
    with prometheus(tmp_path) as server:
        _compare(server.url, lambda labels: labels)


def test_victoriametrics_answers_as_the_engine_does(tmp_path):
    """It keeps the names of metrics in places where Prometheus drops them; no join looks at them."""
    with victoriametrics(tmp_path) as server:
        import_into(server.url, SERIES)
        _compare(server.url, lambda labels: {k: v for k, v in labels.items() if k != "__name__"})


def _compare(url, kept):
    engine = Engine(workbench.snapshot(SERIES).store)
    answered = 0
    for each in questions(shipped_resources(*set_names()), GRID):
        at = GRID.end_ms / 1000
        body = json.loads(get(f"{url}/api/v1/query?query={quote(each.expression)}&time={at}"))
        theirs = {
            json.dumps(kept(row["metric"]), sort_keys=True): float(row["value"][1])
            for row in body["data"]["result"]
        }
        frame = engine.instant(each.expression, GRID.end_ms).data
        keys = [json.dumps(kept(dict(labels)), sort_keys=True) for labels in frame.labels]
        ours = dict(zip(keys, frame.values[:, 0].tolist(), strict=True))
        assert ours == pytest.approx(theirs, rel=1e-9), each.expression
        answered += bool(theirs)
    assert answered > 60

"""Inventories of real servers against what each server counts itself."""

from __future__ import annotations

import json
import urllib.parse

import pytest
import servers
from stand_in import Reply, StandIn

from workbench.errors import NotSupportedError
from workbench.inventory import Inventory
from workbench.samples import MetricType
from workbench.settings import SourceSettings
from workbench.sources.inventory import take_inventory
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.snapshot import from_samples

ACTIVE_MS = 60_000


def counted(url: str, expression: str) -> dict[str, int]:
    """What the server itself counts, by metric."""
    query = urllib.parse.urlencode({"query": expression})
    result = json.loads(servers.get(f"{url}/api/v1/query?{query}"))["data"]["result"]
    return {row["metric"].get("__name__", ""): int(float(row["value"][1])) for row in result}


def taken(url: str, **options: object) -> Inventory:
    """The inventory of a live server."""
    with PrometheusSource(SourceSettings(url=url)) as source:
        return take_inventory(source, **options)  # type: ignore[arg-type]


def test_a_real_prometheus_lists_what_it_counts(prometheus: str) -> None:
    """Series per metric are those of the server's own count; types come from its metadata."""
    inventory = taken(prometheus, matchers=['{job="node"}'])
    truth = counted(prometheus, 'count by (__name__) ({job="node"})')
    assert {name: m.series for name, m in inventory.metrics.items()} == truth
    cpu = inventory.metrics["node_cpu_seconds_total"]
    assert cpu.type is MetricType.COUNTER
    assert cpu.table is not None
    assert set(cpu.table.labels) == {"cpu", "mode", "instance", "job"}
    assert inventory.total_series is None  # the head's count knows no selector


def test_beyond_the_limit_metrics_are_counted(prometheus: str) -> None:
    """Where listing would be too much, the counts are still the server's; the note says so."""
    inventory = taken(prometheus, matchers=['{job="node"}'], most_series=50)
    truth = counted(prometheus, 'count by (__name__) ({job="node"})')
    assert {name: m.series for name, m in inventory.metrics.items()} == truth
    assert any(m.table is None for m in inventory.metrics.values())
    assert sum(m.series for m in inventory.metrics.values() if m.table is not None) <= 50
    assert any("not listed" in note for note in inventory.notes)


def test_only_some_metrics(prometheus: str) -> None:
    """A candidate's names are asked for, and nothing else."""
    inventory = taken(prometheus, names={"up", "no_such_metric"})
    assert set(inventory.metrics) == {"up"}
    assert inventory.total_series is not None
    assert inventory.total_series > 100


def test_victoriametrics_lists_too(victoriametrics: str) -> None:
    """Its head statistics have other names for the total; its series are listed."""
    servers.post(
        f"{victoriametrics}/api/v1/import/prometheus",
        b'inventory_probe{a="1"} 1\ninventory_probe{a="2"} 1\n',
    )
    servers.get(f"{victoriametrics}/internal/force_flush")
    inventory = taken(victoriametrics, matchers=['{__name__="inventory_probe"}'])
    assert {n: m.series for n, m in inventory.metrics.items()} == {"inventory_probe": 2}


def test_a_snapshot_lists_what_it_holds() -> None:
    """Data in memory goes the same way as a server."""
    store = from_samples(_samples())
    inventory = take_inventory(store, active_ms=ACTIVE_MS)
    assert inventory.series == inventory.total_series == len(servers.truth())


def _samples() -> object:
    from workbench.samples import Samples

    return Samples.from_series(servers.truth())


MIMIR = {
    "label_names": {"label_values_count_total": 5, "label_names_count": 2, "cardinality": [{"label_name": "pod", "label_values_count": 4}]},
    "label_values": {
        "series_count_total": 42,
        "labels": [
            {
                "label_name": "__name__", "label_values_count": 1, "series_count": 42,
                "cardinality": [{"label_value": "x", "series_count": 42}],
            }
        ],
    },
}  # fmt: skip


def test_mimir_counts_by_its_own_api() -> None:
    """Where there are no head statistics, the cardinality API gives the same (scripted)."""
    with StandIn() as server:
        for name, answer in MIMIR.items():
            server.script(f"/api/v1/cardinality/{name}", Reply(json.dumps(answer).encode()))
        server.script("/api/v1/label/__name__/values", Reply(b'{"status":"success","data":["x"]}'))
        server.script("/api/v1/metadata", Reply(b'{"status":"success","data":{}}'))
        inventory = taken(server.url, most_series=10)
    assert (inventory.total_series, inventory.metrics["x"].series) == (42, 42)


def test_a_server_without_any_counts_is_still_read() -> None:
    """Neither API: the series are listed, and the note says what is missing."""
    with StandIn() as server:
        server.script("/api/v1/label/__name__/values", Reply(b'{"status":"success","data":["x"]}'))
        server.script("/api/v1/metadata", Reply(b'{"status":"success","data":{}}'))
        rows = b'{"status":"success","data":[{"__name__":"x","a":"1"},{"__name__":"x","a":"2"}]}'
        server.script("/api/v1/series", Reply(rows))
        with PrometheusSource(SourceSettings(url=server.url, retries=0)) as source:
            with pytest.raises(NotSupportedError):
                source.tsdb_status()
            inventory = take_inventory(source)
    assert inventory.metrics["x"].series == 2
    assert any("no counts" in note for note in inventory.notes)

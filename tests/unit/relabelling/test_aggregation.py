"""What is recorded where a label cannot be dropped: right by type, and refused where it is open."""

from __future__ import annotations

import pytest
import yaml

from workbench.errors import InputError
from workbench.inventory import LabelTable, ObservedMetric
from workbench.promql import parse
from workbench.relabelling import (
    Aggregation,
    GaugeOperation,
    drop_buckets,
    drop_label,
    drop_metrics,
    likely_operation,
    relabel,
    relabel_tables,
    rewrite_values,
    write_recording_rules,
    write_stream_aggregation,
)
from workbench.samples import MetricType

C, G, H, S = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM, MetricType.SUMMARY


@pytest.mark.parametrize(
    ("aggregation", "expressions"),
    [
        (Aggregation("x_total", C, ("a",)), ["sum without (a) (rate(x_total[5m]))"]),
        (
            Aggregation("x", H, ("a", "b"), window="90s"),
            [
                "sum without (a, b) (rate(x_bucket[1m30s]))",
                "sum without (a, b) (rate(x_sum[1m30s]))",
                "sum without (a, b) (rate(x_count[1m30s]))",
            ],
        ),
        (Aggregation("x", H, ("a",), native=True), ["sum without (a) (rate(x[5m]))"]),
        (
            Aggregation("x", S, ("a",)),
            ["sum without (a) (rate(x_sum[5m]))", "sum without (a) (rate(x_count[5m]))"],
        ),
        (Aggregation("x", G, ("a",), operation="max"), ["max without (a) (x)"]),
        (Aggregation("x_info", MetricType.INFO, ("a",)), ["max without (a) (x_info)"]),
        (
            Aggregation("x", MetricType.GAUGEHISTOGRAM, ("a",)),
            [f"sum without (a) (x_{end})" for end in ("bucket", "gsum", "gcount")],
        ),
        (
            Aggregation("sum", MetricType.UNKNOWN, ("k8s.pod",), operation="min"),
            ['min without ("k8s.pod") ({__name__="sum"})'],
        ),
    ],
)
def test_each_type_is_put_together_in_its_own_way(
    aggregation: Aggregation, expressions: list[str]
) -> None:
    """Counters by rate first; no quantiles of summaries; gauges as they were said to be."""
    assert [expression for _, expression in aggregation.recorded()] == expressions
    for expression in expressions:
        parse(expression)


@pytest.mark.parametrize(
    ("family", "kind", "without", "operation", "message"),
    [
        ("x", G, ("a",), None, "a gauge: whether"),
        ("used_bytes", G, ("a",), None, "sum perhaps"),
        ("x", MetricType.UNKNOWN, ("a",), None, "no known type"),
        ("x_total", C, ("a",), "max", "only grows"),
        ("x", H, ("le",), None, "le of the histogram x cannot go"),
        ("x", S, ("a", "quantile"), None, "quantile"),
        ("x", MetricType.STATESET, ("x",), "sum", "states"),
        ("x", G, (), "sum", "no label"),
        ("x", G, ("a",), "median", "'median'"),
    ],
)
def test_what_the_type_leaves_open_is_asked(
    family: str, kind: MetricType, without: tuple[str, ...], operation: str | None, message: str
) -> None:
    """No gauge is summed blindly, no counter other than by its rate."""
    with pytest.raises(InputError) as caught:
        Aggregation(family, kind, without, operation=operation)
    assert message in str(caught.value)
    assert caught.value.mend


def test_recorded_series_are_named_by_what_they_have() -> None:
    """By the labels that stay where these are few, else by those that go."""
    few = Aggregation("hits_total", C, ("path",), kept=("path", "job", "k8s.pod"))
    assert few.recorded()[0][0] == "job_k8s_pod:hits:rate5m"
    assert Aggregation("hits_total", C, ("path",)).recorded()[0][0] == "without_path:hits:rate5m"
    names = [r for r, _ in Aggregation("x", H, ("path",), kept=("job", "le")).recorded()]
    assert names == ["job:x_bucket:rate5m", "job:x_sum:rate5m", "job:x_count:rate5m"]


def test_what_is_lost_is_said() -> None:
    """A summary's quantiles above all."""
    assert "quantiles" in Aggregation("x", S, ("a",)).notes[0]
    assert Aggregation("x", G, ("a",), operation="sum").notes == ()


def test_raw_series_are_kept_from_remote_storage() -> None:
    """All names of the family, quantiles too, and no other metric's."""
    rule = Aggregation("x", S, ("a",)).drop_raw()
    assert relabel({"__name__": "x", "quantile": "0.5"}, [rule]) is None
    assert relabel({"__name__": "x_count"}, [rule]) is None
    assert relabel({"__name__": "xx_count"}, [rule]) is not None


def test_stream_aggregation_keeps_names() -> None:
    """Counters stay counters; gauges of several samples an interval are not added twice."""
    text = write_stream_aggregation(
        [Aggregation("x", H, ("a",)), Aggregation("y", G, ("b",), operation="sum")], interval="60s"
    )
    assert yaml.safe_load(text) == [
        {
            "match": ["x_bucket", "x_sum", "x_count"],
            "interval": "1m",
            "without": ["a"],
            "outputs": ["total"],
            "keep_metric_names": True,
        },
        {
            "match": ["y"],
            "interval": "1m",
            "dedup_interval": "1m",
            "without": ["b"],
            "outputs": ["sum_samples"],
            "keep_metric_names": True,
        },
    ]
    with pytest.raises(InputError, match="shorter"):
        write_stream_aggregation([], interval="10s")


def test_hostile_names_stay_text() -> None:
    """Quotes, line ends and braces in names reach YAML and PromQL escaped."""
    odd = Aggregation('a"}\n: x', G, ("l'\n#",), operation="sum", kept=("j",))
    rules = yaml.safe_load(write_recording_rules([odd], group="g: {'\n"))
    (group,) = rules["groups"]
    assert group["name"] == "g: {'\n"
    assert group["rules"] == [{"record": r, "expr": e} for r, e in odd.recorded()]
    assert yaml.safe_load(write_stream_aggregation([odd]))[0]["without"] == ["l'\n#"]


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("process_resident_memory_bytes", GaugeOperation.SUM),
        ("db_connections", GaugeOperation.SUM),
        ("node_hwmon_temp_celsius", GaugeOperation.AVG),
        ("cache_hit_ratio", GaugeOperation.AVG),
        ("process_start_time_seconds", GaugeOperation.MAX),
        ("process_max_fds", None),
        ("quux", None),
    ],
)
def test_a_guess_is_made_from_the_name(name: str, operation: GaugeOperation | None) -> None:
    """Amounts add up, levels do not, moments are the latest; what is unclear stays so."""
    assert likely_operation(name)[0] is operation


def series(name: str, *rows: dict[str, str]) -> ObservedMetric:
    table = LabelTable.of(rows)
    return ObservedMetric(name, name, table.series, table=table)


def test_fixes_touch_only_what_they_name() -> None:
    """One metric's label, some buckets, some values; names with dots are no patterns."""
    rows = [{"a": "1", "le": "0.1"}, {"a": "2", "le": "0x1"}, {"a": "2", "le": "+Inf"}]
    metrics = [series("x_bucket", *rows), series("xy_bucket", *rows)]
    assert [c.after for c in relabel_tables(metrics, [drop_buckets("x", ["0.1"])]).changes] == [
        2,
        3,
    ]
    assert [c.after for c in relabel_tables(metrics, [drop_metrics(["x.bucket"])]).changes] == [
        3,
        3,
    ]
    without = relabel_tables(metrics, [drop_label("le", ["x_bucket"])])
    assert [(c.after, c.merged) for c in without.changes] == [(2, 1), (3, 0)]
    assert not without.safe
    rule = rewrite_values("a", ["x_bucket"], "1|2", "n")
    assert relabel_tables(metrics, [rule]).metrics["x_bucket"].distinct("a") == 1
    with pytest.raises(InputError, match="Inf"):
        drop_buckets("x", ["1", "+Inf"])
    with pytest.raises(InputError, match="nothing is named"):
        drop_metrics([])

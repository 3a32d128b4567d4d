"""Predictions against label sets whose truth is written down beside them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.prediction import SERIES_PER_TARGET, MetricPrediction, Status, predict
from workbench.inventory import (
    Bound,
    CallSite,
    DeclaredMetric,
    Inventory,
    LabelTable,
    LabelValues,
    ObservedMetric,
    Place,
)
from workbench.samples import MetricMetadata, MetricType

HERE = Place("app.go", 7)


def observed(
    name: str, rows: list[dict[str, str]], *, family: str = "", type_: str = "gauge"
) -> ObservedMetric:
    """One ``__name__`` with its series."""
    table = LabelTable.of(rows)
    return ObservedMetric(name, family or name, table.series, MetricType(type_), table=table)


def text(*metrics: ObservedMetric) -> Inventory:
    """What an exposition shows."""
    metadata = {m.family: MetricMetadata(m.family, m.type) for m in metrics}
    return Inventory("text", {m.name: m for m in metrics}, metadata=metadata)


def grid(**labels: str) -> list[dict[str, str]]:
    """All combinations; values are the words of each argument."""
    sets = itertools.product(*(v.split() for v in labels.values()))
    return [dict(zip(labels, values, strict=True)) for values in sets]


def listed(*values: str) -> LabelValues:
    """Values that stand in the code."""
    return LabelValues(Bound.BOUNDED, "literal", tuple(sorted(values)), len(values))


def code(
    name: str, *sites: dict[str, LabelValues], type_: str = "counter", buckets: int | None = None
) -> Inventory:
    """What code declares."""
    labels = tuple(dict.fromkeys(n for site in sites for n in site))
    places = tuple(CallSite(HERE, site) for site in sites)
    metric = DeclaredMetric(
        name, MetricType(type_), "help", labels, HERE, "go", "client_golang",
        sites=places, bucket_count=buckets,
    )  # fmt: skip
    return Inventory("src", declared=(metric,))


def only(prediction: object) -> MetricPrediction:
    """The one metric of a prediction."""
    (metric,) = prediction.metrics  # type: ignore[attr-defined]
    assert isinstance(metric, MetricPrediction)
    return metric


def test_nothing_changes() -> None:
    """The same text twice: the same series, none replaced, no range."""
    same = text(observed("x", grid(a="1 2", b="p q")))
    prediction = predict(same, same, names_change=False)
    metric = only(prediction)
    assert (metric.status, metric.before, metric.after) == (Status.SAME, 4, SeriesBounds.exactly(4))
    assert prediction.rollout.expected == prediction.before == 4 + SERIES_PER_TARGET


def test_a_new_label_multiplies_what_was_seen_together() -> None:
    """40 paths and methods that were seen × 3 regions each; not the product of all labels."""
    before = [{"path": f"/{i}", "method": "GET"} for i in range(40)]
    before += [{"path": "/0", "method": m} for m in ("PUT", "POST", "DELETE")]
    after = [row | {"region": r} for row in before[:20] for r in ("eu", "us", "ap")]
    metric = only(predict(text(observed("x", after)), text(observed("x", before)), replicas=2))
    assert metric.new_labels == ("region",)
    assert metric.replica == SeriesBounds(60, 43 * 3, 43 * 3)
    assert metric.before == 43 * 2
    assert metric.after.expected == 43 * 3 * 2
    assert metric.culprit == "region"
    assert metric.by_label["region"] == round(43 * 3 * 2 / 3) * 2


def test_a_dropped_label_merges_series() -> None:
    """Without its path 30 series become one for each of three methods."""
    before = grid(path=" ".join(f"/{i}" for i in range(10)), method="GET PUT POST")
    after = grid(method="GET PUT POST")
    metric = only(predict(text(observed("x", after)), text(observed("x", before))))
    assert metric.gone_labels == ("path",)
    assert metric.after == SeriesBounds.exactly(3)
    assert metric.replaced == 30
    assert metric.by_label == {"path": 3 - 30}


def test_a_fresh_process_has_not_seen_all_values_yet() -> None:
    """The candidate shows one path of ten: the others will come back."""
    before = grid(path=" ".join(f"/{i}" for i in range(10)))
    metric = only(predict(text(observed("x", grid(path="/3"))), text(observed("x", before))))
    assert (metric.status, metric.replica) == (Status.SAME, SeriesBounds(1, 10, 10))


def test_values_that_code_no_longer_lists_are_gone() -> None:
    """Code lists GET and PUT: the baseline's POST does not come back."""
    candidate = code("x_total", {"method": listed("GET", "PUT")})
    metric = only(
        predict(candidate, text(observed("x_total", grid(method="GET POST"), type_="counter")))
    )
    assert metric.after == SeriesBounds(1, 2, 2)
    assert metric.new_values == {"method": ("PUT",)}


def test_an_unbounded_label_has_no_upper_bound() -> None:
    """The code puts a path there: no number is made up, and the reason is said."""
    wild = LabelValues(Bound.UNBOUNDED, "request path", reason="r.URL.Path is what clients ask for")
    metric = only(predict(code("x_total", {"path": wild, "method": listed("GET", "PUT")})))
    assert metric.after == SeriesBounds(0, 2, None)
    assert any("r.URL.Path" in reason for reason in metric.reasons)


def test_code_beside_text_takes_the_bound_away() -> None:
    """Text that does not show the label yet bounds nothing that code says has no bound."""
    wild = LabelValues(Bound.UNBOUNDED, "request path", reason="r.URL.Path")
    declared = code("x_total", {"path": wild, "method": listed("GET", "PUT")}).declared
    seen = text(observed("x_total", grid(method="GET"), type_="counter"))
    both = replace(seen, declared=declared)
    assert only(predict(both)).after.most is None
    assert only(predict(both, seen)).after.most is None


def test_children_are_the_sum_over_call_sites() -> None:
    """Two calls with two literal labels each make two children, not four."""
    candidate = code(
        "x_total",
        {"a": listed("1"), "b": listed("p")},
        {"a": listed("2"), "b": listed("q")},
    )
    assert only(predict(candidate)).after == SeriesBounds(0, 2, 2)


def test_histograms_count_their_buckets() -> None:
    """Three methods × (5 buckets with +Inf, sum, count); new bounds replace old ones."""

    def histogram(methods: str, bounds: str) -> Inventory:
        return text(
            observed("h_bucket", grid(method=methods, le=bounds), family="h", type_="histogram"),
            observed("h_sum", grid(method=methods), family="h", type_="histogram"),
            observed("h_count", grid(method=methods), family="h", type_="histogram"),
        )

    old, new = histogram("a b c", "1 2 5 10 +Inf"), histogram("a", "1 2 +Inf")
    metric = only(predict(new, old))
    assert metric.before == 3 * 7
    assert metric.replica == SeriesBounds(5, 15, 15)
    assert metric.gone_bounds == ("10", "5")
    assert (
        only(predict(code("h", {"m": listed("a", "b")}, type_="histogram", buckets=4))).after.most
        == 14
    )


def test_replicas_of_a_server_are_told_by_its_target_labels() -> None:
    """Two instances with four series each, three of them alike: six series after one more comes."""
    rows = [{"path": p, "instance": "a:1", "job": "api"} for p in ("/1", "/2", "/3", "/4")]
    rows += [{"path": p, "instance": "b:1", "job": "api"} for p in ("/1", "/2", "/3", "/5")]
    other = grid(instance="a:1 b:1", job="api")
    server = text(observed("x", rows), observed("y", other))
    fresh = text(observed("x", grid(path="/1 /2")), observed("y", [{}]))
    prediction = predict(fresh, server, replicas=3)
    x = next(m for m in prediction.metrics if m.name == "x")
    assert prediction.replicas_before == 2
    assert not x.new_labels
    assert not x.gone_labels
    assert x.before == 8
    assert x.replica.expected == 4  # five paths together, four of them on each
    assert x.after == SeriesBounds(6, 12, 15)


def test_code_against_code() -> None:
    """An unchanged declaration is the same; a removed one is gone."""
    one = code("x_total", {"m": listed("a", "b")})
    assert only(predict(one, one)).status is Status.SAME
    two = code("y_total", {"m": listed("a", "b")})
    by_name = {m.name: m for m in predict(two, one).metrics}
    assert by_name["x_total"].status is Status.GONE
    assert by_name["x_total"].before == 2
    assert by_name["y_total"].status is Status.NEW


def test_code_does_not_show_what_libraries_expose() -> None:
    """A baseline's process metrics stay where only code was read."""
    candidate = code("x_total", {"m": listed("a")})
    base = text(
        observed("process_open_fds", [{}]), observed("x_total", grid(m="a"), type_="counter")
    )
    by_name = {m.name: m for m in predict(candidate, base).metrics}
    assert by_name["process_open_fds"].status is Status.NOT_SHOWN
    assert by_name["x_total"].status is Status.SAME


def test_a_baseline_that_only_counts() -> None:
    """What a server only counts is a floor, and nothing bounds it."""
    base = Inventory("server", {"x": ObservedMetric("x", "x", 500)})
    metric = only(predict(text(observed("x", grid(a="1 2"))), base))
    assert (metric.before, metric.after) == (500, SeriesBounds(2, 500, None))


@pytest.mark.parametrize("names_change", [True, False])
def test_old_series_stay_while_rolling_out(names_change: bool) -> None:
    """New names: all old series stay beside the new ones. Kept names: only those replaced."""
    old = text(observed("x", grid(a="1 2")), observed("y", grid(b="1 2 3")))
    new = text(observed("x", grid(a="1 2")), observed("y", grid(c="1")))
    prediction = predict(new, old, names_change=names_change)
    after = 2 + 1 + SERIES_PER_TARGET
    assert prediction.after.expected == after
    assert prediction.rollout.expected == after + (5 + SERIES_PER_TARGET if names_change else 3)

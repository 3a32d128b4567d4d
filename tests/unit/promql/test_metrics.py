"""The helpers for the four metric types: what they write, and that it means what they say."""

from __future__ import annotations

import itertools
from typing import Any

import promql_parser
import pytest

from workbench.errors import InputError, QueryError
from workbench.promql import Counter, Gauge, Histogram, NativeHistogram, Summary, inspect, matches

HOSTILE = {"k8s.pod": 'a"b\n{}', "job": "x"}


def _made() -> list[str]:
    counter, gauge = Counter("c_total", HOSTILE), Gauge("my.gauge", HOSTILE)
    made: list[str] = [
        counter.rate(),
        counter.irate(),
        counter.increase("1h"),
        counter.resets("1d"),
    ]
    made += [gauge.value(), gauge.delta("1h"), gauge.slope("1h"), gauge.predict("4h", period="1h")]
    groups: list[dict[str, Any]] = [
        {},
        {"by": "job"},
        {"by": ["job", "k8s.pod"]},
        {"without": "instance"},
    ]
    for kind, group in itertools.product((Histogram, NativeHistogram), groups):
        histogram = kind("h", HOSTILE).offset("1w")
        made += [histogram.quantile(0.99, "5m", **group), histogram.fraction_below(0.3, **group)]
        made += [histogram.mean(**group), histogram.count_rate(**group), histogram.buckets(**group)]
    summary = Summary("s", HOSTILE)
    return [*made, summary.quantile(0.5), summary.quantile(1), summary.mean(), summary.count_rate()]


@pytest.mark.parametrize("expression", _made())
def test_everything_parses_and_keeps_the_hostile_label(expression: str) -> None:
    """Names with dots and values with quotes, braces and line ends go through whole."""
    for read in inspect(expression).reads:
        assert {m.name: m.value for m in read.matchers}.items() >= HOSTILE.items()


def test_counters_aggregate_after_the_rate() -> None:
    """The order that survives resets: rate first, sum after."""
    text = Counter("http_requests_total", job="api").rate("5m").sum(by=["job"])
    assert text == 'sum by (job) (rate(http_requests_total{job="api"}[5m]))'


def test_classic_quantile_keeps_le() -> None:
    """Without le there is no quantile; with `without` it stays by itself."""
    h = Histogram("h_bucket")
    assert h.quantile(0.5) == "histogram_quantile(0.5, sum by (le) (rate(h_bucket[5m])))"
    assert (
        h.quantile(0.5, by=["le", "a"])
        == "histogram_quantile(0.5, sum by (le, a) (rate(h_bucket[5m])))"
    )
    assert (
        h.quantile(0.5, without="pod")
        == "histogram_quantile(0.5, sum without (pod) (rate(h_bucket[5m])))"
    )


def test_classic_fraction_below_drops_le_where_there_is_one() -> None:
    """The bucket has le and the count has not: they must match all the same."""
    text = Histogram("h").fraction_below(0.5, without="pod")
    bucket = 'sum without (pod, le) (rate(h_bucket{le="0.5"}[5m]))'
    assert text == f"{bucket} / sum without (pod) (rate(h_count[5m]))"


def test_whole_bounds_are_found_however_the_server_writes_them() -> None:
    """Prometheus 3 says le="1.0" where Prometheus 2 says le="1"."""
    assert 'le=~"1|1\\\\.0"' in Histogram("h").fraction_below(1)
    assert 'quantile=~"1|1\\\\.0"' in Summary("s").quantile(1)


def test_quantiles_of_a_summary_cannot_be_merged() -> None:
    """sum and avg are refused and say why; the worst instance is allowed."""
    quantile = Summary("s").quantile(0.99)
    assert quantile.max(by="job") == 'max by (job) (s{quantile="0.99"})'
    for merge in (quantile.sum, quantile.avg):
        with pytest.raises(InputError, match="cannot be merged"):
            merge(by="job")


def test_time_shifts() -> None:
    """offset and @ stand behind the range, in either order, each once."""
    counter = Counter("c_total").offset("1w").at("2026-01-01T00:00:00.5Z")
    assert counter.rate() == "rate(c_total[5m] offset 7d @ 1767225600.500)"
    assert Gauge("g").at("end()").value() == "g @ end()"
    assert Gauge("g").at(5).value() == "g @ 5"
    for again in (
        lambda: counter.offset("1d"),
        lambda: counter.at(5),
        lambda: Gauge("g").at("now-1h"),
    ):
        with pytest.raises(InputError):
            again()


def test_metrics_are_values() -> None:
    """Equal when they mean the same, usable as keys, never changed by where()."""
    base = Counter("c", job="a")
    assert base == Counter("c", {"job": "a"})
    assert len({base, Counter("c", job="a"), base.where(code=matches("5.."))}) == 2
    assert base.rate() == 'rate(c{job="a"}[5m])'
    assert repr(base).startswith("Counter(name='c'")


def test_a_bad_quantile_or_period_says_so() -> None:
    """Text is refused where a number belongs, and zero where a period does."""
    with pytest.raises(QueryError):
        Histogram("h").quantile("high")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is 0"):
        Counter("c").rate(0)
    promql_parser.parse(str(Histogram("h").quantile(1)))

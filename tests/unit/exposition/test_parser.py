"""Reading exposition text: both dialects, odd spacing, hostile values, errors with their lines."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_truth
from prometheus_client.parser import text_string_to_metric_families as prometheus_truth

from workbench.errors import InputError
from workbench.exposition import Exposition, parse
from workbench.samples import MetricType

REAL = Path(__file__).parents[4] / "shared" / "data" / "exposition"


def flat(exposition: Exposition) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    """Every sample as comparable text."""
    rows = []
    for place, value in zip(exposition.series_of.tolist(), exposition.values.tolist(), strict=True):
        labels = dict(exposition.labels[place])
        rows.append((labels.pop("__name__"), tuple(sorted(labels.items())), repr(float(value))))
    return sorted(rows)


def truth(families: object) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    """The same from prometheus_client's parser."""
    return sorted(
        (s.name, tuple(sorted(s.labels.items())), repr(float(s.value)))
        for family in families  # type: ignore[attr-defined]
        for s in family.samples
    )


@pytest.mark.parametrize("name", ["node-exporter-1.5.prom", "prometheus-2.42.prom"])
def test_real_pages_read_as_prometheus_client_reads_them(name: str) -> None:
    """Each sample of a real /metrics page, and each type, is the same as the reference's."""
    if not REAL.is_dir():
        pytest.skip(f"the real inputs are not at {REAL}")
    text = (REAL / name).read_text()
    exposition = parse(text)
    assert exposition.errors == ()
    assert flat(exposition) == truth(prometheus_truth(text))
    declared = text.count("# TYPE ")
    assert len(exposition.metadata) == declared
    untyped = sum(m.type is MetricType.UNKNOWN for m in exposition.metadata)
    assert untyped == text.count(" untyped\n")


OPENMETRICS = """\
# HELP http_requests Requests \\"served\\".\\nAll of them.
# TYPE http_requests counter
# UNIT http_requests requests
http_requests_total{code="200"} 17 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879606.5
http_requests_created{code="200"} 1520430000.123 1520879607.789
# TYPE build info
build_info{version="1.2"} 1
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 3 # {} 0.05
latency_seconds_bucket{le="+Inf"} 4 # {trace_id="a } b"} 1.5
latency_seconds_sum 2
latency_seconds_count 4
# EOF
"""


def test_openmetrics_has_seconds_exemplars_units_and_families() -> None:
    """Timestamps are seconds; counters and infos are known by the name that is queried."""
    exposition = parse(OPENMETRICS.replace(" # {} 0.05", ""))
    assert exposition.format == "openmetrics"
    assert exposition.errors == ()
    assert flat(exposition) == truth(openmetrics_truth(OPENMETRICS.replace(" # {} 0.05", "")))
    assert exposition.times_ms[:2].tolist() == [1520879607789, 1520879607789]
    assert exposition.has_time.tolist() == [True, True, False, False, False, False, False]
    counter, info, histogram = exposition.metadata
    assert (counter.name, counter.type, counter.unit) == (
        "http_requests_total",
        MetricType.COUNTER,
        "requests",
    )
    assert counter.help == 'Requests "served".\nAll of them.'
    assert (info.name, histogram.name) == ("build_info", "latency_seconds")
    first, second = exposition.exemplars
    assert (first.labels, first.value, first.time_ms) == (
        {"trace_id": "KOO5S4vxi0o"},
        0.67,
        1520879606500,
    )
    assert (second.labels, second.value, second.time_ms) == ({"trace_id": "a } b"}, 1.5, None)


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("up 1", {}, 1.0),
        ("up\t1", {}, 1.0),
        ("  up   1  ", {}, 1.0),
        ("up{} 1", {}, 1.0),
        ('up{a="1",} 1', {"a": "1"}, 1.0),
        ('up { a = "1" , b = "2" } 1', {"a": "1", "b": "2"}, 1.0),
        ('up{a="}"} 1', {"a": "}"}, 1.0),
        ('up{a=" # {b=",c=","} 1', {"a": " # {b=", "c": ","}, 1.0),
        ('up{a="x\\"y\\\\z\\n"} 1', {"a": 'x"y\\z\n'}, 1.0),
        ('up{a="<script>é日本"} -Inf', {"a": "<script>é日本"}, -math.inf),
        ('{"up"} 1e3', {}, 1000.0),
        ('{"up",a="1"} 1', {"a": "1"}, 1.0),
        ('up{"my.label"="1"} 1', {"my.label": "1"}, 1.0),
        ('up{a="\x00"} 1', {"a": "\x00"}, 1.0),
    ],
)
def test_every_way_to_write_a_series(line: str, labels: dict[str, str], value: float) -> None:
    """Spacing, trailing commas, braces and escapes inside values, and quoted names are read."""
    exposition = parse(line)
    assert exposition.errors == ()
    assert exposition.labels[int(exposition.series_of[0])] == {"__name__": "up", **labels}
    assert exposition.values.tolist() == [value]


@pytest.mark.parametrize(
    "line",
    [
        "up",
        "up ",
        "up one",
        "up 1_000",
        "up 1 2 3",
        "up \uff11",
        "up 1 nan",
        'up{a="1"',
        'up{a="1} 1',
        "up{a=1} 1",
        'up{a="1"b="2"} 1',
        'up{a="1",a="2"} 1',
        'up{1a="1"} 1',
        'up{a="1",,b="2"} 1',
        '{a="1"} 1',
        '{"x","y"} 1',
        'up{"y"} 1',
        "1up 1",
        "é 1",
        "up 1 1700000000.5",
        "up 1 1e30",
    ],
)
def test_a_broken_line_is_told_with_its_number_and_left_out(line: str) -> None:
    """A line that is not legal gives one error at its own number; its neighbours are read."""
    exposition = parse(f"before 1\n{line}\nup1 2\nup 3\n")
    assert [error.line for error in exposition.errors] == [2]
    assert exposition.errors[0].reason
    assert exposition.values.tolist() == [1.0, 2.0, 3.0]


def test_a_cached_name_does_not_swallow_the_next_one() -> None:
    """`up` seen before must not make `up1` be read as up with the value 1."""
    assert parse("up 5\nup1\n").error_count == 1


def test_lines_bytes_and_text_read_alike() -> None:
    """The three kinds of input, with CRLF and a byte-order mark, give the same."""
    text = '# TYPE up gauge\nup{a="1"} 1 5\nup{a="2"} 2 6'
    want = flat(parse(text))
    assert flat(parse(text.encode())) == want
    assert flat(parse(text.splitlines(keepends=True))) == want
    assert flat(parse(("\ufeff" + text.replace("\n", "\r\n")).encode())) == want
    assert parse("\ufeff" + text.replace("\n", "\r\n")).error_count == 0


def test_a_line_that_is_not_utf8_is_kept_out_alone() -> None:
    """The line is told; the rest of the text is read."""
    exposition = parse(b'up{a="1"} 1\nup{a="\xff"} 2\nup{a="3"} 3\n')
    assert [(e.line, "UTF-8" in e.reason) for e in exposition.errors] == [(2, True)]
    assert exposition.values.tolist() == [1.0, 3.0]
    assert parse('up{a="\ud800"} 2\nup 1').values.tolist() == [1.0]


def test_text_larger_than_a_block_keeps_its_line_numbers() -> None:
    """The number of a line behind the first 16 MB is right."""
    filler = f"# {'x' * 998}\n" * 17_000
    exposition = parse(f"up 1\n{filler}nonsense\nup 2\n")
    assert [error.line for error in exposition.errors] == [17_002]
    assert exposition.lines.tolist() == [1, 17_003]


def test_openmetrics_cut_short_is_told() -> None:
    """Text declared as OpenMetrics without # EOF was cut; samples behind it do not belong."""
    assert "EOF" in parse("up 1\n", format="openmetrics").errors[0].reason
    assert parse("up 1\n# EOF\nup 2\n").errors[0].line == 3


def test_conflicting_types_are_told() -> None:
    """One family cannot have two types; the same type twice (two pages joined) is fine."""
    assert parse("# TYPE up gauge\n# TYPE up gauge\n").error_count == 0
    assert [e.line for e in parse("# TYPE up gauge\n# TYPE up counter\n").errors] == [2]
    assert [e.line for e in parse("# TYPE up gouge\n").errors] == [1]


def test_join_sorts_merges_and_keeps_the_later_row() -> None:
    """One series written in two ways is one; of two rows at one time the later stays."""
    text = 'a{x="1",y="2"} 1 20\na{y="2",x="1",z=""} 2 10\na{x="1",y="2"} 3 20\nb 4 20\nb 4 20\n'
    joined = parse(text).join()
    assert [dict(labels) for labels in joined.samples.labels] == [
        {"__name__": "a", "x": "1", "y": "2"},
        {"__name__": "b"},
    ]
    assert joined.samples.times_ms.tolist() == [10, 20, 20]
    assert joined.samples.values.tolist() == [2.0, 3.0, 4.0]
    assert (joined.replaced.tolist(), joined.repeated.tolist()) == ([0], [3])


def test_join_wants_a_time_for_samples_without_one() -> None:
    """Without a default the line is named; with it, it is used."""
    with pytest.raises(InputError, match="line 2 has no timestamp"):
        parse("up 1 5\ndown 1\n").join()
    assert parse("up 1 5\ndown 1\n").join(7).samples.times_ms.tolist() == [5, 7]

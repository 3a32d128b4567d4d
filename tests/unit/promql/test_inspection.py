"""What a query touches, read from its tree; and its errors, with their place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, QueryError
from workbench.promql import Matcher, inspect, parse, split_range
from workbench.promql.tokens import one_line
from workbench.window import Window

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SUITE = Path(__file__).parents[4] / "shared" / "promqltest"


def test_names_in_every_place() -> None:
    """Selectors, groupings, joins and label functions each have their own list."""
    found = inspect("""
        label_replace(
          sum by (job, "k8s.pod") (rate(a_total{code=~"5.."}[5m] offset 1h))
          / on (job) group_left (zone)
          count without (x) ({__name__="b", env!="dev"}),
          "dst", "$1", "src", "(.*)")
        or count_values("version", {__name__=~"c.+"}) or label_join(d, "e", "-", "f", "g")
    """)
    assert found.metrics == ("a_total", "b", "d")
    assert found.name_patterns == (Matcher("__name__", "=~", "c.+"),)
    assert found.matched == ("code", "env")
    assert (found.grouped, found.dropped) == (("job", "k8s.pod"), ("x",))
    assert found.joined == ("job", "zone")
    assert (found.copied, found.written) == (("f", "g", "src"), ("dst", "e", "version"))
    assert found.functions == ("label_join", "label_replace", "rate")
    assert found.aggregations == ("count", "count_values", "sum")
    assert (found.ranges_ms, found.offsets_ms, found.kind) == ((5 * MINUTE,), (HOUR,), "vector")
    assert set(found.labels) == set("efgx") | {
        "code",
        "dst",
        "env",
        "job",
        "k8s.pod",
        "src",
        "version",
        "zone",
    }


@pytest.mark.parametrize(
    ("expression", "reach_ms"),
    [
        ("up", 5 * MINUTE),
        ("1 + 1", 0),
        ("rate(x[1h])", HOUR),
        ("rate(x[1h] offset 1d)", DAY + HOUR),
        ("up offset -1h", -HOUR + 5 * MINUTE),
        ("max_over_time(rate(x[5m])[1d:1m])", DAY + 5 * MINUTE),
        ("max_over_time(rate(x[5m])[1d:] offset 1w)", 8 * DAY + 5 * MINUTE),
        (
            "max_over_time(sum_over_time(rate(x[5m] offset 1m)[1h:1m])[1d:5m])",
            DAY + HOUR + 6 * MINUTE,
        ),
        ("x + rate(y[2h])", 2 * HOUR),
        ("x @ 1e9", 0),
        ("max_over_time((x @ end())[1h:])", 5 * MINUTE),
        ("x offset 1ms", 5 * MINUTE + 1),
    ],
)
def test_reach(expression: str, reach_ms: int) -> None:
    """The furthest look back: ranges, offsets and subqueries add up along a path."""
    assert inspect(expression).reach_ms == reach_ms


def test_span_of_a_window() -> None:
    """Every clock is honoured: each moment, the window's ends, a fixed time."""
    window = Window(10 * DAY, 11 * DAY, HOUR)
    assert inspect("rate(x[1h])").span(window) == (10 * DAY - HOUR, 11 * DAY)
    assert inspect("rate(x[1h] @ end())").span(window) == (11 * DAY - HOUR, 11 * DAY)
    assert inspect("rate(x[1h] @ 86400)").span(window) == (DAY - HOUR, DAY)
    assert inspect("x offset -1d + x @ start()").span(window) == (10 * DAY - 5 * MINUTE, 12 * DAY)
    assert inspect("1").span(window) == (10 * DAY, 11 * DAY)


def test_a_moment_before_1970_does_not_panic(capfd: pytest.CaptureFixture[str]) -> None:
    """Reading it from the parser would panic in Rust; it is read from the text."""
    (read,) = inspect('rate(x{a="@ 0.000"}[5m] @ -7)').reads
    assert (read.clock, read.back_ms) == (-7000, 5 * MINUTE)
    assert inspect("max_over_time(x[1h:] @ -7.5 offset 5m)").reads[0].clock == -7500
    assert inspect('x{a="@ 0.000"}').reads[0].clock == "time"
    assert capfd.readouterr().err == ""


def test_matchers_joined_by_or_are_separate_reads() -> None:
    """Each alternative keeps the metric's name."""
    reads = inspect('x{a="1" or b="2"}').reads
    assert [r.metric for r in reads] == ["x", "x"]
    assert [r.matchers[-1] for r in reads] == [Matcher("a", "=", "1"), Matcher("b", "=", "2")]


def test_info_reads_a_metric_that_it_does_not_name() -> None:
    """target_info, unless its second argument says another."""
    assert inspect("info(up)").metrics == ("target_info", "up")
    assert inspect('info(up, {k8s_pod=~".+"})').matched == ("k8s_pod",)
    assert inspect('info(up, {k8s_pod=~".+"})').metrics == ("target_info", "up")
    assert inspect('info(up, {__name__="build_info"})').metrics == ("build_info", "up")


def test_subqueries_and_steps() -> None:
    """An open step is told from a written one."""
    found = inspect("max_over_time(x[1h:]) + min_over_time(x[2h:1m])")
    assert found.subqueries_ms == ((HOUR, None), (2 * HOUR, MINUTE))


def test_two_thousand_terms_do_not_overflow() -> None:
    """Generated queries nest deeply; nothing here recurses."""
    found = inspect(" + ".join(f"m{i}" for i in range(2_000)))
    assert len(found.metrics) == 2_000


@pytest.mark.parametrize("terms", [2_500, 6_000, 9_900])
def test_more_terms_than_the_stack_holds_are_refused(terms: int) -> None:
    """The parser below recurses in each term: some 5,000 of them would end the whole process."""
    with pytest.raises(QueryError, match="too many operators"):
        inspect(" + ".join(f"m{i}" for i in range(terms)))


@pytest.mark.parametrize(
    ("expression", "words", "column"),
    [
        ("sum(rat(x[5m]))", "did you mean 'rate'", 4),
        ("sum by (job) (rate(x[5m])", "unclosed", 13),
        ('up{job="a"', "end of input", 2),
        ('up{job="a}', "", 7),
        ("rate(x)", "expected type matrix", 0),
        ("up + * down", "", 5),
        ("sum(rate(x[5m])) foo", "", 17),
        ("up{job='a'} by (job)", "", 12),
        ("x[5q]", "", 3),
        ("up{a=~'['}", "illegal regex", 7),
        ("sum by (a:b) (up)", "not valid label", 8),
    ],
)
def test_errors_point_at_the_place(expression: str, words: str, column: int) -> None:
    """The mark stands below the word that is wrong."""
    with pytest.raises(QueryError) as caught:
        parse(expression)
    assert words in str(caught.value)
    *_, line, mark = str(caught.value).split("\n")
    assert line == f"  {expression}"
    assert mark == f"  {' ' * column}^"


def test_only_the_line_in_question_is_shown() -> None:
    """Long and many-lined queries are cut around the mark; control characters are not printed."""
    with pytest.raises(QueryError) as caught:
        parse("sum(up)\n" + "a" * 300 + " + \x1b * b\nlast")
    message = str(caught.value)
    assert "last" not in message
    assert "\x1b" not in message
    *_, line, mark = message.split("\n")
    assert len(line) < 120
    assert line[mark.index("^")] == "\ufffd"


@given(st.text(max_size=30))
def test_arbitrary_text_parses_or_is_refused(text: str) -> None:
    """Nothing but QueryError comes out, whatever goes in."""
    try:
        parse(text)
    except QueryError as error:
        assert error.mend  # noqa: PT017 - the property is about both outcomes


@pytest.mark.skipif(not SUITE.is_dir(), reason="Prometheus' own test suite is not at hand")
def test_every_query_of_prometheus_own_suite_can_be_inspected() -> None:
    """All of Prometheus 3 is read, and no other error than that of a wrong query comes out."""
    seen = 0
    for path in sorted(SUITE.glob("*.test")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(
                r"eval(?:_\w+)? (?:instant at \S+|range from \S+ to \S+ step \S+) (.+)", line
            )
            if not found:
                continue
            try:
                inspection = inspect(found[1])
            except QueryError:
                continue  # a case that must fail
            seen += 1
            assert inspection.kind in ("scalar", "vector", "matrix", "string")
    assert seen > 2_100


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("sum(\n  rate(x[5m])  # all\n)\n/ 2", "sum(rate(x[5m])) / 2"),
        ('x{ # "why"\n  a="b  # c",\n  d="e"\n}', 'x{a="b  # c", d="e"}'),
        ("# nothing", ""),
        ("up  +  1", "up + 1"),
    ],
)
def test_a_query_on_one_line_is_the_same_query(expression: str, line: str) -> None:
    """Comments and indentation go, strings stay."""
    assert one_line(expression) == line
    if line:
        assert repr(parse(line)) == repr(parse(expression))


@given(st.integers(0, 10**6), st.integers(0, 500), st.integers(1, 50), st.integers(1, 60))
def test_pieces_join_to_the_whole(start: int, points: int, most: int, wanted: int) -> None:
    """No gap, no overlap, none too long, and lengths that differ by little."""
    window = Window(start, start + points * 7 + 3, 7)
    pieces = split_range(window, most, wanted)
    assert [t for p in pieces for t in p.steps.tolist()] == window.steps.tolist()
    assert max(map(len, pieces)) <= min(most, wanted)


@pytest.mark.parametrize("expression", ["x @ end()", "x / (x @ start())", "rate(x[5m] @ start())"])
def test_a_query_on_the_windows_ends_stays_whole(expression: str) -> None:
    """Pieces would each have ends of their own; too long a window is refused with the mend."""
    window = Window(0, 1_000, 10)
    assert split_range(window, 200, 10, expression=expression) == [window]
    with pytest.raises(QueryError, match="longer step"):
        split_range(window, 100, expression=expression)
    assert len(split_range(window, 100, expression="rate(x[5m] @ 5)")) == 2


def test_pieces_of_no_points_are_refused() -> None:
    """Zero points a piece would never end."""
    with pytest.raises(InputError, match="at least 1"):
        split_range(Window(0, 10, 1), 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x @ 1e30", "timestamp out of bounds"),
        ("x[1e30]", "duration is out of range"),
        ("x[5m] offset 1e30", "duration is out of range"),
        ("x[300y]", "'300y' is no duration"),
        ("x[5m:300y]", "'300y' is no duration"),
    ],
)
def test_times_beyond_64_bits_are_refused_at_their_place(text: str, why: str) -> None:
    """Neither the parser nor numpy gets to see them: one panics, the other overflows."""
    with pytest.raises(QueryError, match=why) as refused:
        parse(text)
    assert "^" in refused.value.mend
    assert parse("x[292y] @ 1e9 offset -5m")

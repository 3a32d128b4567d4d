"""Language that the parser refuses reaches the tree, and what only looks like it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import QueryError, WorkbenchError
from workbench.promql import Matcher, inspect, parse, tree
from workbench.promql.durations import Clock, DurationError
from workbench.promql.extended import extracted
from workbench.window import Window

CLOCK = Clock(step_ms=15_000, range_ms=3_600_000)
MINUTE = 60_000


def selectors(expression):
    return [n for n in tree.walk(parse(expression, CLOCK)) if isinstance(n, tree.VectorSelector)]


@pytest.mark.parametrize(
    ("expression", "edges"),
    [
        ("rate(x[5m] anchored)", ["anchored"]),
        ("rate(x[5m] offset 1m smoothed)", ["smoothed"]),
        ("rate(x[5m] SMOOTHED @ end())", ["smoothed"]),
        ('{a="x anchored"} and {"anchored"}', ["", ""]),
        ('sum by ("smoothed") (x) / on (a) group_left ("smoothed") y', ["", ""]),
        ("x > bool y smoothed or vector(NaN) unless z", ["", "smoothed", ""]),
        ("sum(x) by (job) + y smoothed", ["", "smoothed"]),
        ("x # smoothed\n smoothed", ["smoothed"]),
        ("topk(2, x smoothed) atan2 y", ["smoothed", ""]),
    ],
)
def test_modifiers_are_told_from_names(expression, edges):
    """A word is a modifier only where an operator could stand."""
    assert [s.edge for s in selectors(expression)] == edges


@pytest.mark.parametrize(
    "expression", ["smoothed", "x + anchored", "x == bool smoothed", "sum by (anchored) (x)"]
)
def test_bare_names_that_are_modifiers_are_refused(expression):
    """The parser wants them in quotes; they are never taken for a modifier of something else."""
    with pytest.raises(QueryError):
        parse(expression)


@pytest.mark.parametrize(
    ("duration", "milliseconds"),
    [
        ("5m * 2", 10 * MINUTE),
        ("1h / 7 * 7", 60 * MINUTE),
        ("2 ^ 3 ^ 0", 2_000),
        ("-2 ^ 2 + 5", 1_000),
        ("(1m + 30s) * -(2 - 4)", 3 * MINUTE),
        ("1h30m % 1h", 30 * MINUTE),
        ("step() * 4", MINUTE),
        ("STEP() + Range()", 3_615_000),
        ("min_of(step(), 1s) + max_of(1m, 2)", 61_000),
        ("0x10 + 1e1", 26_000),
    ],
)
def test_arithmetic_on_durations(duration, milliseconds):
    """In ranges, steps and offsets alike."""
    matrix = parse(f"rate(x[{duration}])", CLOCK).args[0]
    assert matrix.range_ms == milliseconds
    (selector,) = selectors(f"x offset ({duration})")
    assert selector.offset_ms == milliseconds
    subquery = parse(f"max_over_time(x[2h:{duration}] offset -({duration}))", CLOCK).args[0]
    assert (subquery.step_ms, subquery.offset_ms) == (milliseconds, -milliseconds)


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("rate(x[5m *])", 10),
        ("rate(x[5m / 0])", 10),
        ("rate(x[1m - 2m])", 7),
        ("x offset (5m + )", 15),
        ("x[5m (2)]", 5),
        ("x[step(] ", 6),
    ],
)
def test_a_wrong_duration_is_marked(expression, column):
    """The caret stands under the word that cannot be."""
    with pytest.raises(QueryError) as caught:
        parse(expression, CLOCK)
    assert str(caught.value).split("\n")[-1] == " " * (column + 2) + "^"


def test_places_stay_where_they_were():
    """What is taken out leaves blanks, so that a later error is marked at its own column."""
    expression = "rate(x[5m * 2] smoothed) </ sum(rat(y[5m]))"
    with pytest.raises(QueryError, match="did you mean 'rate'") as caught:
        parse(expression)
    line, mark = str(caught.value).split("\n")[-2:]
    assert line.strip() == expression
    assert mark.index("^") - 2 == expression.index("rat(y")


def test_trimming_is_a_binary_operator_of_its_own():
    """It binds like a comparison; plain comparisons beside it stay what they are."""
    node = parse("a < b </ c + 1 > d")
    assert (node.op, node.lhs.op, node.lhs.lhs.op) == (">", "</", "<")
    with pytest.raises(QueryError, match="does not compare"):
        parse("a >/ bool b")


def test_info_takes_any_conditions():
    """Also those that a selector must not have; and a snapshot learns what to copy."""
    conditions = parse('info(rate(x[5m]), {__name__!="target_info", a=~".*"})').args[1]
    assert conditions.matchers == (
        Matcher("__name__", "!=", "target_info"),
        Matcher("a", "=~", ".*"),
    )
    reads = inspect("info(x offset 1h, {})").reads
    assert [(r.metric, r.back_ms) for r in reads] == [
        ("target_info", 65 * MINUTE),
        ("x", 65 * MINUTE),
    ]
    with pytest.raises(QueryError):
        parse('info(x, {a="})')


def test_inspection_knows_how_far_edges_and_relative_durations_reach():
    """`anchored` reads before its window, `smoothed` to both sides, ``step()`` what the window says."""
    (anchored,) = inspect("increase(x[10m] anchored)").reads
    assert (anchored.back_ms, anchored.until_ms) == (15 * MINUTE, 0)
    (smoothed,) = inspect("increase(x[10m] smoothed)").reads
    assert (smoothed.back_ms, smoothed.until_ms) == (15 * MINUTE, -5 * MINUTE)
    relative = inspect("rate(x[step() * 4])")
    assert relative.uses_bounds
    assert relative.ranges_ms == ()
    assert relative.span(Window(0, 10 * MINUTE, MINUTE)) == (-4 * MINUTE, 10 * MINUTE)


WORDS = st.sampled_from(
    [
        "x",
        "anchored",
        "smoothed",
        "info",
        "step",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "</",
        ">/",
        "<",
        "5m",
        "2",
        "offset",
        "@",
        "by",
        "sum",
        "bool",
        "rate",
        "and",
        "on",
        '"a"',
        "=",
        "min_of",
        "group_left",
        "#\n",
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_any_words_parse_or_are_refused(text):
    """Whatever stands in a text, only our own errors come out, and the length is kept."""
    try:
        assert len(extracted(text, CLOCK)[0]) == len(text)
    except DurationError as error:
        assert error.token.text in text  # noqa: PT017 - the property is about both outcomes
    try:
        parse(text, CLOCK)
    except WorkbenchError as error:
        assert error.mend  # noqa: PT017 - as above

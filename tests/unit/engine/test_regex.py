"""Matchers speak RE2, anchored, and templates speak Go."""

import pytest
from engine_data import Rows

from workbench.engine import Engine
from workbench.errors import NotSupportedError, QueryError
from workbench.promql.regex import Regex

VALUES = ["", "a", "A", "ab", "a\nb", "a.b", "b|c", "é", "a\n"]


@pytest.mark.parametrize(
    ("pattern", "hits"),
    [
        ("a", ["a"]),
        ("a|b", ["a"]),
        ("", [""]),
        ("a|", ["", "a"]),
        (".*", VALUES),
        (".+", VALUES[1:]),
        ("(?i)a", ["a", "A"]),
        ("(?:(?i)A)b?", ["a", "A", "ab"]),
        ("a.b", ["a\nb", "a.b"]),
        (r"a\.b", ["a.b"]),
        (r"b\|c", ["b|c"]),
        ("a$", ["a"]),
        (r"\pL", ["a", "A", "é"]),
        ("[[:alpha:]]+", ["a", "A", "ab"]),
        (r"\w", ["a", "A"]),
    ],
)
def test_patterns_match_whole_values(pattern, hits):
    """From end to end, the dot matching newlines, classes as in RE2."""
    matching = Regex(pattern).matches(VALUES).tolist()
    assert [v for v, hit in zip(VALUES, matching, strict=True) if hit] == hits


def test_a_hostile_pattern_takes_no_exponential_time():
    """Nested repetition on a long value is answered at once."""
    assert not Regex("(a+)+b").matches(["a" * 50_000]).any()


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "a**", "["])
def test_what_is_not_re2_is_refused(pattern):
    """Look-around and back-references are another language's."""
    with pytest.raises(QueryError, match="is not a regular expression"):
        Regex(pattern)


def test_values_that_are_no_unicode_are_survived():
    """A lone surrogate, a NUL, a quote."""
    assert Regex("x.*").matches(["x\udcff", "x\0", 'x"', "y"]).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("$1-$2", "host-9100"),
        ("${port}", "9100"),
        ("$port!", "9100!"),
        ("$1x", ""),
        ("${1}x", "hostx"),
        ("$$1", "$1"),
        ("\\1", "\\1"),
        ("$9", ""),
        ("$0", "host:9100"),
        ("$", "$"),
        ("$01", ""),
        ("$1é", ""),
        ("$none", ""),
    ],
)
def test_templates_are_filled_as_go_fills_them(template, wanted):
    """``$1x`` is a group called 1x, which is not there."""
    assert Regex(r"([a-z]+):(?P<port>\d+)").expanded(["host:9100", "?"], template) == [wanted, None]


def test_a_name_that_is_not_there_is_no_group():
    """However many groups without a name there are."""
    assert Regex("(?P<a>.)(.)(.)(.)").expanded(["wxyz"], "<$b>") == ["<>"]


def test_parentheses_in_classes_and_escapes_are_no_groups():
    """Only what captures is counted."""
    assert Regex(r"[(](?:x)\((\d)[\])]").expanded(["(x(7)"], "$1$2") == ["7"]


def test_a_tenth_group_is_refused_rather_than_misread():
    """RE2's templates end at nine."""
    with pytest.raises(NotSupportedError, match="tenth"):
        Regex("(.)" * 10).expanded(["0123456789"], "$10")


def test_a_series_without_the_label_has_it_empty():
    """Absent equals empty in every matcher."""
    engine = Engine(
        Rows(({"__name__": "m", "a": "x"}, [0], [1.0]), ({"__name__": "m"}, [0], [2.0]))
    )
    for matcher, value in (('a=""', 2.0), ('a!=""', 1.0), ('a=~"x|"', 3.0), ('a!~".+"', 2.0)):
        assert engine.instant(f"sum(m{{{matcher}}})", 0).data.values.tolist() == [[value]]

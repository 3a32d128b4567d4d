"""Matchers mean what PromQL says, whichever way the index was built."""

import re
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import QueryError
from workbench.promql.matcher import Matcher
from workbench.promql.regex import compile_regex
from workbench.store.index import LabelIndex

NAMES = st.sampled_from(["__name__", "job", "a b", "é", '"'])
VALUES = st.one_of(
    st.sampled_from(["", "api", "API", "a\nb", "api-2", "x\x00y", "日本", "'\"\\{}", "<b>"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
LABELS = st.dictionaries(NAMES, VALUES, max_size=4)
PATTERNS = st.one_of(
    st.sampled_from(["", ".*", ".+", "api", "api|API", "a||b", "(?i)api", "a.b", "[^a]*", r"\d+"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4).map(re.escape),
)


def brute_force(labels, matcher):
    """One matcher on one label set, by the words of the Prometheus documentation."""
    value = labels.get(matcher.name, "")
    if matcher.op in ("=", "!="):
        met = value == matcher.value
    else:
        met = re.fullmatch(matcher.value, value, re.DOTALL) is not None
    return met if matcher.op in ("=", "=~") else not met


@st.composite
def matchers(draw):
    op = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    return Matcher(draw(NAMES), op, draw(PATTERNS if op.endswith("~") else VALUES))


def arrow_index(labels):
    pairs = [[(n, v) for n, v in each.items() if v] for each in labels]
    return LabelIndex.of_arrow(pa.array(pairs, pa.map_(pa.string(), pa.string())))


@settings(deadline=None)
@given(st.lists(LABELS, max_size=8), st.lists(matchers(), max_size=3))
def test_select_agrees_with_trying_every_matcher_on_every_series(labels, asked):
    """Both ways to build the index give what a loop over all series gives."""
    wanted = [i for i, each in enumerate(labels) if all(brute_force(each, m) for m in asked)]
    assert LabelIndex.of(labels).select(asked).tolist() == wanted
    assert arrow_index(labels).select(asked).tolist() == wanted


@pytest.mark.parametrize(
    ("pattern", "value", "met"),
    [
        ("a", "ab", False),
        ("b", "ab", False),
        ("a|b", "ab", False),
        ("a.c", "a\nc", True),
        ("(?i)abc", "aBC", True),
        ("a(?i)bc", "aBC", True),
        ("a(?i)bc", "ABC", False),
        (r"\pL+", "été", True),
        (r"[[:alpha:]]+", "abc", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        ("(?P<n>a)b", "ab", True),
        ("a$", "a\n", False),
        ("", "", True),
        (".+", "", False),
        ("x\x00y", "x\x00y", True),
        (".", "日", True),
    ],
)
def test_patterns_are_read_as_re2_reads_them(pattern, value, met):
    """Go's own syntax, where Python's differs or has none."""
    assert compile_regex(pattern).matches([value]).tolist() == [met]


@pytest.mark.parametrize(
    "pattern", ["(", "a{2,1}", "(?=a)", r"(a)\1", "*", "[", r"\xZZ", "\ud800."]
)
def test_a_pattern_that_re2_refuses_is_named_in_the_error(pattern):
    """Bad syntax, and what Python knows but RE2 does not, is the asker's mistake."""
    with pytest.raises(QueryError, match="is not a regular expression") as raised:
        LabelIndex.of([]).select([Matcher("absent", "=~", pattern)])
    assert repr(pattern) in str(raised.value)


def test_a_pattern_that_backtracks_takes_no_time():
    """The textbook case of exponential matching ends at once."""
    started = time.process_time()
    assert not compile_regex("(a|aa|a?)+(a+)+c").matches(["a" * 20_000 + "b"]).any()
    assert time.process_time() - started < 5


def test_values_that_are_not_unicode_do_not_break_the_matching():
    """Lone surrogates, as decoding with surrogateescape gives them, match a dot."""
    assert compile_regex("a.c").matches(["a\udcffc", "abc", "ac"]).tolist() == [True, True, False]


def test_an_index_of_nothing_selects_nothing():
    """No series, with and without matchers."""
    for index in (LabelIndex.of([]), arrow_index([])):
        assert index.select([]).tolist() == []
        assert index.select([Matcher("a", "=", "")]).tolist() == []
    assert LabelIndex.of([{}]).select([]).dtype == np.int64

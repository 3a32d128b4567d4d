"""Selectors and quoting: whatever goes in, the parser reads back exactly that."""

from __future__ import annotations

import promql_parser
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from workbench.errors import InputError, QueryError
from workbench.promql import (
    Matcher,
    inspect,
    is_not,
    matches,
    none_of,
    one_of,
    quote_label,
    quote_regex,
    quote_string,
    selector,
    starts_with,
)
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS, KEYWORDS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = texts.filter(bool)
matchers = st.builds(
    Matcher, names.filter(lambda n: n != "__name__"), st.sampled_from(["=", "!="]), texts
)


@given(name=st.none() | names, found=st.lists(matchers, max_size=4))
@example(name="sum", found=[])
@example(name="Inf", found=[Matcher("by", "=", "x")])
@example(name='a"b\\c\n', found=[Matcher("k8s.pod/name", "!=", "\ufffd\x00\u202e")])
def test_a_selector_parses_back_to_the_same_matchers(
    name: str | None, found: list[Matcher]
) -> None:
    """Build, parse, compare, for arbitrary Unicode in names and values."""
    assume(name is not None or any(m.op == ("=" if m.value else "!=") for m in found))
    (read,) = inspect(selector(name, found)).reads
    named = [] if name is None else [Matcher("__name__", "=", name)]
    assert sorted(read.matchers) == sorted([*named, *found])


@given(st.text())
@example("\udc80")
def test_quote_string_reads_back_or_refuses_half_a_surrogate(value: str) -> None:
    """A string literal holds exactly the value; what UTF-8 cannot hold is refused."""
    if any("\ud800" <= c <= "\udfff" for c in value):
        with pytest.raises(InputError, match="lone surrogate"):
            quote_string(value)
    else:
        literal = quote_string(value)
        assert promql_parser.parse(literal).val == value
        assert literal.isprintable()


@given(st.lists(texts, min_size=1, max_size=5), texts)
def test_one_of_matches_its_values_and_nothing_else(values: list[str], other: str) -> None:
    """The escaped alternatives are judged by Python's own regular expressions."""
    import re

    condition = one_of(values)
    pattern = condition.value if condition.op == "=~" else re.escape(condition.value)
    for value in (*values, other):
        assert bool(re.fullmatch(pattern, value)) == (value in values)
    promql_parser.parse(selector("m", x=condition))


def test_regex_escapes_are_only_those_that_every_engine_knows() -> None:
    """RE2 refuses escapes of letters; a quote, a space or a dash needs none."""
    assert quote_regex('a-b c#"/é\n') == 'a-b c#"/é\n'
    assert quote_regex(r".+*?()|[]{}^$" + "\\") == "".join(
        "\\" + c for c in r".+*?()|[]{}^$" + "\\"
    )


@pytest.mark.parametrize(
    "word", sorted({*AGGREGATIONS, *KEYWORDS, "Inf", "NaN", "SUM", "start", "bool"})
)
def test_reserved_words_as_metric_names_are_never_bare(word: str) -> None:
    """They become a matcher on __name__, which Prometheus 2 reads too."""
    assert selector(word) == f'{{__name__="{word}"}}'


@pytest.mark.parametrize("word", FUNCTIONS[:8])
def test_functions_are_ordinary_metric_names(word: str) -> None:
    """A function's name without parentheses is a metric, and stays readable."""
    if word not in ("end", "start", "step", "range"):
        assert selector(word) == word


def test_utf8_names_are_quoted_only_where_they_must_be() -> None:
    """The Prometheus 3 form appears for a UTF-8 metric or label, and only for that one."""
    assert selector("up", job="a") == 'up{job="a"}'
    assert selector("up", {"k8s.pod": "a", "job": "b"}) == 'up{job="b","k8s.pod"="a"}'
    assert selector("http.requests", job="b") == '{"http.requests",job="b"}'
    assert (quote_label("sum"), quote_label("a:b"), quote_label("1a")) == ("sum", '"a:b"', '"1a"')


def test_conditions_and_plain_values() -> None:
    """Text and whole numbers compare, conditions bring their operator."""
    text = selector("x", code=500, job=is_not(""), zone=one_of(["b", "a"]), host=starts_with("a."))
    assert text == 'x{code="500",host=~"a\\\\..*",job!="",zone=~"a|b"}'
    assert selector("x", a=none_of(["1", "2"])) == 'x{a!~"1|2"}'


def test_a_second_condition_on_the_name_keeps_the_selector_valid() -> None:
    """PromQL forbids a bare name beside a matcher on __name__."""
    text = selector("up", {"__name__": matches("u.*")})
    assert text == '{__name__="up",__name__=~"u.*"}'
    promql_parser.parse(text)


@pytest.mark.parametrize("arguments", [{}, {"job": ""}, {"job": matches(".*")}])
def test_selecting_everything_is_refused(arguments: dict[str, str]) -> None:
    """Every server refuses it; we say so before asking."""
    with pytest.raises(QueryError, match="would select every series"):
        selector(None, arguments)


@pytest.mark.parametrize("value", [None, 1.5, True, ["a"], b"a"])
def test_values_of_other_types_are_refused(value: object) -> None:
    """The message names the label and the mend."""
    with pytest.raises(InputError, match=r"label 'job' .*one_of"):
        selector("up", job=value)  # type: ignore[arg-type]


def test_one_of_refuses_nothing_and_a_single_text() -> None:
    """An empty alternative would match only absent labels; a text would be taken apart."""
    with pytest.raises(InputError, match="no value"):
        one_of([])
    with pytest.raises(InputError, match="one text"):
        one_of("abc")


def test_a_bad_regular_expression_is_refused_with_its_text() -> None:
    """The parser's message comes through."""
    with pytest.raises(QueryError, match="illegal regex"):
        selector("up", job=matches("["))

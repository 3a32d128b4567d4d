"""Snippets are code of their language, whatever the metric is called."""

from __future__ import annotations

import ast
import math

import prometheus_client
import pytest
import tree_sitter_go
import tree_sitter_java
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Node, Parser

from workbench.latency.layouts import native_growth
from workbench.latency.snippets import Snippet, go_string, java_string, python_string, snippets

BOUNDS = (0.005, 0.0125, 0.3, 1.0, 2.5e-05 * 1e6)
HOSTILE = 'a"); panic("x\\\n\r\t\x00\x7f\u2028\ufeff é 🙂 \\u000a ${x} %s */ \udc80'
CLEAN = HOSTILE.replace("\udc80", "\ufffd")

_GRAMMARS = {
    "go": Language(tree_sitter_go.language()),
    "java": Language(tree_sitter_java.language()),
}
_AROUND = {
    "go": "package p\n\nvar h = {}",
    "java": "class C {{ void m() {{\n{}}} }}",
}


def parsed(language: str, code: str) -> Node:
    """The tree of a snippet inside a whole file."""
    text = _AROUND[language].format(code) if language == "go" else _AROUND["java"].format(code)
    return Parser(_GRAMMARS[language]).parse(text.encode()).root_node


def texts(node: Node, kind: str) -> list[str]:
    """The source of every node of a kind, in order."""
    found = [node.text.decode()] if node.type == kind and node.text is not None else []
    return found + [text for child in node.children for text in texts(child, kind)]


def by_client(**given_names: str) -> dict[str, Snippet]:
    """Every snippet of the boundaries above."""
    return {x.client: x for x in snippets(BOUNDS, **given_names)}


def decoded(literal: str) -> str:
    """What a literal says; the escapes that are written mean the same in all three languages."""
    return str(ast.literal_eval(literal)).encode("utf-16", "surrogatepass").decode("utf-16")


def test_python_snippet_builds_a_histogram_with_these_buckets() -> None:
    """The real client takes it, and exposes the boundaries that were advised."""
    code = by_client(metric="advised_seconds", documentation=HOSTILE)["prometheus_client"].code
    names: dict[str, object] = {}
    exec(compile(code, "snippet", "exec"), names)
    histogram = names["advised_seconds"]
    assert isinstance(histogram, prometheus_client.Histogram)
    try:
        samples = next(iter(histogram.collect())).samples
        assert [float(x.labels["le"]) for x in samples if x.name == "advised_seconds_bucket"] == [
            *BOUNDS,
            math.inf,
        ]
        assert next(iter(histogram.collect())).documentation == CLEAN
    finally:
        prometheus_client.REGISTRY.unregister(histogram)


def test_one_boundary_is_still_a_tuple_in_python() -> None:
    """A comma makes it one."""
    code = snippets([0.3])[1].code
    assert "buckets=(0.3,)," in code


@pytest.mark.parametrize("client", ["client_golang", "client_golang, native"])
def test_go_snippets_parse_and_quote(client: str) -> None:
    """Name, help and boundaries are what was given, without a syntax error."""
    code = by_client(metric=HOSTILE, documentation=HOSTILE)[client].code
    tree = parsed("go", code)
    assert not tree.has_error
    literals = texts(tree, "interpreted_string_literal")
    assert [decoded(x) for x in literals] == [CLEAN, CLEAN]
    numbers = [float(x) for x in texts(tree, "float_literal")]
    assert numbers[: len(BOUNDS)] == list(BOUNDS)


def test_native_go_snippet_asks_for_schema_three() -> None:
    """client_golang takes the coarsest schema that grows no faster than the factor: 3 for 1.1."""
    code = " ".join(by_client()["client_golang, native"].code.split())
    assert "NativeHistogramBucketFactor: 1.1," in code
    assert "NativeHistogramMaxBucketNumber: 160," in code
    assert "Buckets: []float64{0.005, 0.0125, 0.3, 1.0, 25.0}," in code


@pytest.mark.parametrize("schema", range(-3, 9))
def test_factor_makes_the_client_choose_the_schema(schema: int) -> None:
    """By the client's own rule: the logarithm of the logarithm, rounded down."""
    code = snippets((), schema=schema, metric="m")[0].code
    factor = float(code.split("NativeHistogramBucketFactor: ")[1].split(",")[0])
    assert -math.floor(math.log2(math.log2(factor))) == schema
    assert native_growth(schema) <= factor
    assert not parsed("go", code).has_error


@pytest.mark.parametrize("client", ["client_java", "micrometer"])
def test_java_snippets_parse_and_quote(client: str) -> None:
    """Control characters are octal: Java would read an escaped newline as a real one."""
    code = by_client(metric=HOSTILE, documentation=HOSTILE)[client].code
    tree = parsed("java", code)
    assert not tree.has_error
    assert [decoded(x) for x in texts(tree, "string_literal")] == [CLEAN, CLEAN]
    for escape in ("\\u000a", "\\u000d", "\\u0022"):
        assert escape not in code.replace("\\\\u000a", "")


def test_micrometer_takes_durations_and_appends_the_unit_itself() -> None:
    """Whole milliseconds where all are, else nanoseconds; nothing for bytes."""
    code = by_client(metric="wait_seconds")["micrometer"].code
    assert 'Timer.builder("wait")' in code
    assert texts(parsed("java", code), "decimal_integer_literal") == [
        f"{round(x * 1e9)}L" for x in BOUNDS
    ]
    whole = {x.client: x.code for x in snippets([5, 300], unit="milliseconds")}["micrometer"]
    assert "Duration.ofMillis(5L)" in whole
    assert "micrometer" not in {x.client for x in snippets([10.0], unit="bytes")}


def test_opentelemetry_view_parses_and_names_the_instrument() -> None:
    """A view over the instrument, with the boundaries in order."""
    code = by_client(metric=HOSTILE)["opentelemetry-sdk"].code
    calls = [x for x in ast.walk(ast.parse(code)) if isinstance(x, ast.Call)]
    words = {key.arg: key.value for call in calls for key in call.keywords}
    assert ast.literal_eval(words["instrument_name"]) == CLEAN
    assert ast.literal_eval(words["boundaries"]) == list(BOUNDS)


@given(st.text(st.characters(codec=None)))
def test_any_text_is_quoted(text: str) -> None:
    """Each literal is one line and says the text, halves of surrogate pairs replaced."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for quote in (go_string, java_string, python_string):
        literal = quote(text)
        assert decoded(literal) == whole
        assert len(literal.splitlines()) == 1
        literal.encode()

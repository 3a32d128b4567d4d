"""PromQL that we write, read by a real Prometheus: Go's strings and RE2 judge our quoting."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest

from workbench.promql import call, none_of, one_of, quote_string, selector
from workbench.promql.expression import Expression
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS, KEYWORDS

HOSTILE = [
    "",
    "plain",
    "say \"hi\" \\ 'there' `now`",
    "two\nlines\r\tand a tab",
    "\x00\x01\x7f\x80\x9f",
    "\u2028\u202e\ufeff\ufffd",
    "é ü 漢字 😀 \U0001f1e9",
    ".*+?()[]{}|^$",
    r"\d\Q.\E(?i)x",
    '"} or up{a="',
    "# no comment",
    "-&~#",
]


def _asked(url: str, query: str) -> dict[str, Any]:
    data = urllib.parse.urlencode({"query": query, "time": "0"}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/query", data, timeout=180) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
    return found


@pytest.mark.parametrize("value", HOSTILE)
def test_prometheus_reads_a_literal_as_the_same_text(prometheus: str, value: str) -> None:
    """The server's own unquoting gives the text back."""
    assert _asked(prometheus, quote_string(value))["result"][1] == value


@pytest.mark.parametrize("value", HOSTILE)
def test_re2_takes_escaped_alternatives_literally(prometheus: str, value: str) -> None:
    """A label that holds the value matches the alternatives that have it, and no others."""
    held = call("label_replace", Expression("vector(1)"), "x", value.replace("$", "$$"), "", "")
    others = [other for other in HOSTILE if other != value]
    for condition, expected in ((one_of(HOSTILE), "yes"), (one_of(others), "no")):
        pattern = condition.value
        text = call("label_replace", held, "hit", "yes", "x", pattern)
        (series,) = _asked(prometheus, text)["result"]
        assert series["metric"].get("hit", "no") == expected


@pytest.mark.parametrize(
    "word", sorted({*AGGREGATIONS, *KEYWORDS, *FUNCTIONS, "Inf", "nan", "fill"})
)
def test_words_of_the_language_are_read_as_metrics(prometheus: str, word: str) -> None:
    """Where a name could be taken for syntax, ours never is."""
    text = selector(word, x=none_of(HOSTILE))
    assert _asked(prometheus, text) == {"resultType": "vector", "result": []}

"""Names and times as the API writes them, and metric families put together."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import BadAnswerError
from workbench.samples import MetricMetadata, MetricType
from workbench.sources.prometheus.metadata import families, label_path, seconds, strings


@given(st.text(min_size=1, max_size=20))
def test_label_paths_are_safe_and_can_be_read_back(name: str) -> None:
    """Only letters, digits and underscores stand in the path; unescaping gives the name."""
    path = label_path(name)
    assert re.fullmatch(r"[A-Za-z0-9_]+", path)
    back = (
        re.sub(r"__|_([0-9a-f]+)_", lambda m: chr(int(m[1], 16)) if m[1] else "_", path[3:])
        if path != name
        else path
    )
    assert back == name


@given(st.integers(0, 2**45))
def test_seconds_are_exact_to_the_millisecond(milliseconds: int) -> None:
    assert round(float(seconds(milliseconds)) * 1000) == milliseconds


def test_times_before_1970_are_written_right() -> None:
    assert float(seconds(-1_500)) == -1.5


def test_what_most_targets_say_wins() -> None:
    entries = [
        {"type": "gauge", "help": "old", "unit": ""},
        {"type": "counter", "help": "new", "unit": "bytes"},
        {"type": "counter", "help": "new", "unit": ""},
    ]
    assert families({"x_total": entries}, ["x_total"]) == [
        MetricMetadata("x_total", MetricType.COUNTER, "new", "bytes")
    ]


def test_a_counter_declared_as_openmetrics_is_named_as_it_is_queried() -> None:
    found = families({"x": [{"type": "counter"}]}, ["x_total", "x_created"])
    assert found == [MetricMetadata("x_total", MetricType.COUNTER)]


def test_every_part_of_a_family_belongs_to_it() -> None:
    """Only series that no declared family has stand for themselves."""
    declared = {
        "h": [{"type": "histogram"}],
        "s": [{"type": "summary"}],
        "g": [{"type": "gaugehistogram"}],
        "b": [{"type": "info"}],
        "odd": [{"type": "something new"}],
    }
    names = [
        "h_bucket",
        "h_count",
        "h_sum",
        "s",
        "s_sum",
        "s_count",
        "g_bucket",
        "g_gcount",
        "b_info",
        "odd",
        "lonely_bucket",
    ]
    found = {each.name: each.type.value for each in families(declared, names)}
    assert found == {
        "h": "histogram",
        "s": "summary",
        "g": "gaugehistogram",
        "b": "info",
        "odd": "unknown",
        "lonely_bucket": "unknown",
    }


def test_strings_are_sorted_and_checked() -> None:
    assert strings(["b", "a", "b"], "names") == ["a", "b"]
    assert strings(None, "names") == []
    for wrong in ({"a": 1}, [1], "a"):
        with pytest.raises(BadAnswerError, match="names"):
            strings(wrong, "names")

"""The right-sizing chart and tables: drawn for real, with hostile names, in every state."""

import json
from decimal import Decimal

import pytest
import vl_convert

from workbench.capacity.sizing.containers import ContainerKey
from workbench.capacity.sizing.money import read_prices
from workbench.capacity.sizing.result import (
    CpuAdvice,
    MemoryAdvice,
    RightSizing,
    Rule,
    Sizing,
    UsageBand,
)
from workbench.views.rightsizing import rightsizing_chart
from workbench.views.rightsizing_table import rightsizing_table, rules_table
from workbench.views.theme import themed

GIB = 1024.0**3
HOSTILE = "a\"' + datum.x + '</script><b>\n{instance}"
CPU = CpuAdvice(Rule(0.5, 0.4, 0.002, 0.3), Rule(0.6), None, None, 0.4, 1.2, 33, 0.61, 0.9, 0.0)
MEMORY = MemoryAdvice(
    Rule(GIB), Rule(2 * GIB), None, 1.5 * GIB, GIB, GIB, GIB, (0.0, 0.0, 0.0), None, None
)
BAND = UsageBand(0.1, 0.2, 0.3, 0.2, 0.9)


def _sizing(name, **more):
    return Sizing(ContainerKey("shop", name, "web", "Deployment"), **more)


def _result(count=1, **more):
    full = {"cpu": CPU, "memory": MEMORY, "cpu_band": BAND, "memory_band": BAND}
    sizings = (
        _sizing(HOSTILE, cpu_request=2.0, memory_request=4 * GIB, pods=2.0, cpu_limit=3.0,
                saved=Decimal("-1234.5"), notes=("Seen.",), **full),
        _sizing("new", cpu_reason="too new", memory_reason="too new"),
        *(_sizing(f"bare-{i}", **full) for i in range(count)),
    )  # fmt: skip
    return RightSizing(0.05, 0.05, 30, "", "UTC", sizings, **more)


def test_the_chart_is_drawn_with_hostile_names():
    chart = rightsizing_chart(_result())
    svg = vl_convert.vegalite_to_svg(themed(chart, "dark").to_dict())
    assert "2 → 500m" in svg
    assert "none → 1 GiB" in svg
    assert "</script><b>" not in svg
    expressions = [v for k, v in _pairs(chart.to_dict()) if k in ("expr", "calculate", "filter")]
    assert set(expressions) == {"datum.now !== null"}


def _pairs(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield (key, value if isinstance(value, str) else "")
            yield from _pairs(value)
    elif isinstance(node, list):
        for each in node:
            yield from _pairs(each)


def _rows(chart):
    return chart.to_dict()["datasets"]


def test_only_the_largest_changes_are_drawn_and_the_rest_is_told():
    chart = rightsizing_chart(_result(count=20))
    assert {len(rows) for rows in _rows(chart).values()} == {15}
    assert "6 more in the table" in json.dumps(chart.to_dict())


@pytest.mark.parametrize("sizings", [(), (_sizing("new"),)])
def test_without_advice_a_sentence_stands_in_place_of_the_picture(sizings):
    result = RightSizing(0.05, 0.05, 30, "", "UTC", sizings)
    svg = vl_convert.vegalite_to_svg(rightsizing_chart(result).to_dict())
    assert "no container has enough history" in svg


def test_the_table_holds_what_is_known():
    table = rightsizing_table(_result(prices=read_prices("0.1", "", "EUR")))
    first, second = table.iloc[0], table.iloc[1]
    assert (first["CPU request"], first["advised"], first["CPU limit"]) == ("2", "500m", "3 → none")
    assert (first["busiest hour"], first["above it now"]) == ("Tue 09:00: 61 %", "90 %")
    assert first["memory limit"] == "none → 1.5 GiB"
    assert first["saved, EUR a month"] == "−1,234.50"
    assert "\n" not in first["container"]
    assert second["remarks"] == "No advice: too new. No advice: too new."
    assert not any("EUR" in c for c in rightsizing_table(_result()).columns)


def test_the_rules_stand_side_by_side():
    rules = rules_table(_result(count=0))
    assert rules["rule"].tolist() == ["ours", "KRR"] * 2
    assert rules["exceeded last week"].tolist() == ["< 1 %", "–", "–", "–"]
    assert rules.loc[0, "unused last week"] == "30 % of usage"

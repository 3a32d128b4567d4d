"""The capacity chart and table: drawn for real, with hostile names, in every state a resource has."""

import json
import re
import subprocess
import sys

import pytest
import vl_convert
from capacity_results import HOSTILE, capacity_result, expressions

from workbench.capacity import analyse
from workbench.views import theme
from workbench.views.axis import plain_text, scale_for
from workbench.views.capacity import capacity_chart, capacity_table


@pytest.fixture(scope="module")
def result():
    return capacity_result()


def test_it_is_drawn_as_svg_and_png(result):
    spec = capacity_chart(result).to_dict()
    svg = vl_convert.vegalite_to_svg(spec)
    assert "disk i000" in svg
    assert "full on" in svg
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")


def test_hostile_names_are_data_and_never_evaluated():
    spec = capacity_chart(
        capacity_result(15, names=[HOSTILE + str(k) for k in range(15)])
    ).to_dict()
    text = json.dumps(spec)
    text.encode("utf-8")
    assert "datum.x" in text
    assert not [e for e in expressions(spec, []) if "datum.x" in e or "script" in e]
    svg = vl_convert.vegalite_to_svg(spec)
    assert "</script>" not in svg
    assert "\x00" not in svg


def test_the_background_is_transparent_in_both_modes():
    assert theme.theme_config("light")["background"] == "transparent"
    assert theme.theme_config("dark")["background"] == "transparent"
    assert theme.theme_config("light") != theme.theme_config("dark")


def test_the_chart_carries_its_look_without_any_theme_enabled(result):
    assert capacity_chart(result).to_dict()["config"]["background"] == "transparent"


def test_importing_gives_no_look_to_other_charts():
    """In a process of its own: any study of another test may have enabled it in this one."""
    program = (
        "import altair, workbench.views.capacity, workbench.session.study\n"
        "chart = altair.Chart(altair.InlineData(values=[{'a': 1}])).mark_bar().encode(x='a:Q')\n"
        "print(chart.to_dict().get('config', {}).get('background'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() != "transparent"


def test_enabling_gives_the_look_to_other_charts():
    import altair as alt

    before = alt.theme.active
    chart = alt.Chart(alt.InlineData(values=[{"a": 1}])).mark_bar().encode(x="a:Q")
    try:
        alt.theme.enable("default")
        assert chart.to_dict().get("config", {}).get("background") != "transparent"
        theme.enable("dark")
        assert chart.to_dict()["config"] == theme.theme_config("dark")
    finally:
        alt.theme.enable(before)


def _contrast(one, two):
    """WCAG 2 contrast ratio of two colours."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("mode", "ground", "least"),
    [("auto", "#ffffff", 3.5), ("auto", "#16181d", 3.5), ("light", "#ffffff", 7), ("dark", "#16181d", 7)],
)  # fmt: skip
def test_text_can_be_read_on_its_ground(mode, ground, least):
    config = theme.theme_config(mode)
    for colour in (config["title"]["color"], config["axis"]["labelColor"], config["text"]["color"]):
        assert _contrast(colour, ground) >= least


def test_no_resource_at_all_is_still_a_chart():
    empty = analyse([], {}, now_ms=0)
    assert "No resource has data" in vl_convert.vegalite_to_svg(capacity_chart(empty).to_dict())
    assert capacity_table(empty).empty
    assert empty.to_table().empty


def test_the_table_speaks_in_units(result):
    table = capacity_table(result)
    assert table["resource"].tolist()[0] == "disk i002"
    by_name = table.set_index("resource")
    assert by_name.loc["disk i002", "full on"] == "full now"
    assert re.fullmatch(r"\d+ \w{3} 2026", by_name.loc["disk i000", "full on"])
    assert by_name.loc["disk i001", "full on"] == "not in sight"
    assert by_name.loc["disk i003", "full on"] == "cannot tell"
    assert by_name.loc["disk i000", "limit"] == "100 B"
    assert "3 daily peaks are known" in by_name.loc["disk i003", "remarks"]
    assert all(isinstance(v, str) for v in table.to_numpy().ravel())


def test_the_fan_holds_its_median_and_the_limit_is_drawn(result):
    spec = capacity_chart(result).to_dict()
    rows = [r for d in spec["datasets"].values() for r in d]
    fan = [r for r in rows if "q0" in r]
    assert fan
    assert all(r["q0"] <= r["q3"] <= r["q6"] for r in fan)
    assert {r["limit"] for r in rows if "limit" in r} == {100.0}


@pytest.mark.parametrize("unit", ["", "bytes", "seconds", "ratio", "percent", "connections", "EUR"])
def test_every_unit_can_be_drawn(unit):
    vl_convert.vegalite_to_svg(capacity_chart(capacity_result(2, unit=unit)).to_dict())


def test_axes_take_a_readable_unit():
    assert scale_for(5e9, "bytes").title == "GiB"
    assert scale_for(7_200, "seconds").title == "h"
    assert scale_for(0.02, "seconds").title == "ms"
    assert scale_for(12, "cores") == scale_for(900, "cores")


def test_long_and_odd_names_become_one_short_line():
    assert len(plain_text("x" * 500, most=40)) == 40
    plain_text(HOSTILE).encode("utf-8")
    assert "\n" not in plain_text(HOSTILE)

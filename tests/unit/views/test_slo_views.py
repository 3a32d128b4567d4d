"""The SLO chart and table: drawn for real, with hostile names, in every state an objective has."""

import json
from dataclasses import replace

import numpy as np
import pytest
import vl_convert

from workbench.frame import Frame
from workbench.slo.analysis import analyse
from workbench.slo.indicator import Availability
from workbench.slo.objective import Objective
from workbench.views.slo import slo_chart, slo_table

STEP_MS = 300_000
DAY = 288
STEPS = 33 * DAY
START_MS = 1_767_225_600_000
HOSTILE = "a\"' + datum.x + '</script><b>&\\n{instance}"


def _result(names=("spent", "dated", "kept", "nothing", "quiet"), window="30d"):
    """Objectives: spent, run out with a date, kept with a page, no data, one that never fails."""
    rng = np.random.default_rng(0)
    total = rng.poisson(80, STEPS).astype(float)
    shares = [np.full(STEPS, 0.02), np.where(np.arange(STEPS) < 27 * DAY, 0.002, 0.02)]
    shares += [np.full(STEPS, 0.002), None, np.zeros(STEPS)]
    shares[2][5000:5010] = 0.9
    times = START_MS + np.arange(1, STEPS + 1, dtype=np.int64) * STEP_MS
    sli = Availability(total="hits", bad="faults")
    ones, frames = [], {}
    for i, name in enumerate(names):
        one = Objective(name=name, service="shop", target=0.99, window=window, sli=sli, owner=name)
        ones.append(one)
        share = shares[i % 5]
        if share is None:
            continue
        for kind, values in (("bad", rng.binomial(total.astype(int), share)), ("total", total)):
            rows = values.astype(float)[None, :]
            frames[f"{kind} {one.key}"] = Frame("matrix", [{}], times, rows, ~np.isnan(rows))
    return analyse(ones, frames, now_ms=int(times[-1]))


@pytest.fixture(scope="module")
def result():
    return _result()


@pytest.fixture(scope="module")
def spec(result):
    return slo_chart(result).to_dict()


def _expressions(node, found):
    """Every place of a Vega-Lite specification that is evaluated."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in (
                "expr",
                "filter",
                "calculate",
                "labelExpr",
                "test",
                "signal",
                "update",
                "field",
            ):
                found.append(json.dumps(value))
            _expressions(value, found)
    elif isinstance(node, list):
        for each in node:
            _expressions(each, found)
    return found


def test_it_is_drawn_as_svg_and_png(spec):
    svg = vl_convert.vegalite_to_svg(spec)
    assert "shop: spent" in svg
    assert "gone on" in svg
    assert "1h/5m &gt; 14.4" in svg
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")
    assert spec["config"]["background"] == "transparent"


def test_the_most_urgent_stands_first_and_what_has_no_data_only_in_the_table(result, spec):
    titles = [part["title"]["text"] for part in spec["vconcat"]]
    assert [t.split(" · ")[0] for t in titles] == [
        "shop: spent", "shop: dated", "shop: kept", "shop: quiet"
    ]  # fmt: skip
    assert slo_table(result)["objective"].tolist()[-1] == "shop: nothing"


def test_hostile_names_are_data_and_never_evaluated():
    spec = slo_chart(_result(names=(HOSTILE, HOSTILE + "2"))).to_dict()
    assert "datum.x" in json.dumps(spec)
    assert not [e for e in _expressions(spec, []) if "datum.x" in e or "script" in e]
    assert "</script>" not in vl_convert.vegalite_to_svg(spec)


def test_the_fan_begins_at_what_is_left_and_holds_its_median(spec):
    fans = [d[0] for name, d in spec["datasets"].items() if name.startswith("fan")]
    assert len(fans) == 4
    for fan in fans:
        assert fan["q0"][0] == fan["q6"][0]
        assert (np.diff([fan[f"q{i}"] for i in range(7)], axis=0) >= 0).all()


def test_an_alert_stands_where_the_incident_was(spec):
    alerts = [r for name, d in spec["datasets"].items() if name.startswith("alert") for r in d]
    at = START_MS + 5000 * STEP_MS
    assert any(at < r["time"] <= at + 3 * STEP_MS and r["what"] == "page 1h/5m" for r in alerts)


def test_a_page_of_many_objectives_stays_small(result):
    many = tuple(result.standings[i % 4] for i in range(40))
    spec = slo_chart(replace(result, standings=many)).to_dict()
    assert len(spec["vconcat"]) == 8
    assert "8 most urgent of 40" in spec["title"]["subtitle"][-1]
    assert len(json.dumps(spec)) < 500_000


def test_the_table_speaks_in_nines_events_and_dates(result):
    table = slo_table(result).set_index("objective")
    spent, dated = table.loc["shop: spent"], table.loc["shop: dated"]
    assert spent["budget left"].startswith("−")
    assert spent["budget gone on"].startswith("gone now")
    assert dated["budget gone on"].endswith("2026")
    assert " – " in dated["80 % interval"]
    assert table.loc["shop: kept", "P(gone ≤ 90 d)"].endswith("%")
    assert table.loc["shop: nothing", "budget gone on"] == "cannot tell"
    assert "no series" in table.loc["shop: nothing", "remarks"]
    assert table.loc["shop: quiet", "good"] == "100\u00a0%"
    assert all(isinstance(v, str) for v in slo_table(result).to_numpy().ravel())


def test_no_objective_with_data_is_still_a_chart():
    empty = analyse([], {}, now_ms=0)
    assert "No objective has data" in vl_convert.vegalite_to_svg(slo_chart(empty).to_dict())
    assert slo_table(empty).empty


@pytest.mark.parametrize("window", ["1h", "1d", "7d", "month", "90d"])
def test_every_window_can_be_drawn(window):
    vl_convert.vegalite_to_svg(slo_chart(_result(names=("a",), window=window)).to_dict())

"""A what-if drawn: what stands in the picture and the table, and that hostile labels stay text."""

import json
from dataclasses import replace

import numpy as np
import pytest

from workbench.capacity.what_if.result import Fit, Outcome, Verdict, WhatIfResult
from workbench.capacity.what_if.scenario import Scenario
from workbench.statistics.queueing import waiting
from workbench.views.export import chart_file
from workbench.views.what_if import what_if_chart
from workbench.views.what_if_table import what_if_table

HOSTILE = "</script><script>alert(1)</script>\n\0'\"{{datum}}"


def _outcome(name, limit=40.0):
    load = np.linspace(1, 100, 600)
    grid = np.linspace(0, 130, 41)
    middle = 3 + 0.3 * grid
    fit = Fit(
        0.97, "line", 0.5, np.array([0.29, 0.3, 0.31]), 35, 0, None, 0, load, 3 + 0.3 * load,
        grid, np.array([middle - 1, middle, middle + 1]), 100.0, None,
    )  # fmt: skip
    now, then = 33 + np.arange(-2.0, 3), 42 + np.arange(-2.0, 3)
    return Outcome(
        name, "shop", "team", "connections", {"instance": name}, Verdict.OVER, "", "rps", "requests/s",
        limit, 100.0, 130.0, now, then, 0.0, 0.97, np.array([1.1, 1.15, 1.2, 1.25, np.inf]),
        waiting(40, 33.0), waiting(40, 42.0), 0.9, True, fit, ("Mind.",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    outcomes = [_outcome(HOSTILE), *(_outcome(f"pool {i}") for i in range(13))]
    none = replace(
        outcomes[1], name="disk", verdict=Verdict.UNEXPLAINED, reason="load explains 3 %"
    )
    return WhatIfResult(Scenario(1.3), (*outcomes, none), {"rps": False}, ())


@pytest.fixture(scope="module")
def spec(result):
    return what_if_chart(result).to_dict(validate=True)


def test_twelve_resources_are_drawn_and_the_others_counted(spec):
    assert len(spec["vconcat"][0]["concat"]) == 12
    assert "3 resources more in the table" in spec["title"]["subtitle"]
    assert spec["title"]["text"] == "traffic +30 %"


def test_a_panel_holds_points_relation_peaks_and_limit(spec):
    [seen] = spec["datasets"]["seen_1"]
    assert len(seen["load"]) == 240
    [then] = spec["datasets"]["then_1"]
    assert (then["load"], then["low"], then["peak"], then["high"]) == (130, 41, 42, 43)
    assert spec["datasets"]["limit_1"][0]["limit"] == 40
    [relation] = spec["datasets"]["relation_1"]
    assert all(
        a <= b <= c
        for a, b, c in zip(relation["low"], relation["middle"], relation["high"], strict=True)
    )


def test_a_limit_far_above_all_usage_does_not_press_the_picture_flat(result):
    far = replace(result, outcomes=(_outcome("pool", limit=60_000.0),))
    assert "limit_0" not in what_if_chart(far).to_dict()["datasets"]


def test_hostile_names_stay_text(result, spec):
    whole = json.dumps(spec["vconcat"])
    assert "alert(1)" not in json.dumps(spec.get("transform", [])) + json.dumps(spec["datasets"])
    assert "\\n" not in json.dumps(spec["vconcat"][0]["concat"][0]["title"])
    assert whole.count("{{datum}}") == 1
    one = replace(result, outcomes=result.outcomes[:1])
    assert chart_file(what_if_chart(one), ".svg")


def test_the_table_tells_what_is_known_and_nothing_else(result):
    rows = what_if_table(result).to_dict("records")
    pool, disk = rows[1], rows[-1]
    assert pool["peak now"] == "33 connections"
    assert pool["80 % interval"] == "41 connections to 43 connections"
    assert pool["P(over)"] == "97 %"
    assert pool["bears, 80 %"] == "+15 % to +25 %"
    assert pool["wait now → then"].endswith("→ grows without end")
    assert pool["remarks"] == "Mind."
    assert disk["peak then"] == disk["bears"] == "–"
    assert disk["remarks"].startswith("Load explains 3 %.")


def test_nothing_that_follows_a_load_is_said(result):
    none = replace(result, outcomes=result.outcomes[-1:])
    assert "No resource follows a load" in json.dumps(what_if_chart(none).to_dict())
    assert result.to_table().shape == (14, 17)

"""Anomalies of spend drawn for real, with hostile names, and as text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
import vl_convert

from workbench.spend.changes.anomaly import Anomaly, Kind
from workbench.spend.changes.causes import Cause, Factor
from workbench.spend.changes.culprits import Culprit
from workbench.spend.changes.ordinary import Course
from workbench.views.spend_anomalies import anomalies_listing, anomaly_chart

HOSTILE = "a\"' + datum.x + '</script><b>&\x00\n{day}"
FIRST = date(2026, 5, 25)
RESULT = SimpleNamespace(first=FIRST + timedelta(days=28), last=FIRST + timedelta(days=34))


@pytest.fixture
def anomaly():
    days = np.arange(35) + np.datetime64(FIRST, "D").astype(np.int64)
    expected = np.full(35, 100.0)
    actual = np.where(np.arange(35) >= 28, 300.0, 101.0)
    causes = (
        Cause(Factor.INPUT, 1000.0, 1800.0, 6300.0),
        Cause(Factor.CACHE, 380.0, 0.55, 0.1),
        Cause(Factor.PRICE, 20.0, 3.0, 3.1),
    )
    who = Culprit(
        {"model": "m", "team": HOSTILE, "prompt_version": "v8"},
        1400.0,
        1.0,
        {"prompt_version": "v7"},
    )
    return Anomaly(
        Kind.SHIFT, "USD", RESULT.first, None, RESULT.last, 7, "group", Decimal(2100), Decimal(700),
        Decimal(650), Decimal("750.005"), (who,), False, causes, 0.5, 30.0,
        Course(days, actual, expected, expected - 10, expected + 10),
    )  # fmt: skip


def test_it_is_drawn_with_hostile_names_as_data_only(anomaly):
    spec = anomaly_chart(RESULT, [anomaly, anomaly]).to_json()
    assert vl_convert.vegalite_to_svg(spec).count("shift") == 0
    assert len(vl_convert.vegalite_to_png(spec)) > 10_000
    assert set(_values(json.loads(spec), "filter")) == {"datum.odd"}
    assert "\\u0000" not in spec


def _values(node, key):
    """Every value under a key of a specification."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)


def test_only_the_days_of_the_anomaly_are_marked(anomaly):
    spec = anomaly_chart(RESULT, [anomaly]).to_dict()
    (rows,) = (v for v in _values(spec, "values") if v and isinstance(v[0], dict))
    assert [r["date"] for r in rows if r["odd"]] == [
        str(RESULT.first + timedelta(days=n)) for n in range(7)
    ]


def test_six_are_drawn_and_the_others_counted(anomaly):
    spec = anomaly_chart(RESULT, [anomaly] * 9).to_dict()
    assert len(spec["vconcat"]) == 6
    assert "3 more are not drawn." in spec["title"]["subtitle"]


def test_none_is_said_in_words(anomaly):
    assert "None from 2026-06-22 to 2026-06-28" in json.dumps(anomaly_chart(RESULT, []).to_dict())
    assert "No spend departs" in repr(anomalies_listing([]))


def test_the_table_speaks_in_money_and_says_why(anomaly):
    row = anomalies_listing([anomaly]).frame.iloc[0]
    assert row["when"] == "since 22 Jun 2026"
    assert row["cost more"] == "+1,400.00 USD"
    assert row["expected, 80 %"] == "650.00 – 750.00"
    assert row["why"] == (
        "prompt version v8 in place of v7; input per request 1,800 → 6,300 tokens (+1,000.00 USD); "
        "input read from the cache 55 % → 10 % (+380.00 USD)"
    )
    assert "\x00" not in row["who"]


def test_a_drop_of_one_day_reads_as_one(anomaly):
    drop = replace(anomaly, last=anomaly.first, days=1, actual=Decimal(1), expected=Decimal(100))
    assert (
        "cost 99.00 USD less than expected on 22 Jun 2026: 1.00 instead of 100.00" in drop.sentence
    )

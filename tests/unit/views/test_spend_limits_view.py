"""Tables and pictures of rate limits: drawn for real, with hostile names, in every state."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import vl_convert

from workbench.spend.rate_limits.analysis import Peak, RateLimits
from workbench.spend.rate_limits.growth import Growth
from workbench.spend.rate_limits.headroom import Headroom
from workbench.spend.rate_limits.limits import RateLimit
from workbench.spend.rate_limits.onset import Onset
from workbench.spend.rate_limits.refusals import Hour, Refusal
from workbench.spend.rate_limits.remaining import Remaining
from workbench.views.spend_limits import (
    headroom_listing,
    rate_limits_chart,
    rate_limits_listing,
    refusals_listing,
    remaining_listing,
)

HOSTILE = "a\"' + datum.x + '</script><b>\n{instance}"
NOON = 1_772_452_800_000
"""2026-03-02T12:00:00Z."""

LIMIT = RateLimit(model=HOSTILE, tokens_per_minute=1000, requests_per_day=90)


def result(**more):
    nothing = pd.DataFrame(
        columns=["provider", "model", "team", "application", "refused", "requests"]
    )
    full = {
        "peaks": (), "headrooms": (), "remaining": (), "refusals": (), "accounts": nothing,
        "notes": (), **more,
    }  # fmt: skip
    day = date(2026, 3, 2)
    return RateLimits(day, day, "Europe/Berlin", 300_000, **full)


def whole():
    hours = NOON + np.arange(3, dtype=np.int64) * 3_600_000
    peak = Peak(
        HOSTILE, HOSTILE, 900.0, 12.0, 850.0, 11.0, hours,
        np.array([900.0, np.nan, 300.0]), np.array([12.0, np.nan, 4.0]),
        np.array([5.0, 0.0, np.nan]),
    )  # fmt: skip
    onset = Onset("tokens", 800.0, 850.0, 820.0, 0.9, 44)
    refusal = Refusal(
        HOSTILE, HOSTILE, 30.0, 1000.0, 0.01, {}, Hour(NOON, 9.0, 0.09), np.full(24, np.nan), onset
    )
    names = ((HOSTILE, HOSTILE),)
    soon = Growth(12, 5, None, 0.8, 0.061, 35)
    return result(
        peaks=(peak,),
        refusals=(refusal,),
        headrooms=(
            Headroom(LIMIT, "tokens_per_minute", 1000.0, names, 900.0, 850.0, NOON, 1.0, "", soon),
            Headroom(LIMIT, "requests_per_day", 90.0, names, 99.0, 95.0, NOON - 13 * 3_600_000, 1.0),
            Headroom(LIMIT, "requests_per_minute", 5.0, why="nothing counts requests"),
        ),
        remaining=(
            Remaining("litellm", HOSTILE, HOSTILE, "tokens", 3, 5, 9, NOON, 99, 0.2, 288, moved=False),
        ),
        accounts=pd.DataFrame(
            [{**dict.fromkeys(("provider", "model", "team", "application"), HOSTILE),
              "refused": 30.0, "requests": np.nan}]
        ),
    )  # fmt: skip


def test_the_three_sources_stand_side_by_side():
    (row,) = rate_limits_listing(whole()).frame.to_dict("records")
    assert row["tokens/min"] == "900"
    assert (row["refused"], row["share"], row["share before"]) == ("30", "3.0 %", "1.0 %")
    assert row["worst hour"] == "2026-03-02 13:00 (9.0 %)"
    assert row["90 % refused above"] == "800 tokens/min"
    assert row["least left"] == "3 tokens"
    assert row["free of its limit"] == "−10.0 %"


def test_limits_say_what_is_free_until_when_or_why_not():
    minute, day, nothing = headroom_listing(whole()).frame.to_dict("records")
    assert minute["allows"] == "1k tokens/min"
    assert (minute["free at peak"], minute["may grow by"]) == ("10.0 %", "11 %")
    assert (minute["grows a week"], minute["met in"]) == ("+6.1 %", "12 d")
    assert minute["80 % interval"] == "5 d – > 90 d"
    assert minute["peak at"] == "2026-03-02 13:00"
    assert day["free at peak"] == "−10.0 %"
    assert day["peak at"] == "2026-03-01"  # what ends at midnight is the day before
    assert nothing["not told"] == "nothing counts requests"
    assert nothing["at peak"] == "–"


def test_gauges_and_accounts_are_told_with_their_doubts():
    (left,) = remaining_listing(whole()).frame.to_dict("records")
    assert (left["lowest"], left["time below a tenth"]) == ("3", "20 %")
    assert left["doubt"] == "it never moved"
    (account,) = refusals_listing(whole()).frame.to_dict("records")
    assert (account["refused"], account["requests"], account["share"]) == ("30", "–", "–")


@pytest.mark.parametrize("found", [whole(), result()], ids=["whole", "empty"])
def test_every_table_and_picture_draws_and_no_name_becomes_markup_or_code(found):
    for listing in (
        rate_limits_listing(found), headroom_listing(found), remaining_listing(found),
        refusals_listing(found),
    ):  # fmt: skip
        assert "<b>" not in listing._repr_html_()
        assert str(listing)
    spec = rate_limits_chart(found).to_dict()
    assert "datum.x" not in str(_expressions(spec))
    assert vl_convert.vegalite_to_svg(spec).startswith("<svg")


def _expressions(node):
    """Whatever a chart would run: filters, calculations, and names of fields."""
    if isinstance(node, dict):
        kept = ("filter", "calculate", "expr", "labelExpr", "field", "test")
        for key, value in node.items():
            yield from ([value] if key in kept else _expressions(value))
    elif isinstance(node, list):
        for each in node:
            yield from _expressions(each)


def test_a_limit_of_that_model_alone_is_drawn_as_a_line():
    chart = rate_limits_chart(whole()).to_dict()
    assert "{'limit': 1000.0}" in str(chart)
    assert "'limit':" not in str(rate_limits_chart(result(peaks=whole().peaks)).to_dict())

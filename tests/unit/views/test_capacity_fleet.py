"""The fleet at a glance: every resource is drawn once, by what it is, whatever it is called."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import vl_convert
from capacity_results import HOSTILE, capacity_result, expressions, fleet

from workbench.capacity import Verdict, analyse
from workbench.views.capacity import capacity_chart, capacity_table, fleet_chart
from workbench.views.capacity_groups import grouped, tally
from workbench.views.capacity_strip import short_names


@pytest.fixture(scope="module")
def result():
    return capacity_result(15)


def _rows(spec, name):
    """A data set as rows, whether it is held as rows or as columns."""
    (first, *more) = spec["datasets"][name]
    if more or not all(isinstance(v, list) for v in first.values()):
        return [first, *more]
    return [dict(zip(first, values, strict=True)) for values in zip(*first.values(), strict=True)]


def _titles(spec):
    return [part["title"]["text"] for part in spec["vconcat"]]


@pytest.mark.parametrize(
    ("count", "titles"),
    [
        (1, ["One by one"]),
        (12, ["One by one"]),
        (13, ["Week by week", "The 12 most urgent"]),
        (60, ["Week by week", "The 12 most urgent"]),
        (61, ["By kind", "The 40 most urgent, week by week", "The 12 most urgent"]),
        (2000, ["By kind", "The 40 most urgent, week by week", "The 12 most urgent"]),
    ],
)
def test_what_is_drawn_of_so_many_resources(result, count, titles):
    spec = capacity_chart(fleet(result, count)).to_dict()
    assert _titles(spec) == titles
    assert len(spec["vconcat"][-1]["concat"]) == min(count, 12)
    assert spec["title"]["text"].startswith(f"{count:,} resource")


def test_no_resource_is_a_sentence():
    empty = analyse([], {}, now_ms=0)
    assert "No resource was found" in vl_convert.vegalite_to_svg(fleet_chart(empty).to_dict())


def test_five_hundred_resources_are_a_small_file_that_can_be_drawn(result):
    spec = capacity_chart(fleet(result, 500)).to_dict()
    assert len(json.dumps(spec)) < 500_000
    svg = vl_convert.vegalite_to_svg(spec)
    assert "500 resources against their limits" in svg


def test_every_resource_has_one_cell_and_stands_in_its_group(result):
    many = fleet(result, 500, service=lambda k: f"service-{k % 7}")
    rows = _rows(fleet_chart(many).to_dict(), "group_cells")
    assert sorted(r["name"] for r in rows) == sorted(o.name for o in many.outlooks)
    assert Counter(r["group"] for r in rows) == Counter(o.service for o in many.outlooks)
    assert len({(r["column"], r["line"]) for r in rows}) == 500


def test_cells_say_how_likely_and_signs_say_what_no_chance_can(result):
    many = fleet(result, 100)
    rows = {r["name"]: r for r in _rows(fleet_chart(many).to_dict(), "group_cells")}
    signs = {Verdict.FULL: "×", Verdict.UNKNOWN: "?", Verdict.NO_LIMIT: "∞"}
    for outlook in many.outlooks:
        row, found = rows[outlook.name], outlook.saturation
        assert row["mark"] == signs.get(outlook.verdict, "")
        if found is not None:
            assert row["chance"] == pytest.approx(found.chances[90], rel=1e-3)
        else:
            assert row["chance"] == (1.0 if outlook.verdict is Verdict.FULL else None)


def test_groups_are_by_what_most_resources_have(result):
    by_service = fleet(result, 90, service=lambda k: f"s{k % 3}", owner=lambda k: f"o{k % 2}")
    by_owner = fleet(result, 90, service=lambda k: f"s{k}", owner=lambda k: f"o{k % 2}")
    assert _titles(fleet_chart(by_service).to_dict())[0] == "By service"
    assert _titles(fleet_chart(by_owner).to_dict())[0] == "By owner"
    assert _titles(fleet_chart(by_owner, by="instance").to_dict())[0] == "By instance"


def test_many_groups_are_the_most_urgent_and_all_others_together(result):
    outlooks = fleet(result, 300, service=lambda k: f"s{k:03d}").outlooks
    groups = grouped(outlooks, "service")
    assert list(groups)[:2] == [outlooks[0].service, outlooks[1].service]
    assert list(groups)[30:] == ["270 others"]
    assert sum(map(len, groups.values())) == 300


def test_a_group_is_called_without_the_placeholders_of_its_kind(result):
    assert list(grouped(result.outlooks, "kind")) == ["disk"]
    assert list(grouped(result.outlooks, "no such label")) == ["without no such label"]


def test_counts_by_verdict_add_up(result):
    outlooks = fleet(result, 77).outlooks
    parts = [p.split(" ")[0] for p in tally(outlooks).split(" · ")]
    assert sum(map(int, parts)) == 77


def test_cells_of_a_week_are_its_highest_share_and_its_last_chance(result):
    """Compared with a loop over the days."""
    spec = fleet_chart(result).to_dict()
    past = {(r["row"], r["column"]): r["value"] for r in _rows(spec, "strip_past")}
    coming = {(r["row"], r["column"]): r["value"] for r in _rows(spec, "strip_coming")}
    for row, outlook in enumerate(result.outlooks):
        peaks, limits = outlook.history.peaks.tolist(), outlook.limits.tolist()
        for week in range(1, 6):
            days = range(len(peaks) - 7 * week, len(peaks) - 7 * (week - 1))
            shares = [peaks[d] / limits[d] for d in days if d >= 0 and peaks[d] / limits[d] > 0]
            if shares:
                assert past[row, -week] == pytest.approx(max(shares), rel=1e-3)
            else:
                assert (row, -week) not in past
        if outlook.saturation:
            ends = [outlook.saturation.cumulative[min(7 * (w + 1), 90) - 1] for w in range(13)]
            assert [coming[row, w] for w in range(13)] == pytest.approx(ends, rel=1e-3)


def test_the_date_stands_in_its_week(result):
    spec = fleet_chart(result).to_dict()
    for row, outlook in zip(_rows(spec, "strip_rows"), result.outlooks, strict=True):
        dated = outlook.verdict is Verdict.DATED
        assert row["date"] == (outlook.saturation.days / 7 if dated else None)


def test_a_long_horizon_has_cells_of_four_weeks(result):
    assert max(r["column"] for r in _rows(fleet_chart(result).to_dict(), "strip_coming")) == 12
    spec = fleet_chart(capacity_result(3, horizon_days=365)).to_dict()
    assert max(r["column"] for r in _rows(spec, "strip_coming")) == 13
    vl_convert.vegalite_to_svg(spec)


def test_what_has_no_limit_or_no_history_is_drawn_as_such(result):
    nothing = replace(
        result.outlooks[-1], verdict=Verdict.UNKNOWN, saturation=None, fan=None, limit=None,
        history=replace(result.outlooks[0].history, peaks=np.empty(0), lows=np.empty(0), coverage=np.empty(0)),
        limits=np.empty(0), name="silent",
    )  # fmt: skip
    free = replace(
        result.outlooks[0], verdict=Verdict.NO_LIMIT, saturation=None, limit=None, name="endless",
        limits=np.full(len(result.outlooks[0].history), np.nan),
    )  # fmt: skip
    for count in (0, 13, 70):
        outlooks = (*fleet(result, count).outlooks, free, nothing)
        svg = vl_convert.vegalite_to_svg(
            capacity_chart(replace(result, outlooks=outlooks)).to_dict()
        )
        assert "endless" in svg
        assert count == 0 or ("cannot tell" in svg and "no limit" in svg)


def test_hostile_names_of_a_fleet_are_data_and_never_evaluated(result):
    many = fleet(result, 80, service=lambda k: f"{HOSTILE}{k % 3}", owner=lambda _: HOSTILE)
    many = replace(
        many, outlooks=tuple(replace(o, name=HOSTILE + o.name, kind=HOSTILE) for o in many.outlooks)
    )
    for by in ("", "owner", "kind", HOSTILE):
        spec = fleet_chart(many, by=by).to_dict()
        assert not [e for e in expressions(spec, []) if "datum.x" in e or "script" in e]
    svg = vl_convert.vegalite_to_svg(spec)
    assert "</script>" not in svg
    assert "\x00" not in svg


def _named(result, *names):
    return short_names([replace(result.outlooks[0], name=name) for name in names])


def test_names_lose_the_domain_that_several_share(result):
    assert _named(result, "cpu a-1.example.net:9100", "disk a-2.example.net:9100 /") == [
        "cpu a-1…",
        "disk a-2… /",
    ]


def test_names_that_would_be_alike_keep_their_domain(result):
    names = ["cpu db.east.example", "cpu db.west.example", "cpu db2.east.example", "cpu db2.west.example"]  # fmt: skip
    assert _named(result, *names) == names
    addresses = ["cpu 10.0.0.12:9100", "disk 10.0.0.12:9100 /"]
    assert _named(result, *addresses) == addresses


def test_a_table_of_five_hundred_rows_is_shown_whole_and_sorts_by_value(result):
    """pandas would show the first and the last five."""
    many = fleet(result, 500)
    table = capacity_table(many)
    page = table._repr_html_()
    assert page.count("<tr>") == 501
    assert all(o.name in page for o in many.outlooks)
    limits = [o.limit for o in many.outlooks if o.limit is not None]
    assert f'data-value="{limits[0]:g}"' in page
    assert type(table.head()).__name__ == "DataFrame"


def test_hostile_text_in_a_table_is_escaped(result):
    many = replace(result, outlooks=(replace(result.outlooks[0], name=HOSTILE, owner=HOSTILE),))
    page = capacity_table(many)._repr_html_()
    assert "</script>" not in page
    assert "\x00" not in page
    assert "&lt;b&gt;" in page

"""The capacity analysis on resources whose truth is known."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from capacity_simulation import DAY_MS, HOUR_MS, START_MS

from workbench.capacity import Resource, Verdict, analyse, discover, load_resources
from workbench.errors import InputError
from workbench.findings import Severity
from workbench.frame import Frame

DAYS = 60
DISK = Resource(
    name="disk {instance} {mount}",
    usage="used_bytes",
    limit="size_bytes",
    by=("instance", "mount"),
    unit="bytes",
    owner="platform",
    metrics=("used_bytes", "size_bytes"),
)
NOW = START_MS + DAYS * DAY_MS


def _frame(rows, labels=None, present=None):
    values = np.atleast_2d(np.asarray(rows, dtype=float))
    times = START_MS + np.arange(1, values.shape[1] + 1) * HOUR_MS
    labels = labels or [{"instance": f"db-{i}", "mount": "/"} for i in range(len(values))]
    known = ~np.isnan(values) if present is None else present
    return Frame("matrix", labels, times, values, known)


def _growing(slope=5.0, noise=2.0, days=DAYS, level=500.0, seed=1):
    rng = np.random.default_rng(seed)
    t = np.arange(24 * days) / 24
    return level + slope * t + 10 * np.sin(2 * np.pi * t) + rng.normal(0, noise, 24 * days)


def _analyse(usage, limit=None, resource=DISK, **options):
    steps = usage.values.shape[1]
    frames = {f"usage {resource.key}": usage}
    if limit is not None:
        limit = (
            limit if isinstance(limit, Frame) else _frame(np.full((1, steps), float(limit)), [{}])
        )
        frames[f"limit {resource.key}"] = limit
    now = int(usage.times_ms[-1])
    return analyse([resource], frames, now_ms=now, **options)


def _codes(result):
    return {f.code for f in result.findings}


def test_a_steady_line_is_dated_where_it_crosses_the_limit():
    """500 + 5 a day reaches 1000 (with its daily swing of 10) 38 days after day 60."""
    result = _analyse(_frame(_growing()), 1000)
    (outlook,) = result.outlooks
    found = outlook.saturation
    assert outlook.verdict is Verdict.DATED
    assert abs(found.days - 38) <= 2
    assert found.interval_95[0] <= found.interval_80[0] <= found.days <= found.interval_80[1]
    assert outlook.growth.low <= 150 <= outlook.growth.high
    (finding,) = [f for f in result.findings if f.code == "CAP-SATURATION"]
    assert finding.severity is Severity.WARNING
    assert "platform: add" in finding.next_step
    assert finding.about == "disk db-0 /"


def test_an_early_date_is_an_error():
    result = _analyse(_frame(_growing()), 900)
    (finding,) = [f for f in result.findings if f.code == "CAP-SATURATION"]
    assert finding.severity is Severity.ERROR


def test_what_is_to_be_added_lasts():
    """With the named amount added, the chance within the horizon is one in ten."""
    first = _analyse(_frame(_growing(noise=8)), 1000).outlooks[0].saturation
    again = _analyse(_frame(_growing(noise=8)), 1000 + first.add).outlooks[0].saturation
    assert again.chances[90] == pytest.approx(0.1, abs=0.02)


def test_no_growth_gets_no_date_but_a_chance():
    result = _analyse(_frame(_growing(slope=0)), 900)
    assert result.outlooks[0].verdict is Verdict.UNLIKELY
    assert result.outlooks[0].saturation.chances[90] < 0.05
    assert _codes(result) == set()


def test_usage_above_the_limit_is_full_and_not_forecast():
    result = _analyse(_frame(_growing()), 600)
    assert result.outlooks[0].verdict is Verdict.FULL
    assert result.outlooks[0].saturation is None
    assert _codes(result) == {"CAP-FULL"}


def test_touching_the_limit_this_week_is_full():
    usage = _growing(slope=0)
    usage[-60] = 1000
    assert "on 1 of the last 7 days" in _analyse(_frame(usage), 1000).outlooks[0].reason
    usage[-60] = 500
    usage[200] = 1000
    outlook = _analyse(_frame(usage), 1000).outlooks[0]
    assert outlook.verdict is not Verdict.FULL
    assert outlook.notes[0] == "The limit was reached on 1 earlier day."


def test_little_headroom_is_said():
    result = _analyse(_frame(_growing(slope=0)), 540)
    assert "CAP-HEADROOM" in _codes(result)
    quiet = DISK.model_copy(update={"headroom": 1.0})
    assert "CAP-HEADROOM" not in _codes(_analyse(_frame(_growing(slope=0)), 540, quiet))


@pytest.mark.parametrize("days", [1, 5, 13])
def test_less_than_a_fortnight_is_too_little(days):
    result = _analyse(_frame(_growing(days=days)), 10_000)
    assert _codes(result) == {"CAP-TOO-LITTLE-DATA"}
    assert result.outlooks[0].verdict is Verdict.UNKNOWN
    assert result.outlooks[0].current is not None


def test_a_fortnight_is_enough():
    assert _analyse(_frame(_growing(days=14)), 10_000).outlooks[0].saturation is not None


def test_all_gaps_and_all_nan_are_too_little():
    for rows in (np.full(24 * 30, np.nan), np.full(24 * 30, np.inf)):
        result = _analyse(_frame(rows), 100)
        assert "CAP-TOO-LITTLE-DATA" in _codes(result)
        assert result.outlooks[0].current is None


def test_data_that_stopped_is_not_forecast():
    usage = _growing()
    usage[-24 * 9 :] = np.nan
    result = _analyse(_frame(usage), 2000)
    assert "of the last 9 days" in result.outlooks[0].reason


def test_a_constant_is_not_forecast_and_no_finding():
    result = _analyse(_frame(np.full(24 * 30, 7.0)), 100)
    assert result.outlooks[0].verdict is Verdict.UNKNOWN
    assert "not moved" in result.outlooks[0].reason
    assert result.findings == ()


def test_counters_given_as_gauges_are_noticed():
    counter = np.concatenate([np.arange(700.0), np.arange(740.0)])
    assert _codes(_analyse(_frame(counter), 10_000)) == {"CAP-NOT-A-GAUGE"}
    trusted = DISK.model_copy(update={"gauge": True})
    assert "CAP-NOT-A-GAUGE" not in _codes(_analyse(_frame(counter), 10_000, trusted))
    bare = DISK.model_copy(update={"usage": "requests_total"})
    assert _codes(_analyse(_frame(np.arange(1440.0) ** 2), 1e9, bare)) == {"CAP-NOT-A-GAUGE"}


@pytest.mark.parametrize("limit", [0.0, -5.0, np.nan, np.inf, None])
def test_no_usable_limit_leaves_growth(limit):
    result = _analyse(_frame(_growing()), limit)
    outlook = result.outlooks[0]
    assert outlook.verdict is Verdict.NO_LIMIT
    assert outlook.growth.middle == pytest.approx(150, abs=10)
    assert (outlook.limit, outlook.saturation, outlook.headroom) == (None, None, None)
    assert _codes(result) == {"CAP-NO-LIMIT"}


def test_a_raised_limit_is_the_one_that_counts():
    limit = np.full(24 * DAYS, 700.0)
    limit[24 * 40 :] = 2000.0
    outlook = _analyse(_frame(_growing(slope=1)), _frame(limit, [{}])).outlooks[0]
    assert outlook.limit == 2000
    assert any("changed once" in note for note in outlook.notes)
    assert (outlook.limits[:40] == 700).all()
    assert (outlook.limits[41:] == 2000).all()


def test_a_limit_that_follows_usage_is_forecast_as_a_share():
    """An autoscaled limit 25 % above usage: the amount grows, the share does not."""
    usage = _growing(slope=20)
    limit = np.repeat(usage.reshape(-1, 24).max(axis=1), 24) * 1.25
    outlook = _analyse(_frame(usage), _frame(limit, [{}])).outlooks[0]
    assert any("the share in use is forecast" in note for note in outlook.notes)
    assert outlook.saturation.chances[90] < 0.05


def test_gaps_are_counted_and_said():
    usage = _growing()
    for day in (5, 9, 10, 11, 20, 30, 31, 44):
        usage[24 * day : 24 * day + 20] = np.nan
    result = _analyse(_frame(usage), 5000)
    assert "CAP-GAPS" in _codes(result)
    assert "8 of 60 days (longest gap 3 d)" in result.outlooks[0].notes[0]


def test_limits_join_on_the_same_labels():
    usage = _frame([_growing(), _growing(level=100, slope=1, seed=2)])
    limit = _frame(
        np.full((2, 24 * DAYS), [[9000.0], [4000.0]]),
        [{"instance": "db-1", "mount": "/"}, {"instance": "db-0", "mount": "/"}],
    )
    by_name = {o.name: o.limit for o in _analyse(usage, limit).outlooks}
    assert by_name == {"disk db-0 /": 4000, "disk db-1 /": 9000}


def test_series_of_one_instance_are_added_up():
    labels = [{"instance": "db-0", "mount": "/", "shard": str(i)} for i in range(3)]
    usage = _frame([_growing(seed=i) for i in range(3)], labels)
    (outlook,) = _analyse(usage, 50_000).outlooks
    assert outlook.current == pytest.approx(sum(_growing(seed=i)[-1] for i in range(3)))


def test_equal_names_are_told_apart_and_hostile_values_stay_data():
    nasty = 'a"}\n</script>\x00\ud800'
    resource = DISK.model_copy(update={"name": "disk {instance}"})
    labels = [{"instance": "x", "mount": "/"}, {"instance": "x", "mount": nasty}]
    result = _analyse(_frame([_growing(), _growing(seed=3)], labels), 9000, resource)
    names = [o.name for o in result.outlooks]
    assert len(set(names)) == 2
    assert any("</script>" in name for name in names)


def test_instances_without_a_limit_may_be_left_out():
    resource = DISK.model_copy(update={"needs_limit": True})
    labels = [{"instance": "db-1", "mount": "/"}]
    limit = _frame(np.full((1, 24 * DAYS), 9000.0), labels)
    result = _analyse(_frame([_growing(), _growing(seed=2)]), limit, resource)
    assert [o.name for o in result.outlooks] == ["disk db-1 /"]


def test_missing_metrics_and_empty_answers_are_findings():
    found = discover(["used_bytes"], [DISK])
    assert found.usable == ()
    assert found.unusable[0].missing == ("size_bytes",)
    result = analyse([], {}, now_ms=NOW, missing=found.unusable)
    assert [(f.code, f.severity) for f in result.findings] == [
        ("CAP-METRICS-MISSING", Severity.INFO)
    ]
    result = analyse([DISK], {}, now_ms=NOW)
    assert [(f.code, f.severity) for f in result.findings] == [
        ("CAP-METRICS-MISSING", Severity.WARNING)
    ]


def test_findings_about_missing_data_never_show_a_name_with_places():
    """``disk {instance}`` is how a file names what it will find; a reader wants words."""
    watched = [
        Resource(name="disk {instance} {mountpoint}", usage="a", metrics=("gone",)),
        Resource(name="disk {instance}", usage="b", metrics=("gone",)),
        Resource(name="{a}", usage="c", metrics=("gone",)),
        Resource(name="pool", usage="d", metrics=("gone",)),
    ]
    missing = discover([], watched).unusable
    empty = {r.key: Frame.empty("matrix", np.array([0])) for r in watched}
    lacking = analyse([], {}, now_ms=DAY_MS, missing=missing).findings
    without_series = analyse(watched, empty, now_ms=DAY_MS).findings
    for findings in (lacking, without_series):
        assert [f.about for f in findings] == [
            "disk (each instance and mountpoint)",
            "disk (each instance)",
            "each a",
            "pool",
        ]
        for each in findings:
            assert "{" not in each.what + each.about + each.next_step
        assert len({f.fingerprint for f in findings}) == 4


def test_figures_do_not_depend_on_the_order_or_on_the_run():
    one, two = _growing(noise=9), _growing(noise=9, seed=5)
    labels = [{"instance": "a", "mount": "/"}, {"instance": "b", "mount": "/"}]
    straight = _analyse(_frame([one, two], labels), 1500)
    turned = _analyse(_frame([two, one], labels[::-1]), 1500)
    assert straight.to_dict() == turned.to_dict()


def test_the_most_urgent_stand_first():
    rows = [_growing(slope=0), _growing(slope=9), _growing(slope=5), _growing(level=1300)]
    limits = _frame(
        np.full((4, 24 * DAYS), 1200.0), [{"instance": f"db-{i}", "mount": "/"} for i in range(4)]
    )
    names = [o.name[5:9] for o in _analyse(_frame(rows), limits).outlooks]
    assert names == ["db-3", "db-1", "db-2", "db-0"]


def test_json_and_table_hold_the_same_figures():
    result = _analyse(_frame([_growing(), np.full(24 * DAYS, np.nan)]), 1000)
    data = json.loads(json.dumps(result.to_dict(series=True), allow_nan=False))
    table = result.to_table()
    assert [r["name"] for r in data["resources"]] == table["resource"].tolist()
    first = data["resources"][0]
    assert pd.Timestamp(first["saturation"]["date"]) == table["full"][0]
    assert table["full"].isna().tolist() == [False, True]
    assert first["saturation"]["chance"]["within_90d"] == pytest.approx(table["chance_90d"][0])
    assert len(first["series"]["forecast"]["times"]) == 90
    assert len(first["series"]["history"]["peaks"]) == DAYS
    assert "series" not in result.to_dict()["resources"][0]


def test_the_window_may_have_other_steps_for_the_limit():
    usage = _frame(_growing())
    coarse = replace(
        _frame(np.full((1, DAYS), 1000.0), [{}]), times_ms=START_MS + np.arange(DAYS) * DAY_MS
    )
    assert _analyse(usage, coarse).outlooks[0].limit == 1000


@pytest.mark.parametrize("horizon", [0, -1, 731])
def test_an_absurd_horizon_is_refused(horizon):
    with pytest.raises(InputError, match="horizon"):
        analyse([], {}, now_ms=0, horizon_days=horizon)


@pytest.mark.parametrize("horizon", [1, 10, 200])
def test_any_sane_horizon_works(horizon):
    outlook = _analyse(_frame(_growing()), 1000, horizon_days=horizon).outlooks[0]
    assert horizon in outlook.saturation.chances
    assert outlook.fan.values.shape == (7, horizon)


def test_what_a_set_lacks_in_part_is_one_finding_also_with_an_owner_of_the_file(tmp_path):
    """Fifteen findings of absent metrics would bury the one disk that fills."""
    path = tmp_path / "resources.toml"
    path.write_text('use = ["node"]\nowner = "platform"\n', encoding="utf-8")
    has = ["node_filesystem_size_bytes", "node_filesystem_avail_bytes", "node_cpu_seconds_total"]
    missing = discover(has, load_resources(path)).unusable
    assert len(missing) > 3
    (found,) = analyse([], {}, now_ms=NOW, missing=missing).findings
    assert found.what.startswith(f"{len(missing)} of the 8 resources of the set node cannot be")
    assert "(inodes, memory, " in found.what

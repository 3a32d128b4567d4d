"""The estate as series: how many, what they are called, the same each time, sound counters."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np
import pytest

from workbench.demo import TRUTH, metadata
from workbench.demo.cache import SERIES
from workbench.demo.estate import PARTS, simulate_part
from workbench.samples import MetricType, format_labels, is_stale

MINUTES = 35 * 24 * 60 + 1


def digest(series):
    found = hashlib.sha256()
    for labels, times, values in series:
        found.update(format_labels(labels).encode())
        found.update(np.ascontiguousarray(times).tobytes())
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def test_parts_are_the_same_whatever_was_simulated_before_them(estate):
    """Simulated backwards and alone, each part has the bytes it has within the whole estate."""
    alone = {}
    for name in reversed(PARTS):
        part = simulate_part(name)
        alone[name] = len(part), digest(part)
    begin = 0
    for name in PARTS:
        count, bytes_alone = alone[name]
        assert digest(estate.series[begin : begin + count]) == bytes_alone, name
        begin += count


def test_the_estate_is_as_large_as_is_said_and_within_the_cap(estate):
    """The count that progress reports promise is true, and a store stays small."""
    assert len(estate.series) == SERIES <= 820


def test_no_label_set_stands_twice(estate):
    """Series are told apart by their labels."""
    assert len({format_labels(labels) for labels, _, _ in estate.series}) == SERIES


def test_times_are_whole_minutes_ascending_within_the_five_weeks(estate):
    """No sample stands outside the window or off the minute."""
    for _, times, values in estate.series:
        assert times.dtype == np.int64
        assert values.dtype == np.float64
        assert len(times) == len(values) > 0
        assert (times % 60_000 == 0).all()
        assert (np.diff(times) > 0).all()
        assert times[0] >= TRUTH.start_ms
        assert times[-1] <= TRUTH.end_ms


def test_most_series_have_every_minute(estate):
    """50,400 steps and the first sample, but where something begins, ends or is lost."""
    short = {x[0]["__name__"] for x in estate.series if len(x[1]) != MINUTES}
    whole = {x[0]["__name__"] for x in estate.series if len(x[1]) == MINUTES}
    assert TRUTH.explosion.metric in short - whole
    assert "my_app_build_info" in short - whole
    begun = ("my_app_c", "my_app_b", "kube_pod_container_status_last")
    assert {n for n in short - whole if not n.startswith(begun)} == set()


FAMILIES = {family.name: family for family in metadata()}


def family_of(name):
    if name in FAMILIES:
        return FAMILIES[name]
    stem = name.rsplit("_", 1)[0]
    return FAMILIES[stem]


def test_every_series_has_metadata_and_every_family_has_series(estate):
    """Type and help are known of all that can be queried, and of nothing else."""
    seen = {family_of(labels["__name__"]).name for labels, _, _ in estate.series}
    assert seen == set(FAMILIES)
    assert all(family.help and family.type != MetricType.UNKNOWN for family in FAMILIES.values())
    assert len(FAMILIES) == len(metadata())


def test_counters_end_in_total_and_only_they(estate):
    """The naming rule by which helpers guess a type agrees with the declared one."""
    for name, family in FAMILIES.items():
        assert name.endswith("_total") == (family.type == MetricType.COUNTER), name


def counters(estate):
    for labels, times, values in estate.series:
        name = labels["__name__"]
        family = family_of(name)
        distribution = family.type in {MetricType.HISTOGRAM, MetricType.SUMMARY}
        if family.type == MetricType.COUNTER or (distribution and name != family.name):
            kept = ~is_stale(values)
            yield labels, times[kept], values[kept]


def test_counters_are_never_negative_and_fall_only_to_zero_at_known_restarts(estate):
    """Each fall is a restart that the truth tells of, and the counter is 0 there."""
    fell = {}
    for labels, times, values in counters(estate):
        assert (values >= 0).all(), labels
        down = np.flatnonzero(np.diff(values) < 0) + 1
        assert (values[down] == 0).all(), labels
        target = (labels["job"], labels["instance"])
        fell.setdefault(target, set()).update(times[down].tolist())
    for target, moments in fell.items():
        assert sorted(moments) == TRUTH.resets(*target), target


def test_counters_of_events_are_whole_numbers(estate):
    """Nothing is counted by halves; only seconds and dollars have fractions."""
    for labels, _, values in counters(estate):
        name = labels["__name__"]
        if "_usd_" not in name and ("seconds" not in name or name.endswith(("_bucket", "_count"))):
            assert (values == np.rint(values)).all(), labels


def test_gauges_are_rounded(estate):
    """Noise of a full mantissa would cost seven bytes a sample."""
    for labels, _, values in estate.series:
        if family_of(labels["__name__"]).type == MetricType.GAUGE:
            kept = values[~is_stale(values)]
            assert np.isfinite(kept).all()
            assert np.allclose(kept * 1000, np.rint(kept * 1000), rtol=0, atol=1e-6), labels


def test_the_scrape_gap_has_no_samples_and_up_says_so(estate):
    """During the gap the target has `up` 0 and nothing else; no other target is touched."""
    gap = TRUTH.gap
    for labels, times, values in estate.series:
        inside = (times >= gap.start_ms) & (times < gap.end_ms)
        lost = (labels["job"], labels["instance"]) == (gap.job, gap.instance)
        if labels["__name__"] == "up":
            assert (values[inside] == (0 if lost else 1)).all()
            assert (values[~inside] == 1).all()
        elif lost and not labels["__name__"].startswith("scrape_"):
            assert not inside.any(), labels
            assert len(times) == MINUTES - 25


@pytest.mark.parametrize("minute", [0, 23_224, 34_000, 45_100, 45_600, MINUTES - 1])
def test_scrape_samples_scraped_counts_what_is_there(estate, minute):
    """Prometheus' own count of a scrape is the number of series with a sample at that minute."""
    at = TRUTH.start_ms + minute * 60_000
    found = {}
    for labels, times, values in estate.series:
        if labels["__name__"] == "up" or labels["__name__"].startswith("scrape_"):
            continue
        row = np.searchsorted(times, at)
        alive = row < len(times) and times[row] == at and not is_stale(values[row : row + 1])[0]
        target = (labels["job"], labels["instance"])
        found[target] = found.get(target, 0) + int(alive)
    said = {
        (labels["job"], labels["instance"]): values[minute]
        for labels, _, values in estate.find("scrape_samples_scraped")
    }
    assert said == found


def test_one_series_more_at_every_full_hour(estate):
    """The exploding label: absent before its day, then as many values as hours have begun."""
    explosion = TRUTH.explosion
    users = [x for x in estate.find(explosion.metric) if explosion.label in x[0]]
    others = [x for x in estate.find(explosion.metric) if explosion.label not in x[0]]
    hours = (TRUTH.end_ms - explosion.start_ms) // 3_600_000
    first = sorted(int(times[0]) for _, times, _ in users)
    assert first == [explosion.start_ms + n * 3_600_000 for n in range(hours)]
    assert {str(uuid.UUID(x[0][explosion.label])) for x in users} == {
        x[0][explosion.label] for x in users
    }
    assert len(others) == 2
    for _, times, values in others:
        assert times[-1] == explosion.start_ms
        assert is_stale(values[-1:])[0]
        assert not is_stale(values[:-1]).any()


def test_exactly_one_release_runs_at_any_minute(estate):
    """The versions of an instance follow one another without overlap or hole."""
    for instance in TRUTH.checkout_instances:
        alive = np.zeros(MINUTES)
        for _, times, values in estate.find("my_app_build_info", instance=instance):
            kept = times[~is_stale(values)]
            alive[(kept - TRUTH.start_ms) // 60_000] += 1
        assert (alive == 1).all()

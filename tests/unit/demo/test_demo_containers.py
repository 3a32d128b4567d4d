"""The namespace of containers: what was planted is in the samples, and right-sizing finds it."""

from __future__ import annotations

import numpy as np
import pytest

import workbench
from workbench.demo import TRUTH
from workbench.demo.grid import activity
from workbench.demo.kubernetes import cores_needed

MINUTE = 60_000
WEEK = 7 * 86_400_000
MIB = 1024.0**2
CLUSTER = TRUTH.cluster
BY_NAME = {workload.name: workload for workload in CLUSTER.workloads}


def spent(series):
    """Cores of each minute of a counter, and when."""
    _, times, values = series
    kept = ~np.isnan(values)
    return times[kept][1:], np.diff(values[kept]) / 60


def of(estate, name, workload, **labels):
    """A metric's series of a workload's pods."""
    wanted = {"namespace": CLUSTER.namespace, "container": BY_NAME[workload].container, **labels}
    found = estate.find(name, **wanted)
    return [one for one in found if one[0]["pod"].startswith(f"{workload}-")]


@pytest.mark.parametrize("name", BY_NAME)
def test_five_minute_means_of_the_last_week_tell_what_the_next_needs(estate, name):
    """The stated level is the law's: last week's own quantile, grown by a week, is near it."""
    workload = BY_NAME[name]
    series = of(estate, "container_cpu_usage_seconds_total", name)[-1]
    times, cores = spent(series)
    cores = cores[times > TRUTH.end_ms - WEEK]
    means = cores.reshape(-1, 5).mean(axis=1)
    grown = np.quantile(means, 0.95) * (1 + workload.growth_per_week)
    assert cores_needed(workload, 0.05) == pytest.approx(grown, rel=0.06)


def test_cpu_follows_demand_and_memory_grows_as_stated(estate):
    """Least squares on the season and on the days give the planted terms."""
    times, cores = spent(of(estate, "container_cpu_usage_seconds_total", "search")[0])
    design = np.column_stack([np.ones(len(times)), activity(times)])
    base, peak = np.linalg.lstsq(design, cores, rcond=None)[0]
    assert base == pytest.approx(BY_NAME["search"].base_cores, abs=0.01)
    assert peak == pytest.approx(BY_NAME["search"].peak_cores, rel=0.03)
    ((_, times, used),) = of(estate, "container_memory_working_set_bytes", "search")
    slope = np.polyfit((times - TRUTH.start_ms) / 86_400_000, used / MIB, 1)[0]
    assert slope == pytest.approx(BY_NAME["search"].memory_mib_per_day, rel=0.03)


def test_the_rollout_replaces_both_pods_in_one_minute(estate):
    series = of(estate, "container_cpu_usage_seconds_total", "web")
    lives = sorted((int(t[0]), int(t[-1])) for _, t, _ in series)
    before = (TRUTH.start_ms, CLUSTER.rollout_ms)
    after = (CLUSTER.rollout_ms, TRUTH.end_ms)
    assert lives == [before, before, after, after]
    owners = {labels["owner_name"] for labels, *_ in estate.find("kube_pod_owner")}
    assert {f"web-{digest}" for digest in CLUSTER.replica_sets} <= owners


def test_the_kill_comes_at_the_limit_and_makes_another_container(estate):
    first, second = of(estate, "container_memory_working_set_bytes", "worker")
    assert first[2][~np.isnan(first[2])][-1] == BY_NAME["worker"].memory_limit_mib * MIB
    assert int(second[1][0]) == CLUSTER.killed_ms
    assert first[0]["pod"] == second[0]["pod"]
    assert first[0]["id"] != second[0]["id"]
    ((_, times, restarts),) = of(estate, "kube_pod_container_status_restarts_total", "worker")
    assert int(times[np.argmax(restarts)]) == CLUSTER.killed_ms
    assert restarts[-1] == 1


def test_rightsizing_finds_what_was_planted(estate):
    """Through the shipped queries: the request that the law asks for, and the verdicts."""
    wanted = {
        "container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
    }  # fmt: skip
    kept = [
        s for s in estate.series if s[0]["__name__"] in wanted or s[0]["__name__"][:5] == "kube_"
    ]
    study = workbench.connect(workbench.snapshot(kept)).rightsizing()
    found = {s.key.workload: s for s in study.result.sizings}
    assert set(found) == set(BY_NAME)
    for name, workload in BY_NAME.items():
        request = found[name].cpu.ours.request
        assert request == pytest.approx(cores_needed(workload, 0.05), rel=0.10), name
        assert found[name].pods == workload.pods
    said = {(f.about, f.code) for f in study.findings}
    assert said == {
        ("storefront/web/web CPU", "CAP-OVERSIZED"),
        ("storefront/web/web memory", "CAP-OVERSIZED"),
        ("storefront/search/engine CPU", "CAP-UNDERSIZED"),
        ("storefront/search/engine memory", "CAP-UNDERSIZED"),
        ("storefront/worker/worker memory", "CAP-UNDERSIZED"),
        ("storefront/worker/worker", "CAP-NO-REQUEST"),
    }
    grown = BY_NAME["search"].memory_mib + BY_NAME["search"].memory_mib_per_day * (35 + 30)
    assert found["search"].memory.ours.request / MIB == pytest.approx(grown, rel=0.05)

"""What is said of ready-made sets that fit, fit in part, or do not fit."""

import pytest

import workbench
from workbench.capacity import (
    Resource,
    analyse,
    coverage_finding,
    discover,
    fit_sets,
    load_resources,
    set_names,
    shipped_resources,
    shipped_sets,
)
from workbench.session.diagnosis import diagnose

REDIS = ["redis_memory_used_bytes", "redis_memory_max_bytes"]
PROCESS = ["process_open_fds", "process_max_fds"]


def _fits(metrics, *sets):
    return {f.name: f for f in fit_sets(discover(metrics, shipped_resources(*sets)))}


def test_one_of_several_names_is_enough():
    either = Resource(name="r", usage="a or b", metrics=("a | b", "c"))
    assert discover(["b", "c"], [either]).usable == (either,)
    assert discover(["c"], [either]).unusable[0].missing == ("a or b",)


def test_a_resource_that_needs_a_limit_awaits_one():
    waiting = Resource(name="r", usage="a", metrics=("a",), needs_limit=True)
    (found,) = discover(["a"], [waiting]).unusable
    assert found.awaits_limit
    assert not discover([], [waiting]).unusable[0].awaits_limit
    assert discover(["a"], [waiting.model_copy(update={"limit": 3.0})]).usable


def test_a_set_says_what_it_watches_and_what_it_lacks():
    fit = _fits(REDIS, "redis")["redis"]
    assert fit.describe() == (
        "watches Redis memory; not Redis clients (no redis_config_maxclients, redis_connected_clients)"
    )
    assert _fits(["kafka_consumergroup_lag"])["kafka"].describe() == (
        "Kafka lag: give `limit` in a resources.toml"
    )


@pytest.mark.parametrize("name", set_names())
def test_a_set_fits_where_all_its_metrics_are(name):
    names = [
        n for r in shipped_sets(name)[name].resource for m in r.metrics for n in m.split(" | ")
    ]
    fit = _fits(names, name)[name]
    assert fit.present
    assert not fit.lacking
    assert len(fit.usable) + len(fit.awaiting) == len(shipped_sets(name)[name].resource)


def test_nothing_is_said_of_what_is_not_there():
    assert coverage_finding(fit_sets(discover(["up"], shipped_resources()))) is None
    assert (
        coverage_finding(fit_sets(discover(["vllm:kv_cache_usage_perc"], shipped_resources())))
        is None
    )


def test_one_finding_says_what_is_lacking_where_a_part_is_there():
    fits = fit_sets(discover([*REDIS, *PROCESS], shipped_resources()))
    found = coverage_finding(fits)
    assert set(found.evidence) == {"go", "redis"}
    assert found.evidence["redis"].startswith("not Redis clients (no redis_config_maxclients")
    assert found.what.startswith("3 resources of the resource sets go and redis are not watched")
    assert "kube" not in found.what
    empty = coverage_finding(fits, ["Redis memory {job} {instance}"])
    assert "Redis memory: the query gives no series" in empty.evidence["redis"]


def test_a_named_set_that_does_not_fit_is_one_finding(tmp_path):
    """And not one for each of its dozen resources; a set that fits in part tells each."""
    path = tmp_path / "resources.toml"
    path.write_text('use = ["kubernetes", "redis", "kafka"]')
    found = discover([*REDIS, "kafka_consumergroup_lag"], load_resources(path))
    result = analyse([], {}, now_ms=0, missing=found.unusable)
    assert [(f.code, f.about) for f in result.findings] == [
        ("CAP-METRICS-MISSING", "Kafka lag (each job, consumergroup and topic)"),
        ("CAP-METRICS-MISSING", "Redis clients (each job and instance)"),
        ("CAP-METRICS-MISSING", "resource set kubernetes"),
    ]
    assert "no metric knows one" in result.findings[0].what


OTHER_REPORTS = ["rightsizing", "latency", "slo", "llm-spend", "cardinality"]


def _diagnosed(*names):
    series = [({"__name__": name}, [0, 60_000], [1.0, 1.0]) for name in names]
    with workbench.connect(workbench.snapshot(series)) as wb:
        return {c.name: c for c in diagnose(wb).reports}


def test_the_doctor_has_a_line_for_each_set_that_finds_something():
    lines = _diagnosed(*REDIS, "kube_pod_info", "kube_pod_status_phase", "kafka_consumergroup_lag")
    assert list(lines) == [
        "capacity",
        "resource set kafka",
        "resource set kubernetes",
        "resource set kubernetes_nodes",
        "resource set redis",
        "other resource sets",
        *OTHER_REPORTS,
    ]
    assert lines["capacity"].detail == "watches what the resource sets redis describe"
    assert not lines["resource set kubernetes"].good
    assert 'use = ["kubernetes_nodes"]' in lines["resource set kubernetes_nodes"].detail


def test_the_doctor_of_a_stranger_is_brief():
    lines = _diagnosed("up")
    assert list(lines) == ["capacity", "other resource sets", *OTHER_REPORTS]
    assert [lines[name].good for name in OTHER_REPORTS] == [False, False, False, False, True]
    assert not lines["capacity"].good
    assert "describe yours" in lines["capacity"].detail


def test_the_study_tells_what_is_missing_once():
    minutes = list(range(0, 7_200_001, 60_000))
    series = [({"__name__": name, "job": "r"}, minutes, [5.0] * len(minutes)) for name in REDIS]
    with workbench.connect(workbench.snapshot(series)) as wb:
        missing = [
            f for f in wb.capacity(last="2h", step="5m").findings if f.code == "CAP-METRICS-MISSING"
        ]
    assert [f.about for f in missing] == ["resource sets"]

"""`wb.rightsizing` from cAdvisor's and kube-state-metrics' series to patches, through the engine."""

import json

import numpy as np
import pytest
import yaml

import workbench
from workbench.errors import InputError
from workbench.reporting.catalogue import check_parameters, find_report
from workbench.reporting.plan import plan_report
from workbench.session.diagnosis import diagnose

START_MS = 1_767_571_200_000
EVERY_MS = 120_000
DAYS = 16
SETS = ("5d4f8c7b9", "7c9d8f6b4")
GIB = 1024.0**3


def _series(deployment, container, cores, *, owners=True, request=2.0):
    """Two pods of a Deployment that is rolled out anew after half of the time."""
    times = START_MS + np.arange(DAYS * 720, dtype=np.int64) * EVERY_MS
    half = len(times) // 2
    for number, name in enumerate(SETS):
        part = slice(half * number, half * (number + 1))
        for pod in range(2):
            labels = {
                "namespace": "shop", "pod": f"{deployment}-{name}-ab{pod}cd",
                "container": container,
            }  # fmt: skip
            used = np.cumsum(cores[part] * (1 - 0.5 * pod)) * EVERY_MS / 1000
            rows = {
                "container_cpu_usage_seconds_total": (labels, used),
                "container_memory_working_set_bytes": (labels, np.full(half, GIB / 2)),
                "kube_pod_container_resource_requests": (
                    {**labels, "resource": "cpu"}, np.full(half, request),
                ),
            }  # fmt: skip
            owner = {k: labels[k] for k in ("namespace", "pod")}
            owner |= {"owner_kind": "ReplicaSet", "owner_name": f"{deployment}-{name}"}
            if owners:
                rows["kube_pod_owner"] = ({**owner, "owner_is_controller": "true"}, np.ones(half))
            for metric, (tags, values) in rows.items():
                yield {"__name__": metric, **tags}, times[part], values


@pytest.fixture(scope="module")
def cores():
    return 0.4 + 0.05 * np.random.default_rng(0).random(DAYS * 720)


def _connect(*args, **more):
    return workbench.connect(workbench.snapshot(list(_series(*args, **more))))


def test_a_rollout_is_one_container_sized_by_its_busiest_pod(cores):
    study = _connect("cart", "web", cores).rightsizing(
        last=f"{DAYS}d", core_hour_price="0.03", currency="EUR"
    )
    (sizing,) = study.result.sizings
    assert (sizing.key.name, sizing.key.kind) == ("shop/cart/web", "Deployment")
    assert sizing.pods == pytest.approx(2.0)
    assert sizing.cpu.ours.request == pytest.approx(0.44, abs=0.02)
    assert sizing.memory.ours.request == GIB / 2
    saved = (2.0 - sizing.cpu.ours.request) * 2 * 730 * 0.03
    assert float(sizing.saved) == pytest.approx(saved)
    (patch,) = yaml.safe_load_all(study.patches)
    assert patch["metadata"] == {"name": "cart", "namespace": "shop"}
    assert {f.code for f in study.findings} == {"CAP-OVERSIZED", "CAP-NO-REQUEST"}
    assert study.table.loc[0, "CPU request"] == "2"
    assert study.rules["rule"].tolist() == ["ours", "KRR", "VPA"] * 2
    assert json.loads(json.dumps(study.to_dict()))["kind"] == "rightsizing"
    study.chart().to_dict()


def test_without_owners_the_workload_is_read_from_the_pods_and_nothing_is_patched(cores):
    study = _connect("cart", "web", cores, owners=False).rightsizing(last=f"{DAYS}d")
    (sizing,) = study.result.sizings
    assert (sizing.key.workload, sizing.key.kind) == ("cart", "")
    assert sizing.pods == pytest.approx(2.0)
    assert study.patches == ""


def test_own_queries_take_the_place_of_ours():
    minutes = np.arange(0, 14 * 1440, 5)
    labels = {"__name__": "vm_cores", "workload": "vm-1", "container": "guest"}
    source = workbench.snapshot([(labels, START_MS + minutes * 60_000, minutes * 0.0 + 1.5)])
    wb = workbench.connect(source)
    study = wb.rightsizing(queries={"cpu": "vm_cores", "memory": ""}, last="14d")
    (sizing,) = study.result.sizings
    assert (sizing.name, sizing.cpu.ours.request) == ("vm-1/guest", 1.5)
    assert [p.expression for p in study.provenance] == ["vm_cores"]


def test_a_source_without_containers_is_told_what_it_lacks():
    times = START_MS + np.arange(1440) * 60_000
    wb = workbench.connect(workbench.snapshot([({"__name__": "up"}, times, np.ones(1440))]))
    study = wb.rightsizing(last="1d")
    assert {f.code for f in study.findings} == {"CAP-METRICS-MISSING"}
    assert len(study.table) == 0
    study.chart().to_dict()


def test_wrong_wishes_are_refused_before_anything_is_asked():
    wb = workbench.connect("demo:")
    for wish in (
        {"risk": 2},
        {"hours": "always"},
        {"core_hour_price": 0.1},
        {"queries": {"c": ""}},
    ):
        with pytest.raises(InputError):
            wb.rightsizing(last="1d", **wish)


def test_only_what_meets_the_conditions_is_sized(cores):
    series = [*_series("cart", "web", cores), *_series("pay", "app", cores)]
    wb = workbench.connect(workbench.snapshot(series))
    for match, names in (
        ('{container="app"}', ["shop/pay/app"]),
        ('{pod=~"cart-.*", namespace="shop"}', ["shop/cart/web"]),
        ('{namespace="none"}', []),
    ):
        result = wb.rightsizing(last=f"{DAYS}d", match=match).result
        assert [s.name for s in result.sizings] == names


def test_the_reports_plan_shows_the_questions_of_the_study(tmp_path):
    (tmp_path / "q.toml").write_text("cpu = 'sum by (job) (up)'\nmemory = ''\n")
    given = {"last": "1d", "queries": str(tmp_path / "q.toml")}
    rows = plan_report("rightsizing", given, source="demo:")
    asked = {e.question.key: e.question.expression for e in rows}
    assert asked["cpu"] == "sum by (job) (up)"
    assert "memory" not in asked
    assert asked["cpu_limit"].count("kube_pod_container_resource_limits") == 1


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"risk": "0.9"}, "risk is '0.9'"),
        ({"cpu_limit": "some"}, "cpu_limit is 'some'"),
        ({"hours": "always"}, "are no hours of a week"),
        ({"match": "shop"}, "match is 'shop'"),
        ({"queries": "nowhere.toml"}, "nowhere.toml cannot be read"),
        ({"gib_hour_price": "much"}, "no amount of money"),
    ],
)
def test_a_reports_wrong_wishes_are_refused_before_a_kernel_starts(wish, said):
    with pytest.raises(workbench.WorkbenchError, match=said):
        check_parameters(find_report("rightsizing"), wish)


@pytest.mark.parametrize(
    ("names", "good", "said"),
    [
        (["up"], False, "no usage of containers is here (container_cpu_usage_seconds_total"),
        (["container_cpu_usage_seconds_total"], True, "without container_memory_working_set_bytes"),
    ],
)
def test_the_doctor_says_whether_containers_can_be_sized(names, good, said):
    series = [({"__name__": n}, np.array([START_MS]), np.ones(1)) for n in names]
    found = diagnose(workbench.connect(workbench.snapshot(series)))
    (check,) = [c for c in found.reports if c.name == "rightsizing"]
    assert check.good is good
    assert said in check.detail


def test_the_doctor_finds_all_that_the_embedded_estate_has():
    (check,) = [c for c in diagnose(workbench.connect("demo:")).reports if c.name == "rightsizing"]
    assert check.good
    assert check.detail == "sizes containers by 7 metrics of cAdvisor and kube-state-metrics"

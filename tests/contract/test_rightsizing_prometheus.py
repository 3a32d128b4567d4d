"""`wb.rightsizing` with its shipped queries, asked of real servers that hold a small cluster.

The truth is computed here from the raw samples: which pods are one container, the rate of each
counter as Prometheus documents it, the busiest pod, the highest memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jsonschema
import numpy as np
import pytest
import yaml
from servers import blocks_from, exposition, import_into, needs, prometheus, victoriametrics

import workbench
from workbench.capacity.sizing.containers import ContainerKey
from workbench.capacity.sizing.cpu import fit_cpu
from workbench.capacity.sizing.quantiles import Usage
from workbench.capacity.sizing.working_hours import hours_of_week

pytestmark = pytest.mark.servers

START_MS = 1_767_571_200_000
"""2026-01-05T00:00:00Z, a Monday."""
OFFSET_MS = 7_000
"""Scrapes lie off the grid, so that open and closed windows hold the same samples."""
EVERY_MS = 120_000
DAY_MS = 86_400_000
DAYS = 15
END_MS = START_MS + DAYS * DAY_MS
STEP_MS = 300_000
HOUR_MS = 3_600_000
MIB = 1024.0**2
TIMES = START_MS + OFFSET_MS + np.arange(DAYS * DAY_MS // EVERY_MS, dtype=np.int64) * EVERY_MS
GRID = np.arange(START_MS, END_MS + 1, STEP_MS)


@dataclass
class Pod:
    """One container of one pod: its life, its CPU by container id, its memory."""

    key: ContainerKey
    name: str
    owner: tuple[str, str]
    start_ms: int
    end_ms: int
    counters: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    memory: np.ndarray = field(default_factory=lambda: np.empty(0))
    cpu_request: float = 0.0
    memory_limit: float = 0.0
    restarted_ms: int = 0
    killed: bool = False

    @property
    def times(self) -> np.ndarray:
        """When it is scraped."""
        return TIMES[(self.start_ms <= TIMES) & (self.end_ms > TIMES)]


def _used(rng, pod, cores, memory):
    """Let CPU follow the day; after `restarted_ms` the container has another id."""
    times = pod.times
    wave = 1 + 0.6 * np.sin(2 * np.pi * (times % DAY_MS) / DAY_MS)
    used = cores * wave * np.exp(0.1 * rng.standard_normal(len(times)))
    cut = pod.restarted_ms or pod.end_ms
    for part in (times < cut, times >= cut):
        if part.any():
            spent = np.round(np.cumsum(used[part]) * EVERY_MS / 1000, 3)
            pod.counters.append((times[part], spent))
    grown = memory * (1 + 0.01 * (times - START_MS) / DAY_MS)
    pod.memory = np.round(grown * (1 + 0.05 * rng.random(len(times)))) * MIB
    return pod


def cluster():
    """A Deployment that is rolled out, a StatefulSet that is killed, a sidecar, a CronJob."""
    rng = np.random.default_rng(5)
    half = START_MS + 9 * DAY_MS + 5 * HOUR_MS
    pods = []
    for digest, start, end in (("5d4f8c7b9", START_MS, half), ("7c9d8f6b4c", half, END_MS)):
        owner = ("ReplicaSet", f"cart-{digest}")
        for number, suffix in enumerate(("x2x4z", "q9k2m")):
            for container, cores, memory in (("web", 0.4 - 0.1 * number, 300), ("proxy", 0.05, 60)):
                pod = Pod(ContainerKey("shop", "cart", container, "Deployment"),
                          f"cart-{digest}-{suffix}", owner, start, end)  # fmt: skip
                pod.cpu_request = float(digest == "7c9d8f6b4c" and container == "web")
                pod.memory_limit = 512 * MIB
                pods.append(_used(rng, pod, cores, memory))
    key = ContainerKey("shop", "db", "postgres", "StatefulSet")
    database = Pod(key, "db-0", ("StatefulSet", "db"), START_MS, END_MS)
    database.cpu_request, database.memory_limit = 0.25, 1_024 * MIB
    database.restarted_ms, database.killed = START_MS + 12 * DAY_MS + 1_234_000, True
    pods.append(_used(rng, database, 0.8, 900))
    for night in range(DAYS):
        start = START_MS + night * DAY_MS + 2 * HOUR_MS + 90_000
        job = f"tidy-{29_000_000 + night * 1440}"
        key = ContainerKey("shop", "tidy", "dump", "CronJob")
        pod = Pod(key, f"{job}-ab{night:x}cd", ("Job", job), start, start + 20 * 60_000)
        pods.append(_used(rng, pod, 0.7, 200))
    return pods


def series(pods):
    """The cluster as cAdvisor and kube-state-metrics tell it, with all that must be left out."""
    kubelet = {
        "job": "kubelet", "instance": "10.0.0.7:10250", "node": "n1", "service": "kubelet",
        "endpoint": "https-metrics", "metrics_path": "/metrics/cadvisor",
    }  # fmt: skip
    made = []
    for pod in pods:
        common = {"namespace": pod.key.namespace, "pod": pod.name}
        own = {**kubelet, **common, "container": pod.key.container}
        cgroup = f"/kubepods.slice/pod{pod.name}"
        image = {"image": "registry.example/x:1", "cpu": "total"}
        for number, (times, spent) in enumerate(pod.counters):
            tags = {**own, **image, "id": f"{cgroup}/{number}", "name": f"c{number}{pod.name}"}
            made.append(("container_cpu_usage_seconds_total", tags, times, spent))
        first, spent = pod.counters[0]
        others = ({**kubelet, **common, "id": cgroup}, {**own, "container": "POD", "id": "p"})
        for other in others if pod.key.container in {"web", "dump"} else ():
            made.append(("container_cpu_usage_seconds_total", other, first, spent * 3))
            made.append(
                ("container_memory_working_set_bytes", other, pod.times, pod.memory * 3)
            )  # fmt: skip
        tags = {**own, "id": f"{cgroup}/0", "image": "registry.example/x:1", "name": "c"}
        made.append(("container_memory_working_set_bytes", tags, pod.times, pod.memory))
        made += _state(pod, {**common, "uid": f"u-{pod.name}"})
    machine = {**kubelet, "id": "/", "cpu": "total"}
    made.append(("container_cpu_usage_seconds_total", machine, TIMES, TIMES / 100))
    named = [({"__name__": name, **tags}, times, values) for name, tags, times, values in made]
    unique = {tuple(sorted(labels.items())): (labels, t, v) for labels, t, v in named}
    return sorted(unique.values(), key=lambda each: each[0]["__name__"])


def _state(pod, common):
    """What kube-state-metrics says, from two replicas of it, one after the other and overlapping."""
    middle = START_MS + DAYS * DAY_MS // 2
    for instance, kept in (
        ("10.0.0.8:8080", pod.times < middle + HOUR_MS),
        ("10.0.0.9:8080", pod.times >= middle),
    ):
        times = pod.times[kept][::2]
        if not len(times):
            continue
        target = {"job": "kube-state-metrics", "instance": instance}
        ones = np.ones(len(times))
        owner = {"owner_kind": pod.owner[0], "owner_name": pod.owner[1]}
        tags = {**target, **common, **owner, "owner_is_controller": "true"}
        yield "kube_pod_owner", tags, times, ones
        container = {**target, **common, "container": pod.key.container}
        at_node = {**container, "node": "n1"}
        if pod.cpu_request:
            tags = {**at_node, "resource": "cpu", "unit": "core"}
            yield "kube_pod_container_resource_requests", tags, times, ones * pod.cpu_request
        if pod.memory_limit:
            tags = {**at_node, "resource": "memory", "unit": "byte"}
            yield "kube_pod_container_resource_limits", tags, times, ones * pod.memory_limit
        restarts = (times >= pod.restarted_ms) * float(pod.restarted_ms > 0)
        yield "kube_pod_container_status_restarts_total", container, times, restarts
        if pod.killed and (times >= pod.restarted_ms).any():
            since = times >= pod.restarted_ms
            tags = {**container, "reason": "OOMKilled"}
            name = "kube_pod_container_status_last_terminated_reason"
            yield name, tags, times[since], ones[since]


# ---------------------------------------------------------------- the truth


def rate(times, values, at_ms):
    """Prometheus' extrapolated rate over five minutes, by its documentation; NaN where there is none."""
    inside = (times > at_ms - STEP_MS) & (times <= at_ms)
    times, values = times[inside] / 1000, values[inside]
    if len(times) < 2:
        return np.nan
    steps = np.diff(values)
    risen = values[-1] - values[0] + values[:-1][steps < 0].sum()
    sampled = times[-1] - times[0]
    between = sampled / (len(times) - 1)
    before, after = times[0] - (at_ms - STEP_MS) / 1000, at_ms / 1000 - times[-1]
    if risen > 0 and values[0] >= 0:
        before = min(before, sampled * values[0] / risen)
    length = sampled + sum(x if x < 1.1 * between else between / 2 for x in (before, after))
    return risen * length / sampled / (STEP_MS / 1000)


def rates(pod):
    """A pod's cores on the grid: all its containers' counters added up."""
    total = np.full(len(GRID), np.nan)
    for times, spent in pod.counters:
        near = np.flatnonzero((times[0] < GRID) & (times[-1] > GRID - STEP_MS))
        for i in near.tolist():
            total[i] = np.nansum([total[i], value]) if np.isfinite(
                value := rate(times, spent, int(GRID[i]))
            ) else total[i]  # fmt: skip
    return total


@dataclass
class Truth:
    """What should be known of one container."""

    usage: Usage
    memory: np.ndarray
    pods: list[Pod]


def truth(pods):
    """By container: the busiest pod at each moment, the highest memory of each hour."""
    found = {}
    hours = GRID[:: HOUR_MS // STEP_MS]
    for key in {pod.key for pod in pods}:
        mine = [pod for pod in pods if pod.key == key]
        cores = np.fmax.reduce([rates(pod) for pod in mine])
        known = ~np.isnan(cores)
        memory = [
            max((pod.memory[(pod.times > at - HOUR_MS) & (pod.times <= at)].max(initial=-1)
                 for pod in mine), default=-1)
            for at in hours.tolist()
        ]  # fmt: skip
        peaks = np.array([m for m in memory if m >= 0])
        times = GRID[known]
        usage = Usage(times, cores[known], hours_of_week(times, "UTC"))
        found[key] = Truth(usage, peaks, mine)
    return found


# ---------------------------------------------------------------- the servers


@pytest.fixture(scope="module")
def pods():
    return cluster()


@pytest.fixture(scope="module")
def expected(pods):
    return truth(pods)


@pytest.fixture(scope="module")
def found(pods, tmp_path_factory):
    """The study of a real Prometheus."""
    folder = tmp_path_factory.mktemp("cluster")
    text = folder / "cluster.openmetrics"
    with text.open("w") as file:
        file.writelines(exposition(series(pods), per_second=1))
        file.write("# EOF\n")
    blocks_from(needs("promtool"), text, folder / "data", longest="1000h")
    with prometheus(folder) as server:
        return workbench.connect(server.url).rightsizing(end=END_MS / 1000, last=f"{DAYS}d")


def test_pods_become_the_workloads_that_were_written_down(found, pods):
    assert {s.key for s in found.result.sizings} == {pod.key for pod in pods}


def test_usage_is_that_of_the_raw_samples(found, expected):
    """Pause containers, cgroups of pods and replicas of kube-state-metrics add nothing."""
    for sizing in found.result.sizings:
        known = expected[sizing.key]
        cores, band = known.usage.values, sizing.cpu_band
        figures = [band.p5, band.p50, band.p95, band.mean, band.highest]
        wanted = [*np.quantile(cores, [0.05, 0.5, 0.95]), cores.mean(), cores.max()]
        assert figures == pytest.approx(wanted, rel=1e-9), sizing.name
        band = sizing.memory_band
        assert band.highest == known.memory.max(), sizing.name
        assert band.mean == pytest.approx(known.memory.mean(), rel=1e-9), sizing.name


def test_advice_is_what_the_rules_give_on_the_raw_samples(found, expected):
    """Ours and KRR's, from the whole history and from all but the last week."""
    sized = [s for s in found.result.sizings if s.cpu is not None]
    assert {s.key.container for s in sized} == {"web", "proxy", "postgres"}
    keys = [s.key for s in sorted(sized, key=lambda s: s.key)]
    fits = dict(zip(keys, fit_cpu([expected[k].usage for k in keys], 0.05), strict=True))
    for sizing in sized:
        usage = expected[sizing.key].usage
        assert sizing.cpu.ours.request == pytest.approx(fits[sizing.key].request, rel=1e-9)
        recent = usage.values[usage.times_ms > usage.times_ms[-1] - 14 * DAY_MS]
        assert sizing.cpu.krr.request == pytest.approx(np.percentile(recent, 95), rel=1e-9)
        cut = usage.times_ms <= usage.times_ms[-1] - 7 * DAY_MS
        held = np.percentile(usage.values[cut], 95)
        over = float((usage.values[~cut] > held).mean())
        assert sizing.cpu.krr.exceeded == pytest.approx(over, abs=1e-12)


def test_what_stands_now_is_known(found):
    by = {s.key.container: s for s in found.result.sizings}
    assert (by["web"].cpu_request, by["postgres"].cpu_request) == (1.0, 0.25)
    assert (by["web"].memory_limit, by["postgres"].memory_limit) == (512 * MIB, 1_024 * MIB)
    assert by["proxy"].cpu_request is None
    assert (by["web"].pods, by["postgres"].pods) == (2.0, 1.0)
    assert any("1 restart" in note for note in by["postgres"].notes)
    assert any("killed for lack of memory" in note for note in by["postgres"].notes)
    assert not any("restart" in note for note in by["web"].notes)


def test_a_nightly_job_is_sized_by_the_nights_that_it_ran(found, pods):
    """Its pods are gone before the hour is full, and their owners with them."""
    (dump,) = [s for s in found.result.sizings if s.key.container == "dump"]
    highest = max(pod.memory.max() for pod in pods if pod.key.container == "dump")
    assert dump.memory_band.highest == highest
    assert dump.memory is not None
    assert dump.key.kind == "CronJob"


QUANTITY = {"type": "string", "pattern": r"^[0-9]+(m|Mi|Gi)?$"}
AMOUNTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {name: {"anyOf": [QUANTITY, {"type": "null"}]} for name in ("cpu", "memory")},
}
CONTAINER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "resources"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "resources": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"requests": AMOUNTS, "limits": AMOUNTS},
        },
    },
}


def nested(schema, *names):
    """An object that holds only the first name, which holds only the next."""
    for name in reversed(names):
        schema = {
            "type": "object",
            "additionalProperties": False,
            "required": [name],
            "properties": {name: schema},
        }
    return schema


POD = nested({"type": "array", "minItems": 1, "items": CONTAINER}, "template", "spec", "containers")
API = {
    "Deployment": ("apps/v1", POD),
    "StatefulSet": ("apps/v1", POD),
    "CronJob": ("batch/v1", nested(POD, "jobTemplate", "spec")),
}
"""Where the API of each kind keeps its containers: `PodTemplateSpec` under other fields."""


def test_patches_have_the_fields_of_the_api_and_no_others(found):
    """A misspelt field would be dropped by the server without a word."""
    documents = list(yaml.safe_load_all(found.patches))
    assert [d["kind"] for d in documents] == ["Deployment", "StatefulSet", "CronJob"]
    for document in documents:
        assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
        version, schema = API[document["kind"]]
        assert document["apiVersion"] == version
        assert set(document["metadata"]) == {"name", "namespace"}
        jsonschema.validate(document["spec"], schema)


def test_victoriametrics_gives_the_same_advice_within_a_few_per_cent(found, pods, tmp_path):
    """It does not extrapolate a rate: figures differ a little, containers and what is set do not."""
    with victoriametrics(tmp_path) as server:
        import_into(server.url, series(pods))
        other = workbench.connect(server.url).rightsizing(end=END_MS / 1000, last=f"{DAYS}d")
    ours = {s.key: s for s in found.result.sizings}
    theirs = {s.key: s for s in other.result.sizings}
    assert set(ours) == set(theirs)
    for key, sizing in ours.items():
        assert theirs[key].cpu_request == sizing.cpu_request
        assert theirs[key].memory_limit == sizing.memory_limit
        assert theirs[key].memory_band.highest == sizing.memory_band.highest
        if sizing.cpu is not None:
            request = sizing.cpu.ours.request
            assert theirs[key].cpu.ours.request == pytest.approx(request, rel=0.05)

"""From answers to containers, patches and money: churn, hostile names, what is refused."""

from decimal import Decimal

import numpy as np
import promql_parser
import pytest
import yaml
from usage_simulation import A_DAY, grid, memory_noise

from workbench.capacity.sizing.analysis import SizingRules, right_size
from workbench.capacity.sizing.containers import ContainerKey, containers
from workbench.capacity.sizing.money import read_prices
from workbench.capacity.sizing.patches import cpu_quantity, memory_quantity, patch, patches_yaml
from workbench.capacity.sizing.questions import plan_sizing, sizing_queries
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.window import Window

HOSTILE = 'we"b: {a}\n- <b>\x00 ${x} \u2028 é'
GIB = 1024.0**3


def _frame(rows, days=21.0, every=1):
    """Rows of labels with values on a grid; NaN is absent."""
    times = grid(days)[every - 1 :: every]
    values = np.array([np.broadcast_to(v, len(times)) for _, v in rows]).reshape(len(rows), -1)
    return Frame("matrix", [labels for labels, _ in rows], times, values, ~np.isnan(values))


def _labels(owner="cart-5d4f8c7b9", kind="ReplicaSet", container="web"):
    return {
        "namespace": "shop", "owner_kind": kind, "owner_name": owner, "container": container,
    }  # fmt: skip


def _usage(seed=0, days=21, size=0.3):
    rng = np.random.default_rng(seed)
    return size * np.exp(0.2 * memory_noise(rng, days * A_DAY, 0.8))


def _result(labels=None, rules=None, cpu=None, **more):
    labels = labels or _labels()
    memory = 0.5 * GIB * (1 + 0.05 * np.random.default_rng(1).random(21 * 24))
    hourly = {
        key: _frame([(labels, value)], every=12)
        for key, value in {"memory": memory, **more}.items()
    }
    frames = {"cpu": _frame([(labels, _usage() if cpu is None else cpu)]), **hourly}
    return right_size(frames, rules)


@pytest.mark.parametrize(
    ("labels", "kind", "workload"),
    [
        (_labels(), "Deployment", "cart"),
        (_labels("db", "StatefulSet"), "StatefulSet", "db"),
        (_labels("tidy-29384756", "Job"), "CronJob", "tidy"),
        (_labels("once", "Job"), "Job", "once"),
        ({"namespace": "a", "pod": "cart-5d4f8c7b9f-x2x4z", "container": "c"}, "", "cart"),
        ({"namespace": "a", "pod": "db-0", "container": "c"}, "", "db"),
        ({"namespace": "a", "pod": "bare", "container": "c"}, "", "bare"),
        ({"workload": "w", "kind": "DaemonSet"}, "DaemonSet", "w"),
        ({}, "", ""),
    ],
)
def test_the_workload_is_what_was_written_down(labels, kind, workload):
    (found,) = containers({"cpu": _frame([(labels, 1.0)])})
    assert (found.key.kind, found.key.workload) == (kind, workload)


def test_pods_that_replace_each_other_are_one_container():
    half = 21 * A_DAY // 2
    first, second = _usage(), _usage()
    first[half:], second[: half - A_DAY] = np.nan, np.nan
    rows = [(_labels("cart-5d4f8c7b9"), first), (_labels("cart-7c9d8f6b4"), second)]
    requests = [
        (labels, np.where(np.isnan(v[::12]), np.nan, r))
        for (labels, v), r in zip(rows, (1.0, 2.0), strict=True)
    ]
    (found,) = containers({"cpu": _frame(rows), "cpu_request": _frame(requests, every=12)})
    assert len(found.cores) == 21 * A_DAY
    assert found.cpu_request == 2.0
    overlap = slice(half - A_DAY, half)
    assert (found.cores[overlap] == np.maximum(first, second)[overlap]).all()


def test_a_request_that_was_taken_away_is_none():
    request = np.full(21 * 24, 0.5)
    request[10 * 24 :] = np.nan
    sizing = _result(cpu_request=request).sizings[0]
    assert sizing.cpu_request is None


def test_infinite_and_negative_usage_is_no_usage():
    values = _usage()
    values[:3] = np.inf, -1.0, np.nan
    (found,) = containers({"cpu": _frame([(_labels(), values)])})
    assert len(found.cores) == len(values) - 3
    assert containers({"cpu": _frame([(_labels(), np.nan)])}) == []


def test_too_large_and_too_small_requests_are_found_and_patched():
    large = _result(cpu_request=2.0, cpu_limit=4.0, memory_request=4 * GIB, memory_limit=4 * GIB)
    assert {f.code for f in large.findings} == {"CAP-OVERSIZED"}
    small = _result(cpu_request=0.2, memory_request=0.4 * GIB, memory_limit=0.45 * GIB)
    assert [(f.code, f.severity.value) for f in small.findings] == [
        ("CAP-UNDERSIZED", "error"),
        ("CAP-UNDERSIZED", "warning"),
    ]
    (document,) = yaml.safe_load_all(large.patches_yaml())
    assert document["apiVersion"] == "apps/v1"
    (container,) = document["spec"]["template"]["spec"]["containers"]
    advice = large.sizings[0]
    wanted = cpu_quantity(advice.cpu.ours.request)
    assert container["resources"]["requests"]["cpu"] == wanted
    assert container["resources"]["limits"]["cpu"] is None
    assert container["resources"]["limits"]["memory"] == memory_quantity(advice.memory.limit)
    assert yaml.safe_load(large.findings[0].fix) == document


def test_what_fits_is_not_found_and_what_asks_for_nothing_is():
    fit = _result(cpu_request=0.45, memory_request=0.55 * GIB, memory_limit=GIB)
    assert fit.findings == ()
    none = _result(cpu_request=np.nan)
    assert [f.code for f in none.findings] == ["CAP-NO-REQUEST"]
    assert _result().findings == ()


def test_notes_say_what_was_seen():
    cpu = _usage()
    cpu[: 15 * A_DAY] = np.nan
    cpu[18 * A_DAY : 20 * A_DAY] = np.nan
    sizing = _result(cpu=cpu, restarts=0.01, oom_kills=1.0, typical_cpu=0.1).sizings[0]
    text = " ".join([*sizing.notes, sizing.cpu_reason])
    assert sizing.cpu is None
    for said in ("6.0 days", "missing (longest gap 2d", "5 restarts", "killed", "a week is needed"):
        assert said in text
    idle = _result(cpu=np.zeros(21 * A_DAY)).sizings[0]
    assert "It uses no CPU at all: is it needed?" in idle.notes


def test_hostile_names_stay_data_in_yaml_and_json():
    result = _result(_labels(f"{HOSTILE}-5d4f8c7b9", container=HOSTILE), cpu_request=3.0)
    (document,) = yaml.safe_load_all(result.patches_yaml())
    assert result.patches_yaml().isascii()
    (container,) = document["spec"]["template"]["spec"]["containers"]
    assert container["name"] == HOSTILE
    assert result.to_dict()["containers"][0]["container"] == HOSTILE


def test_patches_know_the_kinds_that_have_pods():
    resources = {"web": {"requests": {"cpu": "1"}}}
    cron = patch(ContainerKey("a", "tidy", "", "CronJob"), resources)
    template = cron["spec"]["jobTemplate"]["spec"]["template"]
    assert template["spec"]["containers"][0]["name"] == "web"
    assert patch(ContainerKey("a", "x", "", ""), resources) is None
    assert patch(ContainerKey("a", "x", "", "Job"), resources) is None
    assert patches_yaml([]) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.0100000001, "10m"), (0.0101, "11m"), (1.0, "1"), (2.5, "2500m")]
)
def test_cores_are_rounded_up_to_a_thousandth(value, text):
    assert cpu_quantity(value) == text


def test_money_is_exact_and_counts_every_pod():
    prices = read_prices("0.0316", Decimal("0.0042"), "EUR")
    rules = SizingRules(prices=prices)
    result = _result(rules=rules, cpu_request=2.0, memory_request=4 * GIB, pods=3.0)
    sizing = result.sizings[0]
    cores = Decimal(repr(2.0 - sizing.cpu.ours.request))
    gib = Decimal(repr(4 * GIB - sizing.memory.ours.request)) / 1024**3
    wanted = 3 * 730 * (cores * Decimal("0.0316") + gib * Decimal("0.0042"))
    assert result.saved == pytest.approx(wanted, rel=Decimal("1e-12"))
    assert result.to_dict()["saved_a_month"] == str(wanted.quantize(Decimal("0.01")))
    assert _result().saved is None
    absurd = _result(rules=rules, cpu_request=1e300).to_dict()["saved_a_month"]
    assert float(absurd) == pytest.approx(1e300 * 730 * 0.0316)
    assert read_prices("", "") is None


@pytest.mark.parametrize(
    ("core", "currency", "said"),
    [
        (0.03, "USD", "core_hour_price is the float 0.03: give text"),
        ("a lot", "USD", "'a lot', which is no amount of money: give text"),
        ("-1", "USD", "'-1': give 0 or more"),
        ("NaN", "USD", "'NaN': give 0 or more"),
        ("1", "dollars", "currency is 'dollars': give a code"),
    ],
)
def test_bad_prices_are_refused_with_the_mend(core, currency, said):
    with pytest.raises(InputError) as caught:
        read_prices(core, "", currency)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("wished", "said"),
    [
        ({"risk": 0}, "risk is 0: give a chance above 0"),
        ({"risk": 5}, "risk is 5: give a chance"),
        ({"memory_risk": float("nan")}, "memory_risk is nan: give a chance"),
        ({"memory_days": 0}, "memory_days is 0: give 1 to 365"),
        ({"cpu_limit": "some"}, "cpu_limit is 'some': give 'none', 'keep', 'peak'"),
        ({"hours": "nine to five"}, "'nine to five' are no hours of a week"),
        ({"timezone": "Mars"}, "'Mars' is not a time zone"),
    ],
)
def test_bad_wishes_are_refused_with_the_mend(wished, said):
    with pytest.raises(InputError) as caught:
        SizingRules(**wished)
    assert said in str(caught.value)


def test_every_query_is_promql_and_only_what_is_there_is_asked():
    window = Window(0, 21 * A_DAY * 300_000, 300_000)
    for owners in (True, False):
        for query in sizing_queries(owners=owners).values():
            promql_parser.parse(query)
    plan = plan_sizing(["container_cpu_usage_seconds_total"], window)
    assert [q.key for q in plan.questions] == ["cpu", "typical_cpu"]
    assert plan.missing["memory"] == "container_memory_working_set_bytes"
    assert "[15m]" in sizing_queries(step_ms=900_000)["cpu"]
    assert "[1h]" in sizing_queries(step_ms=900_000)["memory"]
    assert "[2h]" in sizing_queries(step_ms=7_200_000)["memory"]
    own = plan_sizing([], window, {"memory": "my_memory", "cpu": ""})
    assert [(q.key, q.expression) for q in own.questions] == [("memory", "my_memory")]
    assert "cpu" not in own.missing
    with pytest.raises(InputError, match="queries holds 'cpus': did you mean 'cpu"):
        plan_sizing([], window, {"cpus": "x"})


def test_nothing_at_all_is_a_finding():
    missing = {"cpu": "container_cpu_usage_seconds_total"}
    assert [f.code for f in right_size({}, missing=missing).findings] == ["CAP-METRICS-MISSING"]
    (found,) = right_size({"cpu": Frame.empty("matrix", grid(1), "cores")}).findings
    assert found.where == "cores"
    assert right_size({}).patches_yaml() == ""

"""Which load drives what, and where it goes: the parts of a what-if one by one."""

import numpy as np
import pytest

from workbench.capacity import Resource
from workbench.capacity.instances import Instance, instances
from workbench.capacity.what_if.joining import Driven, join_load
from workbench.capacity.what_if.loads import Load, Match, match_load, usual_loads
from workbench.capacity.what_if.scenario import Scenario, parse_scenario
from workbench.capacity.what_if.spread import alike, gone_instances, load_without
from workbench.frame import Frame

STEPS = 48
TIMES = np.arange(1, STEPS + 1, dtype=np.int64) * 3_600_000
WAVE = 10 + 5 * np.sin(np.arange(STEPS) * 2 * np.pi / 24)


def _frame(labels, values):
    values = np.array(values)
    return Frame("matrix", labels, TIMES, values, np.isfinite(values))


def _instance(labels, usage=WAVE, service=""):
    resource = Resource(name="pool", usage="used", service=service)
    return Instance(resource, "pool", labels, TIMES, usage, np.isfinite(usage), None)


@pytest.mark.parametrize(
    ("text", "factor"), [("+30%", 1.3), ("-10 %", 0.9), ("x2", 2.0), ("×1.5", 1.5), ("", 1.0)]
)
def test_traffic_is_read_as_people_write_it(text, factor):
    assert parse_scenario(text, "a=b").traffic == pytest.approx(factor)


def test_a_value_that_is_lost_may_hold_anything():
    assert parse_scenario(lost='region="eu west"').lost == ("region", "eu west")
    assert parse_scenario(lost="instance=a:80").lost == ("instance", "a:80")


def test_instances_never_become_fewer_than_none():
    assert Scenario(change=-3).instances_then(2) == 0
    assert Scenario(count=4).instances_then(2) == 4
    assert Scenario(1.3, count=1).describe() == "traffic +30 %, 1 instance each"


def test_a_load_with_the_own_labels_comes_before_one_that_explains_more():
    """A job's own counter drives it, though another follows its usage more closely."""
    rng = np.random.default_rng(1)
    own, other = Load("own", "own", found=True), Load("other", "other", found=True)
    frames = {
        other.key: _frame([{"job": "shop"}], [WAVE]),
        own.key: _frame([{"job": "gateway"}], [WAVE + rng.normal(0, 3, STEPS)]),
    }
    found = join_load(_instance({"job": "gateway"}), [other, own], frames)
    assert found.load is own
    assert found.match.by == ("job",)
    stranger = join_load(_instance({"node": "n"}), [own, other], frames)
    assert stranger.load is other
    assert stranger.match.by == ()


def test_usage_that_follows_later_is_told():
    late = Load("load", "load")
    frames = {late.key: _frame([{}], [np.roll(WAVE, -2)])}
    assert join_load(_instance({}), [late], frames).lag == 2


def test_what_is_given_never_falls_back_and_what_is_found_does():
    loads = [{"job": "api", "instance": "a"}, {"job": "web", "instance": "b"}]
    assert match_load({"job": "api", "instance": "c"}, loads, found=False) is None
    assert match_load({"job": "api", "instance": "c"}, loads, found=True).rows == (0,)
    assert match_load({"job": "db", "instance": "c"}, loads, found=True).rows == (0, 1)
    assert match_load({"job": "db"}, [{}], found=False).rows == (0,)
    assert match_load({"job": "db"}, [], found=True) is None


def test_counters_are_kept_apart_by_the_label_that_is_lost():
    [load] = usual_loads(["http_requests_total"], also_by=["cell", "job"])
    assert load.expression.startswith("sum by (job, instance,")
    assert ", cell) (rate(http_requests_total[5m]))" in load.expression
    assert usual_loads(["up"]) == ()


def test_copies_are_alike_and_other_machines_are_not():
    app, other, base = (
        alike(_instance({"instance": name}), anywhere=False)
        for name in ("app-1:9100", "app-22:9100", "db-1:9100")
    )
    assert app == other != base
    assert alike(_instance({"queue": "q"}), anywhere=False) is None
    mixed = [
        alike(_instance({"instance": n, "job": "x"}, service="{job}"), anywhere=False)
        for n in ("blue", "green")
    ]
    assert mixed[0] == mixed[1]


def test_the_load_of_what_is_gone_goes_to_its_own_service_hour_by_hour():
    labels = [
        {"service": "shop", "region": "eu"},
        {"service": "shop", "region": "us"},
        {"service": "mail", "region": "eu"},
        {"service": "mail", "region": "us"},
    ]
    frame = _frame(labels, [WAVE, 2 * np.roll(WAVE, 6), 7 * WAVE, WAVE])
    gone = np.array([True, False, True, False])
    shop = Driven(_instance({}), match=Match((1,), ("service", "region")))
    assert load_without(shop, frame, gone) == pytest.approx(WAVE + 2 * np.roll(WAVE, 6))
    database = Driven(_instance({}), match=Match((0, 1, 2, 3), ()))
    assert load_without(database, frame, gone) == pytest.approx(frame.values.sum(axis=0))
    assert load_without(Driven(_instance({}), match=Match((0,), ())), frame, gone) is None


def test_an_instance_is_gone_only_if_all_of_it_is():
    resource = Resource(name="pool {job}", usage="used", by=("job",))
    frame = _frame(
        [{"job": "a", "region": "eu"}, {"job": "b", "region": "eu"}, {"job": "b", "region": "us"}],
        [WAVE, WAVE, WAVE],
    )
    found = instances(resource, frame, None)
    assert gone_instances(found, frame, ("region", "eu")).tolist() == [True, False]

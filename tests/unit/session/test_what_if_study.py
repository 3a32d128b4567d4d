"""`wb.what_if` from PromQL to a study: what comes of a scenario, what is found, what is refused."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import workbench
from workbench.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[1] / "statistics"))

from load_simulation import loads

HOUR_MS = 3_600_000
START_MS = 1_767_571_200_000
DAYS = 21
HOSTILE = '</script>\n"{{x}}\0'
REGIONS = {"eu": 0.6, "us": 0.4}

RESOURCES = """
version = 1
[[resource]]
name = "pool {instance}"
usage = "used"
limit = "size"
by = ["instance"]
unit = "connections"
[[resource]]
name = "disk"
usage = "disk"
limit = 5000
[[resource]]
name = "fixed"
usage = "fixed"
limit = 9
"""


@pytest.fixture(scope="module")
def wb():
    """Two regions of two instances each; usage is 3 + 0.2 · requests, the limit 40."""
    times = START_MS + np.arange(1, DAYS * 24 + 1, dtype=np.int64) * HOUR_MS
    rng = np.random.default_rng(1)
    load = 250 * loads(rng, DAYS).ravel()
    series = [
        ({"__name__": "disk"}, times, 1000 + 2.0 * np.arange(len(times))),
        ({"__name__": "fixed"}, times, np.full(len(times), 3.0)),
        ({"__name__": "flat"}, times, np.full(len(times), 3.0)),
        ({"__name__": "below"}, times, load - 200),
        ({"__name__": "hits"}, times, np.cumsum(load) % 3e4),
        ({"__name__": "rare"}, times[::5], load[::5]),
    ]
    for region, share in REGIONS.items():
        for i in (1, 2):
            place = {"instance": f"{region}-{i}:80", "region": region}
            own = load * share / 2
            used = 3 + 0.2 * own + rng.normal(0, 0.3, len(own))
            series += [
                ({"__name__": "rps", **place}, times, own),
                ({"__name__": "used", **place}, times, used),
                ({"__name__": "size", **place}, times, np.full(len(times), 40.0)),
            ]
    return workbench.connect(workbench.snapshot(series))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("what-if") / "resources.toml"
    path.write_text(RESOURCES)
    return str(path)


def _study(wb, file, **asked):
    return wb.what_if(**{"resources": file, "driver": "rps", "last": f"{DAYS}d", **asked})


def _by_name(study):
    return {o.name: o for o in study.result.outcomes}


def test_more_traffic_gives_more_usage_and_what_is_borne(wb, file):
    """Usage at the peak load L becomes 3 + 0.2 · 1.3 L, and 40 is reached at L = 185."""
    study = _study(wb, file, traffic="+30%")
    found = _by_name(study)
    pool = found["pool us-1:80"]
    assert pool.load_then == pytest.approx(1.3 * pool.load_now)
    assert pool.then[2] == pytest.approx(3 + 0.26 * pool.load_now, rel=0.05)
    assert pool.bears[2] * pool.load_now == pytest.approx(185, rel=0.03)
    assert pool.fit.explained > 0.98
    assert pool.verdict.value == "bears it"
    assert found["disk"].verdict.value == "not by load"
    assert found["fixed"].reason == "its usage has not moved"
    [row] = study.table.query("resource == 'pool us-1:80'").to_dict("records")
    assert row["load explains"] == "99 %" or row["load explains"] == "100 %"
    assert row["wait now → then"] != "–"
    assert json.loads(json.dumps(study.to_dict(), allow_nan=False))["kind"] == "what-if"


def test_equal_studies_are_equal_and_no_scenario_is_thirty_percent_more(wb, file):
    first, second = _study(wb, file), _study(wb, file, traffic="+30%")
    assert first.result.to_dict() == second.result.to_dict()


def test_what_is_too_much_is_an_error_and_names_what_is_missing(wb, file):
    study = _study(wb, file, traffic="x3")
    worst = next(f for f in study.findings if f.code == "CAP-WHAT-IF")
    assert worst.severity.value == "warning"
    assert "over its limit of 40 connections" in worst.what
    assert worst.next_step.startswith("add at least")
    assert worst.evidence["chance"] > 0.9
    first = {o.service for o in study.result.outcomes if o.binds_first}
    assert first == {"eu-#", "us-#"}


def test_a_region_gone_leaves_its_load_to_the_other(wb, file):
    """Each of the other region carries 1 / 0.4 of what it carries now."""
    found = _by_name(_study(wb, file, lost="region=eu", driver="rps"))
    assert found["pool eu-1:80"].verdict.value == "gone"
    assert found["pool us-1:80"].factor == pytest.approx(2.5, rel=1e-6)


def test_a_region_gone_is_told_by_usage_where_the_load_has_no_regions(wb, file):
    """Load of 60 % goes to the rest, as far as usage tells it: about 2.5 times."""
    found = _by_name(_study(wb, file, lost="region=eu", driver="sum(rps)"))
    assert found["pool eu-2:80"].verdict.value == "gone"
    assert found["pool us-2:80"].factor == pytest.approx(2.5, rel=0.02)


def test_an_instance_fewer_spreads_over_those_alike(wb, file):
    """Each region has two: the one that stays carries twice as much."""
    found = _by_name(_study(wb, file, instances="-1"))
    assert found["pool eu-1:80"].factor == pytest.approx(2)
    more = _by_name(_study(wb, file, traffic="x2", instances="n=4"))
    assert more["pool eu-1:80"].factor == pytest.approx(1)


def test_the_only_ones_leave_nothing(wb, file):
    study = _study(wb, file, instances="-2")
    assert {o.verdict.value for n, o in _by_name(study).items() if "pool" in n} == {"nothing left"}
    assert "CAP-NO-SPARE" in {f.code for f in study.findings}


def test_a_scenario_that_all_bear_says_what_binds_first(wb, file):
    study = _study(wb, file, traffic="-10%")
    [borne] = [f for f in study.findings if f.code == "CAP-WHAT-IF-BORNE"]
    assert "the first to reach its limit is pool eu-" in borne.what
    unexplained = next(f for f in study.findings if f.code == "CAP-LOAD-UNEXPLAINED")
    assert "disk" in unexplained.what


@pytest.mark.parametrize(
    ("driver", "says"),
    [
        ("flat", "hardly varies"),
        ("below", "below 0"),
        ("hits", "is a counter"),
        ("rare", "known in"),
        ("nothing", "gives no series"),
        ('label_replace(sum(rps), "instance", "other", "", "")', "no series of"),
    ],
)
def test_a_load_that_is_of_no_use_is_a_finding(wb, file, driver, says):
    study = _study(wb, file, driver=driver)
    [found] = [f for f in study.findings if f.code in ("CAP-NO-LOAD", "CAP-LOAD-UNEXPLAINED")]
    assert says in f"{found.what} {found.evidence}"
    assert study.chart().to_dict(validate=False)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"traffic": "30"}, "traffic is '30'"),
        ({"traffic": "-100%"}, "traffic is '-100%'"),
        ({"traffic": "x900"}, "at most x100"),
        ({"lost": "region"}, "write label=value"),
        ({"lost": "regoin=eu"}, "did you mean 'region'"),
        ({"lost": "region=ue"}, "no series has that region"),
        ({"instances": "one"}, "instances is 'one'"),
        ({"traffic": 0.6}, "traffic is 0.6, which is no text"),
        ({"instances": "-0"}, "instances is '-0'"),
        ({"step": "7h"}, "of no use"),
        ({"variability": -1}, "variability is -1"),
    ],
)
def test_what_is_asked_wrongly_is_refused(wb, file, asked, says):
    with pytest.raises(InputError, match=says):
        _study(wb, file, **asked)


def test_too_few_days_are_told(wb, file):
    found = _by_name(_study(wb, file, last="3d"))
    assert "and 7 are needed" in found["pool us-1:80"].reason


def test_a_resource_without_limit_shows_its_usage_only(wb, tmp_path):
    path = tmp_path / "resources.toml"
    path.write_text(
        f"[[resource]]\nname = {json.dumps(HOSTILE.replace(chr(0), ''))}\n"
        'usage = "sum(used)"\ndriver = "sum(rps)"\n'
    )
    study = wb.what_if(resources=str(path), last=f"{DAYS}d")
    [only] = study.result.outcomes
    assert only.verdict.value == "no limit"
    assert only.then[2] > only.now[2]
    text = json.dumps(study.chart().to_dict(validate=False))
    assert "</script>\\n" not in text


def test_the_demo_finds_what_was_planted(tmp_path):
    """Pool 4 + 31 · activity, without the growth of the load; CPU 4 % + 46 % · demand of 2 cores."""
    path = tmp_path / "resources.toml"
    path.write_text(
        '[[resource]]\nname = "pool {instance}"\nusage = "go_sql_in_use_connections"\n'
        'limit = "go_sql_max_open_connections"\nby = ["instance"]\nunit = "connections"\n'
        '[[resource]]\nname = "CPU {instance}"\nby = ["instance"]\nlimit = 2\nunit = "cores"\n'
        "usage = '''sum by (instance) "
        '(rate(node_cpu_seconds_total{mode!="idle",instance=~"app.*"}[5m]))\'\'\'\n'
    )
    study = workbench.connect("demo:").what_if(resources=str(path), traffic="+30%")
    found = _by_name(study)
    pool, cpu = found["pool checkout-1:8080"], found["CPU app-1:9100"]
    assert pool.verdict.value == "over its limit"
    assert pool.then[2] == pytest.approx(4 + (pool.now[2] - 4) * 1.3, rel=0.02)
    assert "changes by -3" in " ".join(pool.notes)
    # 605 requests a minute at demand 1, 46 % of 2 cores.
    assert cpu.fit.slope[1] * cpu.load_now == pytest.approx(cpu.now[2] - 0.08, rel=0.05)
    assert cpu.verdict.value == "bears it"
    assert {f.code for f in study.findings} >= {"CAP-WHAT-IF", "CAP-LOAD-FOUND"}
    over = [f.about for f in study.findings if f.code == "CAP-WHAT-IF"]
    bears = {o.name: o.bears[2] for o in study.result.outcomes}
    assert over == sorted(over, key=bears.__getitem__), "what breaks first stands first"
    assert not re.search(r"80 %: [\d.]+ connections to", study.findings[0].what)


def test_a_limit_of_zero_is_told_and_nothing_is_divided_by_it(wb, tmp_path):
    path = tmp_path / "resources.toml"
    path.write_text('[[resource]]\nname = "p"\nusage = "sum(used)"\nlimit = "sum(size) * 0"\n')
    [only] = wb.what_if(resources=str(path), driver="sum(rps)", last=f"{DAYS}d").result.outcomes
    assert (only.verdict.value, only.reason) == ("cannot tell", "its limit is 0")

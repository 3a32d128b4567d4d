"""The rules that objectives become, judged by promtool and by a Prometheus that runs them."""

import json
import subprocess
import time
from urllib.parse import quote

import numpy as np
import pytest
import servers

from workbench.slo.indicator import Availability, Latency, Query
from workbench.slo.objective import Alert, Alerting, Objective
from workbench.slo.rules import make_rules, make_tests
from workbench.slo.slices import Threshold, Timeslices

TOTAL = 'slo_requests_total{job="api"}'
BAD = 'slo_requests_total{job="api",code=~"5.."}'


def objective(name, sli=None, **fields):
    sli = sli or Availability(total=TOTAL, bad=BAD)
    return Objective(name=name, service="shop", sli=sli, **{"target": 0.999, **fields})


def promtool(*arguments):
    done = subprocess.run(
        [servers.needs("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def written(folder, objectives, *, change=lambda text: text):
    """Write rules, changed or not, and the tests of the unchanged ones."""
    rules, tests = folder / "rules.yml", folder / "rules_test.yml"
    text = make_rules(objectives).to_yaml()
    changed = change(text)
    rules.write_text(changed)
    tests.write_text(make_tests(objectives).to_yaml("rules.yml"))
    return rules, tests


HOSTILE = 'a "b" {{ $labels.x }} \\ \n ü <b>'
EVERY_KIND = [
    objective("availability", description=HOSTILE, owner='team "x" {{', labels={"tier": "1"}),
    objective("good events", Availability(total="all_total", good="fine_total")),
    objective("latency", Latency(histogram='t_seconds{job="a\\"b"}', threshold="300ms")),
    objective("native", Latency(histogram="t_seconds", threshold=0.3, native=True)),
    objective("rates", Query(total="sum(rate(a[{{.window}}]))", bad="sum(rate(b[{{.window}}]))")),
    objective("ratio", Query(error_ratio="1 - avg(avg_over_time(up[{{ .window }}]))")),
    objective("queue", Threshold(query="queue_length", op="lt", value=5)),
    objective(
        "slices",
        Timeslices(of=Availability(total=TOTAL, bad=BAD), slice="1m", slice_target=0.95),
    ),
    objective("calendar", window="month", time_zone="Europe/Berlin", min_events=10),
    objective("loose", target="50%", window="7d"),
    objective("short", window="12h"),
    objective("silent", alerting=Alerting(page=Alert(alert=False), ticket=Alert(alert=False))),
]


def test_the_rules_of_every_kind_of_indicator_are_valid(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(make_rules(EVERY_KIND).to_yaml())
    code, said = promtool("check", "rules", path)
    assert code == 0, said


TESTED = {
    "counters": objective("a", min_events=1000),
    "good": objective("b", Availability(total='x_total{m!="y"}', good='x_total{code=~"[23].+"}')),
    "latency": objective("c", Latency(histogram="t_seconds", threshold=1), target=0.99),
    "queries": objective(
        "d",
        Query(total="sum(rate(a[{{.window}}]))", bad="sum(increase(b[{{.window}}]))"),
        window="week",
    ),
    "loose": objective("e", target=0.8, window="90d"),
}


@pytest.mark.parametrize("one", TESTED.values(), ids=TESTED)
def test_the_generated_tests_pass_on_the_generated_rules(tmp_path, one):
    _, tests = written(tmp_path, [one])
    code, said = promtool("test", "rules", tests)
    assert code == 0, said


def test_objectives_that_read_the_same_counters_are_tested_apart(tmp_path):
    _, tests = written(
        tmp_path, [objective("strict", target=0.9999), objective("loose", target=0.99)]
    )
    code, said = promtool("test", "rules", tests)
    assert code == 0, said


MUTATIONS = {
    "a page's factor is higher": ("(14.4 *", "(16 *"),
    "a page's factor is lower": ("(6 *", "(5.4 *"),
    "a ticket's factor is higher": ("(3 *", "(3.3 *"),
    "a ticket's factor is lower": ("(1 *", "(0.9 *"),
    "the budget is another": ("* 0.001)", "* 0.0012)"),
    "a page's long window is longer": ("[1h]", "[70m]"),
    "a page's short window is longer": ("[5m]", "[8m]"),
    "the second page's long window is shorter": ("[6h]", "[5h]"),
    "the second page's short window is shorter": ("[30m]", "[20m]"),
    "a ticket's long window is shorter": ("[1d]", "[20h]"),
    "a ticket's short window is longer": ("[2h]", "[3h]"),
    "the second ticket's long window is longer": ("[3d]", "[80h]"),
    "alerts need one window only": ("\n      and\n", "\n      or\n"),
    "no least number of events is asked for": (">= 1000", ">= 0"),
    "errors that never were are absent": (" or 0 * sum", " or 1 * sum"),
    "a page is a ticket": ("severity: page", "severity: ticket"),
}


@pytest.mark.parametrize(("old", "new"), MUTATIONS.values(), ids=MUTATIONS)
def test_rules_that_are_not_as_promised_fail_the_generated_tests(tmp_path, old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)

    _, tests = written(tmp_path, [objective("a", min_events=1000)], change=change)
    code, said = promtool("test", "rules", tests)
    assert code != 0, said
    assert "FAILED" in said


# ---------------------------------------------------------------- a Prometheus that runs them

STEP_S = 15
HOURS = 7
BURN_MINUTES = 50
SHARE = 0.03
RATE = 40
"""Requests in a step."""


def counters(end_s):
    """Seven hours of requests, of which in the last 50 minutes 3 % fail; a reset in between."""
    points = HOURS * 3600 // STEP_S
    times = (end_s - STEP_S * np.arange(points)[::-1]) * 1000
    burning = np.arange(points) >= points - BURN_MINUTES * 60 // STEP_S
    bad = np.where(burning, RATE * SHARE, 0.0)
    good = RATE - bad
    total = np.full(points, float(RATE))

    def counter(rises, name, reset=0, **labels):
        values = np.cumsum(rises)
        if reset:
            values[reset:] -= values[reset - 1]
        return {"__name__": name, "job": "api", **labels}, times, values

    failed = counter(bad, "slo_requests_total", code="503")
    return [
        counter(good, "slo_requests_total", reset=900, code="200"),
        tuple(part if isinstance(part, dict) else part[burning] for part in failed),
        counter(good, "slo_seconds_bucket", le="0.3"),
        counter(total, "slo_seconds_count"),
    ]


class Api:
    def __init__(self, url, end_s):
        self.url, self.end_s = url, end_s

    def value(self, expression, at_s=None):
        """The only value of a query; None where it gives nothing."""
        moment = "" if at_s is None else f"&time={at_s}"
        answer = servers.get(f"{self.url}/api/v1/query?query={quote(str(expression))}{moment}")
        found = json.loads(answer)["data"]["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def wait(self, expression):
        end = time.monotonic() + servers.START_SECONDS
        while time.monotonic() < end:
            if (value := self.value(expression)) is not None:
                return value
            time.sleep(0.1)
        return pytest.fail(f"never saw {expression}", pytrace=False)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slo")
    rules = folder / "rules.yml"
    objectives = [
        objective("burns"),
        objective("clean", Availability(total=TOTAL, bad='slo_requests_total{code="nope"}')),
        objective("few", min_events=1_000_000),
        objective("idle", Availability(total="nothing_total", bad="nothing_failed_total")),
    ]
    rules.write_text(make_rules(objectives).to_yaml().replace("interval: 1m", "interval: 1s"))
    end_s = int(time.time()) - 2
    servers.backfill(counters(end_s), folder / "data")
    with servers.prometheus(folder, config=f"rule_files: [{rules}]") as server:
        api = Api(server.url, end_s)
        api.wait('ALERTS{slo="burns",severity="page"}')
        yield api


def test_a_prometheus_records_the_ratios_and_fires_the_page(api):
    assert api.value('ALERTS{slo="burns",severity="page",alertstate="firing"}') == 1
    assert api.value('slo:sli_error:ratio_rate5m{slo="burns"}') == pytest.approx(SHARE, rel=1e-6)
    hour = api.value('slo:sli_error:ratio_rate1h{slo="burns"}')
    assert hour == pytest.approx(SHARE * BURN_MINUTES / 60, rel=0.02)
    day = api.value('slo:sli_error:ratio_rate1d{slo="burns"}')
    assert day == pytest.approx(SHARE * BURN_MINUTES / (HOURS * 60), rel=0.02)
    assert api.value('slo:error_budget:ratio{slo="burns"}') == 0.001
    assert api.value('slo:current_burn_rate:ratio{slo="burns"}') == pytest.approx(30, rel=1e-6)


def test_a_prometheus_records_what_is_left_of_the_whole_windows_budget(api):
    """From the numbers that the rules recorded themselves: so far only the burning minutes."""
    left = api.wait('slo:period_error_budget_remaining:ratio{slo="burns"}')
    assert left == pytest.approx(1 - SHARE / 0.001, rel=1e-6)


def test_errors_that_never_happened_are_none_and_no_traffic_is_no_ratio(api):
    assert api.value('slo:sli_error:ratio_rate5m{slo="clean"}') == 0
    assert api.value('slo:sli_error:ratio_rate5m{slo="idle"}') is None
    assert api.value('ALERTS{slo=~"clean|idle"}') is None


def test_too_few_events_keep_the_page_silent(api):
    assert api.value('slo:sli_error:ratio_rate1h{slo="few"}') > 0.0144
    assert api.value('ALERTS{slo="few"}') is None


KINDS = {
    "bad": Availability(total=TOTAL, bad=BAD),
    "good": Availability(total=TOTAL, good='slo_requests_total{job="api",code="200"}'),
    "latency": Latency(histogram="slo_seconds", threshold="300ms"),
    "rate": Query(
        total=f"sum(rate({TOTAL}[{{{{.window}}}}]))", bad=f"sum(rate({BAD}[{{{{.window}}}}]))"
    ),
    "increase": Query(
        total=f"increase({TOTAL}[{{{{.window}}}}])", bad=f"increase({BAD}[{{{{.window}}}}])"
    ),
}


@pytest.mark.parametrize("sli", KINDS.values(), ids=KINDS)
def test_every_indicator_counts_the_events_of_a_window_in_which_its_series_stood(api, sli):
    steps = 30 * 60 // STEP_S
    assert api.value(sli.total_events("30m"), api.end_s) == pytest.approx(RATE * steps, rel=1e-9)
    bad = RATE * SHARE * steps
    assert api.value(sli.bad_events("30m"), api.end_s) == pytest.approx(bad, rel=1e-6)
    assert api.value(sli.error_ratio("30m"), api.end_s) == pytest.approx(SHARE, rel=1e-6)
    before = api.end_s - 2 * 3600  # no error series yet
    assert api.value(sli.bad_events("30m"), before) == pytest.approx(0, abs=1e-6)
    assert api.value(sli.error_ratio("30m"), before) == pytest.approx(0, abs=1e-9)
    assert api.value(sli.error_ratio("30m"), api.end_s - 86_400) is None


def test_slices_are_counted_once_each(api):
    """Ten minutes before the burn and ten in it, of which all slices are bad."""
    sli = Timeslices(of=KINDS["bad"], slice="1m", slice_target=0.99)
    aligned = (api.end_s - (BURN_MINUTES - 10) * 60) // 60 * 60
    assert api.value(sli.total_events("20m"), aligned) == 20
    bad = api.value(sli.bad_events("20m"), aligned)
    assert bad in (9, 10)  # the first slice of the burn may hold too little of it
    shares = Timeslices(of=KINDS["bad"], slice="1m")
    assert api.value(shares.error_ratio("20m"), aligned) == pytest.approx(SHARE * 0.5, rel=0.11)


def test_a_threshold_counts_the_moments_at_which_a_value_is_not_good(api):
    sli = Threshold(query='rate(slo_requests_total{code="503"}[1m])', op="lt", value=0.01)
    aligned = api.end_s // 60 * 60
    assert api.value(sli.total_events("30m"), aligned) == 30
    assert api.value(sli.bad_events("30m"), aligned) == 30
    assert (
        api.value(Threshold(query="nothing", op="lt", value=1).error_ratio("30m"), aligned) is None
    )

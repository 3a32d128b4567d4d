"""Files of objectives: what is read of each format, what is noted, and what is refused."""

import re
from pathlib import Path

import pytest

from workbench.errors import SettingsError
from workbench.slo import Availability, Latency, Query, Threshold, Timeslices, load_objectives

EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "openslo"

OWN = """
[[objective]]
name = "answers"
service = "shop"
target = "99.9%"
[objective.sli]
kind = "availability"
total = 'hits_total{job="a"}'
bad = 'hits_total{job="a",code=~"5.."}'

[[objective]]
name = "fast"
service = "shop"
target = 0.99
window = "month"
time_zone = "Europe/Berlin"
sli = {kind = "latency", histogram = "t_seconds", threshold = "300ms"}
alerting = {ticket = {alert = false}, page = {severity = "p1"}}
"""

SLOTH = """
version: "prometheus/v1"
service: shop
labels: {owner: team-shop, tier: "2"}
slo_plugins: {chain: []}
slos:
  - name: answers
    objective: 99.95
    description: Answers without errors
    labels: {category: availability}
    sli:
      events:
        error_query: sum(rate(hits_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(hits_total[{{.window}}]))
    alerting:
      name: ShopErrors
      labels: {team: a}
      annotations: {runbook: "https://runbooks.example/x"}
      page_alert: {labels: {severity: p1, routing: b}}
      ticket_alert: {disable: true}
  - name: probes
    objective: 99
    sli: {raw: {error_ratio_query: "1 - avg(avg_over_time(up[{{.window}}]))"}}
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
  - name: plugged
    objective: 99
    sli: {plugin: {id: "sloth-common/coredns/availability"}}
"""

MANIFEST = """
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: x, namespace: y}
spec:
  service: shop
  slos:
    - name: answers
      objective: 99.9
      sli:
        events:
          errorQuery: sum(rate(bad_total[{{.window}}]))
          totalQuery: sum(rate(all_total[{{.window}}]))
      alerting: {name: A, pageAlert: {labels: {severity: critical}}, ticketAlert: {disable: true}}
"""


def slo(spec, kind="ratioMetric", name="s", **changes):
    parts = {
        "timeWindow": "[{duration: 4w, isRolling: true}]",
        "budgetingMethod": "Occurrences",
        "objectives": "[{target: 0.99}]",
        **changes,
    }
    body = "\n".join(f"  {key}: {value}" for key, value in parts.items() if value)
    return (
        f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: shop\n"
        f"  indicator: {{metadata: {{name: i}}, spec: {{{kind}: {spec}}}}}\n{body}\n"
    )


def metric(query, kind="Prometheus"):
    return f"{{metricSource: {{type: {kind}, spec: {{query: '{query}'}}}}}}"


def ratio(good="good_total", total="all_total", more="counter: true", side="good"):
    return f"{{{more}, {side}: {metric(good)}, total: {metric(total)}}}"


@pytest.fixture
def load(tmp_path):
    def read(*texts):
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / f"{number}.conf")
            paths[-1].write_text(text)
        return load_objectives(paths)

    return read


# ---------------------------------------------------------------- our own


def test_our_own_format_is_read_whole(load):
    first, second = load(OWN).objectives
    assert (first.key, first.target, first.window) == ("shop--answers", 0.999, "30d")
    assert isinstance(first.sli, Availability)
    assert isinstance(second.sli, Latency)
    assert second.alerting.page.severity == "p1"
    assert not second.alerting.ticket.alert


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"99.9%"', "99.9", "objective 'answers': target: 99.9 is not between 0 and 1"),
        ('"answers"', '"fast"', "two objectives 'fast'"),
        ('"answers"', '""', "objective 1: name:"),
        ("300ms", "0s", "objective 'fast': sli.threshold: '0s' is not above 0"),
        ("5..", "5(.", "objective 'answers': sli.bad: illegal regex"),
        ("target = 0.99", "taget = 0.99", "taget is unknown (did you mean 'target'"),
        ('kind = "latency", ', "", "sli: kind is missing"),
        ('"latency"', '"latecy"', "latecy"),
        ("[[objective]]", "[[objectives]]", "did you mean 'objective'?"),
        ("month", "moon", "neither a duration"),
        ('"t_seconds"', "3", "sli.histogram:"),
        ("name = ", "name : ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_objective_and_field(load, old, new, said):
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        load(OWN.replace(old, new))
    assert "0.conf" in str(caught.value)
    assert caught.value.mend
    assert "\n" not in caught.value.what or "TOML" in caught.value.what


# ---------------------------------------------------------------- Sloth


def test_sloths_own_form_is_read(load):
    found = load(SLOTH)
    answers, probes = found.objectives
    assert (answers.target, answers.owner, answers.window) == (0.9995, "team-shop", "30d")
    assert answers.labels == {"tier": "2", "category": "availability"}
    assert answers.alerting.name == "ShopErrors"
    assert answers.alerting.page.severity == "p1"
    assert answers.alerting.page.labels == {"routing": "b"}
    assert not answers.alerting.ticket.alert
    assert isinstance(answers.sli, Query)
    assert 'sum(rate(hits_total{code=~"5.."}[1h]))' in answers.sli.error_ratio("1h")
    assert not probes.sli.has_counts
    assert [note.text for note in found.notes] == ["slo_plugins is not used"]
    assert "sloth-common/coredns/availability" in found.refused[0].text
    assert found.refused[0].about == "shop plugged"


def test_sloths_kubernetes_form_is_read(load):
    (one,) = load(MANIFEST).objectives
    assert one.alerting.page.severity == "critical"
    assert not one.alerting.ticket.alert
    assert one.sli.total_events("1h") == "3600 * sum(rate(all_total[1h]))"


# ---------------------------------------------------------------- OpenSLO


def test_counters_become_an_availability(load):
    (one,) = load(slo(ratio('sum(good_total{a="b"})'))).objectives
    assert one.sli == Availability(total="all_total", good='good_total{a="b"}')
    assert one.window == "28d"


def test_a_fixed_range_is_taken_for_the_window(load):
    found = load(slo(ratio("sum(rate(b[5m]))", 'sum(rate(a{x="[5m]"}[5m]))', side="bad")))
    (one,) = found.objectives
    assert one.sli.total_events("1h") == '3600 * sum(rate(a{x="[5m]"}[1h]))'
    assert "taken for the window" in found.notes[0].text


def test_what_is_no_counter_is_summed(load):
    (one,) = load(slo(ratio(more="counter: false"))).objectives
    assert one.sli.total_events("1h") == "sum(sum_over_time(all_total[1h]))"


@pytest.mark.parametrize(("kind", "start"), [("success", "1 - ("), ("failure", "avg(")])
def test_a_raw_ratio_of_successes_is_turned_round(load, kind, start):
    spec = f"{{rawType: {kind}, raw: {metric('job:ok:ratio')}}}"
    (one,) = load(slo(spec)).objectives
    assert one.sli.error_ratio("1h").startswith(start)


@pytest.mark.parametrize(("op", "bad"), [("lt", ">= bool 5"), ("gte", "< bool 5")])
def test_a_threshold_is_looked_at_every_minute(load, op, bad):
    objectives = f"[{{op: {op}, value: 5, target: 0.99}}]"
    (one,) = load(slo(metric("queue"), "thresholdMetric", objectives=objectives)).objectives
    assert isinstance(one.sli, Threshold)
    assert bad in one.sli.bad_events("1h")


def test_slices_of_time_with_and_without_a_target(load):
    sliced = "[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]"
    first = load(slo(ratio(), budgetingMethod="Timeslices", objectives=sliced)).objectives[0].sli
    assert isinstance(first, Timeslices)
    assert (first.slice, first.slice_target) == ("5m", 0.95)
    shares = "[{target: 0.99, timeSliceWindow: 1m}]"
    second = load(slo(ratio(), budgetingMethod="RatioTimeslices", objectives=shares))
    assert second.objectives[0].sli.slice_target is None


REFERRING = (
    "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: s, labels: {owner: me, a.b/c: x}}\nspec:\n"
    "  service: shop\n  indicatorRef: i\n  timeWindow: [{duration: 1M, isRolling: true}]\n"
    "  budgetingMethod: Occurrences\n  objectives:\n"
    "  - {displayName: Good, targetPercent: 99.5}\n  - {target: 0.9}\n  alertPolicies: [p]\n"
)
REFERRED = (
    "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: i}\nspec: {ratioMetric: {good: "
    "{metricSource: {metricSourceRef: d, spec: {query: g}}}, total: {metricSource: "
    "{metricSourceRef: d, spec: {query: t}}}}}\n---\n"
    "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: d}\nspec: {type: KIND}\n---\n"
    "apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: p}\nspec: {conditions: "
    "[{conditionRef: c}]}\n---\n"
    "apiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {name: c}\nspec: {severity: page, "
    "condition: {kind: burnrate, op: lte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}\n---\n"
    "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\nspec: {}\n"
)


def test_references_are_found_in_other_files_and_one_slo_may_hold_several_objectives(load):
    found = load(REFERRING, REFERRED.replace("KIND", "prometheus"))
    assert [(o.name, o.target) for o in found.objectives] == [("s Good", 0.995), ("s 0.9", 0.9)]
    assert found.objectives[0].sli == Availability(total="t", good="g")
    assert found.objectives[0].owner == "me"
    assert not found.objectives[0].alerting.ticket.alert
    said = " ".join(str(note) for note in found.notes)
    assert "burnrate lte 2 over 1h" in said
    assert "taken for 30 days" in said
    assert "'a.b/c' is not used" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (slo(ratio().replace("Prometheus", "Datadog")), "'Datadog', which does not speak PromQL"),
        (REFERRING, "no SLI 'i' in these files"),
        (slo(ratio(), budgetingMethod="Guess"), "'Guess'"),
        (slo(ratio(), budgetingMethod="Timeslices"), "needs a timeSliceWindow"),
        (slo(ratio(), objectives="[]"), "no objectives"),
        (slo(ratio(), objectives="[{op: lt}]"), "no target"),
        (slo(ratio(), objectives="[{target: 0.9, compositeWeight: 1}]"), "composite"),
        (
            slo(ratio(), timeWindow="[{duration: 2w, calendar: {timeZone: UTC}}]"),
            "2w cannot be had",
        ),
        (slo(ratio(), timeWindow="[]"), "0 time windows"),
        (slo(ratio("1 +")), "no PromQL"),
        (slo(ratio("a - b")), "counts nothing over a window"),
        (slo(metric("q"), "thresholdMetric"), "its op is ''"),
        (slo(ratio()).replace("openslo/v1", "openslo/v2alpha"), "version is 'openslo/v2alpha'"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name_and_the_rest_is_read(load, text, said):
    found = load(text, OWN)
    assert len(found.objectives) == 2
    assert said in found.refused[0].text
    assert found.refused[0].about.startswith("SLO s")
    with pytest.raises(SettingsError, match="no objective could be read"):
        load(text)


def test_the_examples_of_openslo_are_read_whole_and_refused_for_their_source_alone(load):
    if not EXAMPLES.exists():
        pytest.skip("the examples of OpenSLO are not here")
    paths = sorted(EXAMPLES.glob("*.yaml"))
    with pytest.raises(SettingsError, match="'Any', which does not speak PromQL"):
        load_objectives(paths)
    kinds = {}
    for path in paths:
        found = load(
            path.read_text().replace("type: Any", "type: Prometheus").replace(": Any", ": x")
        )
        assert not found.refused
        kinds[path.name] = [(o.sli.kind, o.target, o.window) for o in found.objectives]
    assert list(kinds.values()) == [
        [("threshold", 0.99, "14d")],
        [("timeslices", 0.99, "14d")],
        [("timeslices", 0.995, "month"), ("timeslices", 0.99, "month")],
        [("timeslices", 0.9995, "week")],
    ]


# ---------------------------------------------------------------- hostile and broken files

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "no objectives of any format"),
        (b"- 1\n- 2\n", "no objectives of any format"),
        (b"a: [", "no YAML"),
        (b"!!python/object/apply:os.system ['true']", "no objectives of any format"),
        (BOMB.encode(), "unfold"),
        (b"[" * 5000, "is not TOML"),
        (b"{" * 5000, "deeper"),
        (b"x: " + b"y" * 10_000_001, "larger than"),
        (b"version: prometheus/v1\nservice: s\n", "no objective could be read"),
        (b"version: prometheus/v1\nservice: s\nslos: [3, {}, []]\n", "no objective could be read"),
        (b"apiVersion: openslo/v1\nkind: SLO\nspec: 3\n", "no objective could be read"),
    ],
)
def test_a_broken_file_is_refused_with_one_message(tmp_path, content, said):
    path = tmp_path / "slo.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load_objectives([path])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read"):
        load_objectives([tmp_path / "gone.toml"])


def test_a_folder_is_read_and_what_is_no_objective_in_it_left_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "slo.toml").write_text(OWN)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "values.yaml").write_text("replicas: 3\n")
    (tmp_path / "b.yml").write_text(MANIFEST.replace("answers", "manifest"))
    found = load_objectives([tmp_path])
    assert [o.name for o in found.objectives] == ["answers", "fast", "manifest"]


def test_a_key_that_stands_twice_is_refused_in_any_format(tmp_path):
    """Which of two targets is promised cannot be guessed; TOML refuses it by itself."""
    path = tmp_path / "slo.yml"
    path.write_text(
        SLOTH.replace("    objective: 99.95", "    objective: 99.95\n    objective: 90")
    )
    with pytest.raises(SettingsError, match="line 9: 'objective' stands there a second time"):
        load_objectives([path])

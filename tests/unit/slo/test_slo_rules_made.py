"""The rules of objectives as documents: the same bytes each time, and notes where they are less."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.promql import Matcher, selector
from workbench.promql.regex import compile_regex
from workbench.slo import Alert, Alerting, Availability, Latency, Objective, Query, burn_pairs
from workbench.slo.rules import make_rules, make_tests
from workbench.slo.rules.series import counted_series
from workbench.slo.rules.story import EVERY_MS, stories_of_pair, story_without_alert

SLI = Availability(total="hits_total", bad='hits_total{code=~"5.."}')


def objective(name="n", **fields):
    return Objective(**{"name": name, "service": "s", "target": 0.999, "sli": SLI, **fields})


def rules_of(one):
    (group,) = yaml.safe_load(make_rules([one]).to_yaml())["groups"]
    return group["rules"]


def test_the_order_of_the_objectives_makes_no_difference():
    some = [objective(n) for n in "abc"]
    assert make_rules(some).to_yaml() == make_rules(some[::-1]).to_yaml()
    assert make_tests(some).to_yaml("r.yml") == make_tests(some[::-1]).to_yaml("r.yml")


@settings(max_examples=25)
@example("\x85", "a\u2028b\n{{ .x }}")
@given(st.text(max_size=50), st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_text_of_any_kind_survives_the_yaml(owner, description):
    one = objective(owner=owner.encode(errors="replace").decode(), description=description)
    first, *_, last = rules_of(one)
    assert first["labels"].get("owner", "") == one.owner
    assert "{{ $" not in last["annotations"]["description"].replace('{{ "{{" }}', "")


def test_severities_labels_and_annotations_reach_the_alerts():
    alerting = Alerting(
        name="Burn",
        labels={"team": "a"},
        annotations={"summary": "ours"},
        page=Alert(severity="p1", labels={"routing": "b"}),
        ticket=Alert(alert=False),
    )
    (alert,) = [r for r in rules_of(objective(alerting=alerting)) if "alert" in r]
    assert alert["alert"] == "Burn"
    assert alert["labels"] == {
        "service": "s", "slo": "n", "slo_key": "s--n", "team": "a", "routing": "b", "severity": "p1",
    }  # fmt: skip
    assert alert["annotations"]["summary"] == "ours"


def test_a_page_that_cannot_fire_is_left_out_and_told():
    made = make_rules([objective(target=0.9)])
    assert "14.4 times a budget of 10 %" in made.notes[0]
    assert "14.4 *" not in made.to_yaml()
    assert "(6 * 0.1)" in made.to_yaml()


def test_a_least_number_of_events_is_asked_for_in_the_long_window_of_each_pair():
    text = make_rules([objective(min_events=50)]).to_yaml()
    for window in ("1h", "6h", "1d", "3d"):
        guard = f'(slo:sli_total_events:increase{window}{{slo_key="s--n"}}) >= 50'
        assert text.count(guard) == 1


def test_calendars_and_bare_ratios_say_what_is_not_recorded():
    notes = " ".join(make_rules([objective("a", window="month")]).notes)
    assert "no rule knows when one began" in notes
    ratio = Query(error_ratio="1 - avg(avg_over_time(up[{{.window}}]))")
    made = make_rules([objective("b", sli=ratio)])
    assert "no traffic weighs" in made.notes[0]
    assert "increase5m" not in made.to_yaml()
    assert "12h" in make_rules([objective("c", window="12h")]).notes[0]


# ---------------------------------------------------------------- what the tests are made of


@settings(max_examples=25)
@given(
    st.floats(0.0001, 0.3),
    st.sampled_from(["7d", "14d", "28d", "30d", "90d", "quarter"]),
)
def test_each_pair_that_can_fire_has_four_moments_or_is_told(budget, window):
    one = objective(target=round(1 - budget, 6), window=window)
    pairs = [p for p in burn_pairs(one) if p.can_fire(one.budget)]
    for pair in pairs:
        stories = stories_of_pair(pair, pairs, one.budget)
        assert len(stories) in (0, 4)
        firing = [pair.severity in story.firing for story in stories]
        assert firing in ([], [False, True, True, False])
        assert all(story.at_ms % EVERY_MS == 0 for story in stories)


def test_the_usual_objectives_have_every_pair_tested():
    for target in ("95%", "99%", "99.5%", "99.9%", "99.95%", "99.99%"):
        one = objective(target=target)
        pairs = burn_pairs(one)
        assert all(stories_of_pair(p, pairs, one.budget) for p in pairs)
        assert not make_tests([one]).notes


def test_a_slow_burn_lasts_as_long_as_the_window_that_would_see_it():
    story = story_without_alert(burn_pairs(objective()), 0.001)
    assert story.at_ms >= 3 * 86_400_000
    assert story.phases[0].bad == pytest.approx(0.0009)


def accepts(text, labels):
    from workbench.promql import parse

    def holds(m: Matcher):
        value = labels.get(m.name, "")
        if m.op in ("=", "!="):
            return (value == m.value) is (m.op == "=")
        return bool(compile_regex(m.value).matches([value])[0]) is (m.op == "=~")

    return all(map(holds, parse(text).matchers))


@pytest.mark.parametrize(
    ("total", "bad"),
    [
        ("a", 'a{code=~"5.."}'),
        ("a", 'a{code=~"5..|429"}'),
        ("a", 'a{code=~"(4[0-9]+|5[0-9]{2})"}'),
        ('a{m!~"GET|PUT",p=~".+"}', 'a{m!~"GET|PUT",p=~".+",code!~"[23].*"}'),
        ('a{x=~"^api.*$"}', 'a{x=~"^api.*$",ok="false"}'),
        ("all_total", "bad_total"),
        ('a{job="x"}', selector("a", job="x", reason='say "no"\\')),
    ],
)
def test_made_up_series_are_found_by_the_selectors_that_they_are_made_for(total, bad):
    found = counted_series(Availability(total=total, bad=bad))
    for counted in found:
        assert accepts(bad, counted.labels) is (counted.counts == "bad")
        if counted.counts != "bad" or total == "a":
            assert accepts(total, counted.labels)


@pytest.mark.parametrize(
    "sli",
    [
        Availability(total="a", bad="a"),  # nothing is good
        Availability(total="a", bad='a{code=~"(?i)x[^a-z]y{3,}z"}'),  # no simple pattern
        Latency(histogram="h", threshold=1, native=True),
        Query(error_ratio="vector(0) * sum(rate(a[{{.window}}]))"),
        Query(total="sum(rate(a[{{.window}}]))", bad="sum(rate(a[{{.window}}])) * 0.1"),
    ],
)
def test_where_no_series_can_be_made_up_the_objective_is_told_to_be_untested(sli):
    assert counted_series(sli) is None
    made = make_tests([objective(sli=sli)])
    assert not made.tests
    assert "is not tested" in made.notes[0]

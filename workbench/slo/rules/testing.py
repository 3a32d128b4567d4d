"""A file for ``promtool test rules`` that tests the alerts of objectives against told stories.

Each story is one test: counters that the objective's own selectors find, and the alerts that are to
fire at a moment shortly before or after a change. Rules with another factor or window fail it. The
alerts are asked for as the series that they write, since those of one objective can be told apart
from those of others that read the same counters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from workbench.promql import Matcher, selector
from workbench.promql.build import render_selector
from workbench.samples import Labels
from workbench.slo.objective import Objective
from workbench.slo.pairs import BurnPair, burn_pairs
from workbench.slo.rules.alerting import (
    Severity,
    alert_labels,
    alert_name,
    living_pairs,
)
from workbench.slo.rules.document import yaml_text
from workbench.slo.rules.series import Counted, counted_series
from workbench.slo.rules.story import (
    EVERY_MS,
    Phase,
    Story,
    stories_of_pair,
    story_without_alert,
    story_without_errors,
)
from workbench.units import format_duration

__all__ = ["RuleTests", "make_tests"]

_HEAD: Final = "# Made by `workbench slo rules`; run it with `promtool test rules`.\n"
_EVENTS: Final = 1_000_000.0
"""Events in a step of a story, where nothing else is asked for."""
_SEVERITIES: Final[tuple[Severity, ...]] = ("page", "ticket")


@dataclass(frozen=True, slots=True)
class RuleTests:
    """Tests of the rules of some objectives.

    Parameters
    ----------
    tests
        As they stand in the file.
    notes
        What is not tested, and why.
    """

    tests: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def to_yaml(self, rule_file: str) -> str:
        """The content of a test file.

        Parameters
        ----------
        rule_file
            The rules that it tests: a path, relative to the test file.
        """
        content = {
            "rule_files": [rule_file],
            "evaluation_interval": format_duration(EVERY_MS),
            "tests": list(self.tests),
        }
        return _HEAD + yaml_text(content)


def make_tests(objectives: Iterable[Objective]) -> RuleTests:
    """Make tests of the alerts of objectives.

    Parameters
    ----------
    objectives
        Those whose rules `make_rules` made.
    """
    tests: list[dict[str, Any]] = []
    notes: list[str] = []
    for one in sorted(objectives, key=lambda o: o.key):
        pairs = living_pairs(one, burn_pairs(one))
        series = counted_series(one.sli)
        why = _obstacle(one, pairs, series)
        if why or series is None:
            notes.append(f"{one.service} {one.name} is not tested: {why}")
            continue
        stories, untold = _stories(one, pairs)
        tests += [_test(one, story, series, events) for story, events in stories]
        notes += [f"{one.service} {one.name}: {text}" for text in untold]
    return RuleTests(tuple(tests), tuple(notes))


def _obstacle(
    one: Objective, pairs: tuple[BurnPair, ...], series: tuple[Counted, ...] | None
) -> str:
    if not pairs:
        return "it has no alert"
    if series is None:
        return "no counters can be made up from its indicator"
    if any("{{" in v for s in _SEVERITIES for v in alert_labels(one, s).values()):
        return "its labels hold templates"
    return ""


def _stories(
    one: Objective, pairs: tuple[BurnPair, ...]
) -> tuple[list[tuple[Story, float]], list[str]]:
    """Stories with the events in a step, and what cannot be told."""
    told: list[tuple[Story, float]] = []
    untold = []
    for pair in pairs:
        stories = stories_of_pair(pair, pairs, one.budget)
        if not stories:
            untold.append(f"the {pair.severity} of {pair.long} never fires alone and is not tested")
        told += [(story, _enough(one, pairs, story)) for story in stories]
        if one.min_events and stories:
            few = replace(stories[1], name=f"{stories[1].name}, but for too few events")
            told.append((replace(few, firing=frozenset()), _too_few(one, few)))
    silent = (story_without_alert(pairs, one.budget), story_without_errors(pairs))
    return [*told, *((story, _enough(one, pairs, story)) for story in silent)], untold


def _enough(one: Objective, pairs: tuple[BurnPair, ...], story: Story) -> float:
    """So many events in a step that every window holds ten times the least number."""
    steps = min(p.long_ms for p in pairs) / story.step_ms
    return max(_EVENTS, math.ceil(10 * one.min_events / steps))


def _too_few(one: Objective, story: Story) -> float:
    """So few events in a step that the whole story holds half the least number."""
    return one.min_events / 2 / sum(p.steps * p.events for p in story.phases)


def _test(
    one: Objective, story: Story, series: tuple[Counted, ...], events: float
) -> dict[str, Any]:
    return {
        "name": f"{one.key}: {story.name}",
        "interval": format_duration(story.step_ms),
        "input_series": [
            {
                "series": _selector(counted.labels),
                "values": _values(counted, story.phases, events),
            }
            for counted in series
        ],
        "promql_expr_test": [
            {
                "expr": selector("ALERTS", {"slo_key": one.key}),
                "eval_time": format_duration(story.at_ms),
                "exp_samples": [
                    {"labels": _selector(_alert(one, s)), "value": 1}
                    for s in _SEVERITIES
                    if s in story.firing
                ],
            }
        ],
    }


def _alert(one: Objective, severity: Severity) -> dict[str, str]:
    """The labels of the series that an alert writes while it fires."""
    own = {"__name__": "ALERTS", "alertname": alert_name(one), "alertstate": "firing"}
    return {**alert_labels(one, severity), **own}


def _selector(labels: Labels) -> str:
    return render_selector(Matcher(name, "=", value) for name, value in sorted(labels.items()))


def _values(counted: Counted, phases: tuple[Phase, ...], events: float) -> str:
    """A counter in promtool's notation: ``0+3x9`` is 0, 3 … 27, ``_x9`` nine times nothing.

    A counter of bad events is not there before the first of them, as in a client that has no
    series for what never happened.
    """
    value, parts, begun = 0.0, [], False
    for phase in phases:
        rise = round(events * phase.events * _share(counted, phase), 6)
        if counted.counts == "bad" and not begun and not rise:
            parts.append(f"_x{phase.steps}")
            continue
        if not begun:
            parts.append(f"0+{_digits(rise)}x{phase.steps}")
        else:
            parts.append(f"{_digits(value + rise)}+{_digits(rise)}x{phase.steps - 1}")
        value, begun = value + rise * phase.steps, True
    return " ".join(parts)


def _share(counted: Counted, phase: Phase) -> float:
    return {"all": 1.0, "bad": phase.bad, "good": 1 - phase.bad}[counted.counts]


def _digits(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")

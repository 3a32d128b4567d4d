"""Alerting rules: one page and one ticket for an objective, each of its pairs of windows."""

from __future__ import annotations

from typing import Any, Final, Literal

from workbench.promql.metric import Metric
from workbench.promql.quote import quote_number
from workbench.slo.objective import Alert, Objective
from workbench.slo.pairs import BurnPair
from workbench.slo.rules.recording import events_metric, labels_of, ratio_metric
from workbench.units import format_quantity

__all__ = ["alert_labels", "alert_name", "alerting_rules", "annotations_of", "living_pairs"]

_NAME: Final = "SLOBudgetBurn"
_WORDS: Final = {"page": "fast", "ticket": "steadily"}

Severity = Literal["page", "ticket"]


def living_pairs(objective: Objective, pairs: tuple[BurnPair, ...]) -> tuple[BurnPair, ...]:
    """The pairs that are wanted and that can fire at all."""
    return tuple(
        p for p in pairs if p.can_fire(objective.budget) and _alert(objective, p.severity).alert
    )


def alerting_rules(objective: Objective, pairs: tuple[BurnPair, ...]) -> list[dict[str, Any]]:
    """The alerting rules of one objective.

    Parameters
    ----------
    objective
        What is promised.
    pairs
        `living_pairs`; a severity without any has no alert.
    """
    rules = []
    severities: tuple[Severity, ...] = ("page", "ticket")
    for severity in severities:
        own = [p for p in pairs if p.severity == severity]
        if own:
            rules.append(
                {
                    "alert": alert_name(objective),
                    "expr": "\nor\n".join(f"(\n{_condition(objective, p)}\n)" for p in own),
                    "labels": {
                        **{k: _literal(v) for k, v in labels_of(objective).items()},
                        **_own_labels(objective, severity),
                    },
                    "annotations": annotations_of(objective, severity),
                }
            )
    return rules


def alert_name(objective: Objective) -> str:
    """What its alerts are called."""
    return objective.alerting.name or _NAME


def alert_labels(objective: Objective, severity: Severity) -> dict[str, str]:
    """All labels that an alert bears when it fires, its name aside."""
    return {**labels_of(objective), **_own_labels(objective, severity)}


def _own_labels(objective: Objective, severity: Severity) -> dict[str, str]:
    alert = _alert(objective, severity)
    more = {**objective.alerting.labels, **alert.labels}
    return {**more, "severity": alert.severity or severity}


def annotations_of(objective: Objective, severity: Severity) -> dict[str, str]:
    """The annotations of an alert: ours first, then those of the objective, which take precedence."""
    over = f"a calendar {objective.window}" if objective.is_calendar else objective.window
    promised = f"{format_quantity(objective.target, 'ratio')} over {over}"
    name = f"{objective.service} {objective.name}"
    said = f" {objective.description.strip()}" if objective.description.strip() else ""
    ours = {
        "summary": f"{name}: the error budget burns {_WORDS[severity]}",
        "description": f"Of {name}, {promised} is promised; at the rate of the last hours "
        f"the error budget will not last.{said}",
    }
    alert = _alert(objective, severity)
    theirs = {**objective.annotations, **objective.alerting.annotations, **alert.annotations}
    return {**{k: _literal(v) for k, v in ours.items()}, **theirs}


def _alert(objective: Objective, severity: Severity) -> Alert:
    return objective.alerting.page if severity == "page" else objective.alerting.ticket


def _literal(text: str) -> str:
    """Text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _condition(objective: Objective, pair: BurnPair) -> str:
    """Both windows above the rate; with `min_events`, enough happened in the longer one."""
    limit = f"({quote_number(pair.factor)} * {quote_number(objective.budget)})"
    lines = [f"{_one(objective, ratio_metric(w))} > {limit}" for w in (pair.long, pair.short)]
    if objective.min_events:
        total = _one(objective, events_metric(pair.long))
        lines.append(f"{total} >= {quote_number(objective.min_events)}")
    return "\nand\n".join(f"  {line}" for line in lines)


def _one(objective: Objective, metric: str) -> str:
    """A recorded series without its window, so that those of several windows match."""
    return str(Metric(metric, {"slo_key": objective.key}).value().max(without="slo_window"))

"""Recording rules: the error ratio over every window that an alert or a dashboard looks at.

Names follow the custom of ``level:metric:operations``, and the layout that Sloth has made common:

- ``slo:sli_error:ratio_rate5m`` … the share of bad events over each window;
- ``slo:sli_bad_events:increase5m``, ``slo:sli_total_events:increase5m`` their numbers;
- ``slo:objective:ratio``, ``slo:error_budget:ratio``, ``slo:time_period:days`` what was promised;
- ``slo:current_burn_rate:ratio``, ``slo:period_burn_rate:ratio`` and
  ``slo:period_error_budget_remaining:ratio`` where it stands.

The ratio over the whole window is made of the recorded numbers, each weighing as much as it had
events: asking the raw counters over 30 days at every evaluation would cost too much, and the mean of
short ratios, which is often taken for it, counts a night as much as a day.
"""

from __future__ import annotations

from typing import Any, Final

from workbench.promql import Expression, selector
from workbench.promql.metric import Metric
from workbench.slo.objective import Objective
from workbench.slo.pairs import BurnPair
from workbench.units import format_duration, parse_duration

__all__ = ["events_metric", "labels_of", "ratio_metric", "recording_rules"]

_SHORTEST: Final = "5m"
_DAY_MS: Final = 86_400_000


def ratio_metric(window: str) -> str:
    """The metric of the share of bad events over a window."""
    return f"slo:sli_error:ratio_rate{window}"


def events_metric(window: str, which: str = "total") -> str:
    """The metric of a number of events in a window; `which` is ``total`` or ``bad``."""
    return f"slo:sli_{which}_events:increase{window}"


def labels_of(objective: Objective) -> dict[str, str]:
    """The labels of all series that are recorded for an objective."""
    own = {"service": objective.service, "slo": objective.name, "slo_key": objective.key}
    owner = {"owner": objective.owner} if objective.owner else {}
    return {**owner, **objective.labels, **own}


def recording_rules(objective: Objective, pairs: tuple[BurnPair, ...]) -> list[dict[str, Any]]:
    """The recording rules of one objective, in the order in which they need each other.

    Parameters
    ----------
    objective
        What is promised.
    pairs
        The pairs of windows that alert.
    """
    shortest = _shortest(pairs)
    lengths = {parse_duration(shortest), *(ms for p in pairs for ms in (p.short_ms, p.long_ms))}
    rules = [_ratio(objective, format_duration(ms)) for ms in sorted(lengths)]
    rules += _numbers(objective, pairs, shortest)
    whole = _whole_window(objective, shortest)
    if whole is not None:
        window = format_duration(objective.window_ms)
        rules.append(_rule(objective, ratio_metric(window), whole, slo_window=window))
    return rules + _metadata(objective, shortest, has_whole=whole is not None)


def _shortest(pairs: tuple[BurnPair, ...]) -> str:
    return min(pairs, key=lambda p: p.short_ms).short if pairs else _SHORTEST


def _rule(objective: Objective, name: str, expression: str, **more: str) -> dict[str, Any]:
    return {"record": name, "expr": str(expression), "labels": {**labels_of(objective), **more}}


def _ratio(objective: Objective, window: str) -> dict[str, Any]:
    expression = objective.sli.error_ratio(window)
    return _rule(objective, ratio_metric(window), expression, slo_window=window)


def _numbers(
    objective: Objective, pairs: tuple[BurnPair, ...], shortest: str
) -> list[dict[str, Any]]:
    """Numbers of events: of the shortest window, and where an alert asks for a least number."""
    if not objective.sli.has_counts:
        return []
    guarded = [p.long for p in pairs] if objective.min_events else []
    asked = [(shortest, "bad"), *((w, "total") for w in dict.fromkeys((shortest, *guarded)))]
    return [
        _rule(objective, events_metric(w, which), _count(objective, w, which), slo_window=w)
        for w, which in asked
    ]


def _count(objective: Objective, window: str, which: str) -> str:
    sli = objective.sli
    return str(sli.bad_events(window) if which == "bad" else sli.total_events(window))


def _whole_window(objective: Objective, shortest: str) -> Expression | None:
    """The share of bad events over the whole window; None for the calendar's, whose start moves."""
    if objective.is_calendar:
        return None
    length, key = objective.window_ms / 1000, {"slo_key": objective.key}
    if not objective.sli.has_counts:
        return Metric(ratio_metric(shortest), key).over(length).avg().avg()
    bad, total = (
        Metric(events_metric(shortest, which), key).over(length).sum().sum()
        for which in ("bad", "total")
    )
    return bad / total.above(0)


def _metadata(objective: Objective, shortest: str, *, has_whole: bool) -> list[dict[str, Any]]:
    key = {"slo_key": objective.key}
    budget = selector("slo:error_budget:ratio", key)
    period = format_duration(objective.window_ms)
    rules = [
        _rule(objective, "slo:objective:ratio", f"vector({objective.target!r})"),
        _rule(objective, "slo:error_budget:ratio", f"vector({objective.budget!r})"),
        _rule(objective, "slo:time_period:days", f"vector({objective.window_ms / _DAY_MS:.15g})"),
        _rule(objective, "slo:current_burn_rate:ratio", _over(ratio_metric(shortest), key, budget)),
    ]
    if has_whole:
        burnt = _over(ratio_metric(period), key, budget)
        left = f"1 - {selector('slo:period_burn_rate:ratio', key)}"
        rules.append(_rule(objective, "slo:period_burn_rate:ratio", burnt))
        rules.append(_rule(objective, "slo:period_error_budget_remaining:ratio", left))
    return rules


def _over(metric: str, key: dict[str, str], budget: str) -> str:
    return f"{selector(metric, key)} / on (slo_key) group_left () {budget}"

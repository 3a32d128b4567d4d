"""What to ask for rate limits: rates summed by the server, and what gauges tell is left.

Rates are summed by provider and model in the server, so that answers have a few hundred series
however many there are below; that is `rate()`, whose figures are held against the exact counts of
`workbench.spend.counting` before they are believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from workbench.errors import InputError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.question import Question
from workbench.promql.quote import is_bare_metric, quote_label, quote_number
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import Fit
from workbench.spend.profiles.profile import CounterMetric
from workbench.spend.rate_limits.limits import RateLimit
from workbench.units import format_duration
from workbench.window import MAX_POINTS, Window

__all__ = ["GAUGES", "plan_rate_limits", "taken_apart", "window_for"]

GAUGES: Final = ("remaining_requests", "remaining_tokens")
"""Gauges that tell what is left; asked as ``NAME`` where they move, and as ``NAME_still`` always."""

_SHORTEST_MS: Final = 300_000
"""Rates are means over five minutes, or over a step where that is longer."""

_MOST_SAMPLES: Final = 16_000_000
"""Samples that a server holds for one question: a third of what Prometheus does at most."""

_TARGET: Final = "job, instance, pod"
"""What tells targets apart: of alternative metrics each target's first is read."""


def plan_rate_limits(
    fits: Sequence[Fit],
    days: CalendarDays,
    *,
    step_ms: int,
    where: Sequence[Matcher] = (),
    now_ms: int | None = None,
    limits: Sequence[RateLimit] = (),
    series: int = 50_000,
) -> tuple[Question, ...]:
    """Plan what to ask.

    Parameters
    ----------
    fits
        What `detect` found.
    days
        The period; with the history before it where growth is to be told.
    step_ms
        Distance of the grid's points.
    where
        Conditions on all series.
    now_ms
        The source's now: nothing after it is asked.
    limits
        The user's: teams and cached tokens are asked for only where one of them needs it.
    series
        How many series the largest metric has; the more, the shorter are the windows.

    Raises
    ------
    InputError
        The step is not positive.

    Examples
    --------
    >>> from datetime import date
    >>> from workbench.spend.profiles.detection import detect
    >>> fits = detect(["vllm:generation_tokens_total"])
    >>> days = CalendarDays.between(date(2026, 3, 1), date(2026, 3, 1))
    >>> print(plan_rate_limits(fits, days, step_ms=300_000, series=900)[0].expression)
    sum by (model_name) (rate(vllm:generation_tokens_total[5m]))
    """
    if step_ms <= 0:
        msg = f"step_ms is {step_ms}"
        raise InputError(msg, "give the distance of the grid's points, such as 300000")
    end_ms = min(days.end_ms, now_ms) if now_ms is not None else days.end_ms
    start_ms = -(-days.start_ms // step_ms) * step_ms + step_ms
    if end_ms < start_ms:
        return ()
    whole = Window(start_ms, end_ms // step_ms * step_ms, step_ms)
    points = max(min(_MOST_SAMPLES // max(series, 1), MAX_POINTS), 1)
    span_ms = window_for(step_ms)
    asked = [
        (f"rate_limits/{fit.profile.name}/{name}", text)
        for fit in fits
        for name, text in (*_rates(fit, span_ms, where, limits), *_gauges(fit, span_ms, where))
    ]
    return tuple(
        Question(f"{key}@{window.start_ms}", text, window)
        for window in whole.split(points)
        for key, text in asked
    )


def window_for(step_ms: int) -> int:
    """Over how many milliseconds rates are means."""
    return max(_SHORTEST_MS, step_ms)


def taken_apart(key: str) -> tuple[str, str] | None:
    """The profile and the measure that a question's key names; None for others' questions.

    Examples
    --------
    >>> taken_apart("rate_limits/litellm/requests@0")
    ('litellm', 'requests')
    """
    parts = key.rpartition("@")[0].split("/")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "rate_limits" else None


def _rates(
    fit: Fit, span_ms: int, where: Sequence[Matcher], limits: Sequence[RateLimit]
) -> Iterator[tuple[str, str]]:
    profile, span = fit.profile, format_duration(span_ms)
    measures = ["requests", "input", "output", "rate_limited"]
    if profile.output_includes_reasoning == "no":
        measures.append("reasoning")
    if profile.input_includes_cached == "no" or not all(each.counts_cached for each in limits):
        measures += ["cache_read", "cache_write"]
    teams = any(each.team for each in limits)
    for measure in measures:
        if metrics := [metric for _, metric in fit.found.get(measure, ())]:
            rates = [_rate(metric, fit, span, where) for metric in metrics]
            names = _labels(fit, metrics, teams=teams)
            yield measure, f"sum by ({names}) ({f' or on ({_TARGET}) '.join(rates)})"


def _rate(metric: CounterMetric, fit: Fit, span: str, where: Sequence[Matcher]) -> str:
    rate = f"rate({_selector(metric, fit, where)}[{span}])"
    return rate if metric.scale == 1 else f"{rate} * {quote_number(metric.scale)}"


def _gauges(fit: Fit, span_ms: int, where: Sequence[Matcher]) -> Iterator[tuple[str, str]]:
    """The least over all series of a model, of those that move, and of all.

    A gauge keeps the value of the last answer. A key that is used no more would show for ever how
    little was left then, so what stands still does not count where something moves. Movement is
    looked for in two spans, since the step from one span to the next lies in neither.
    """
    span, longer = format_duration(span_ms), format_duration(2 * span_ms)
    for name in GAUGES:
        if metric := fit.gauges.get(name):
            picked = _selector(metric, fit, where)
            least = f"min_over_time({picked}[{span}])"
            if metric.scale != 1:
                least = f"{least} * {quote_number(metric.scale)}"
            names = _labels(fit, [metric], teams=False)
            moving = f"{least} unless changes({picked}[{longer}]) == 0"
            yield name, f"min by ({names}) ({moving})"
            yield f"{name}_still", f"min by ({names}) ({least})"


def _selector(metric: CounterMetric, fit: Fit, where: Sequence[Matcher]) -> str:
    conditions = sorted({*metric.matchers, *fit.where, *where})
    return render_selector((Matcher("__name__", "=", metric.metric), *conditions))


def _labels(fit: Fit, metrics: Sequence[CounterMetric], *, teams: bool) -> str:
    """The labels to sum by; a server before Prometheus 3 cannot read names with dots."""
    labels = fit.profile.labels
    bare = all(is_bare_metric(metric.metric) for metric in metrics)
    names = dict.fromkeys((*labels.provider, *labels.model, *(labels.team if teams else ())))
    return ", ".join(quote_label(n) for n in names if not bare or is_bare_metric(n))

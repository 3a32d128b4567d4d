"""What to ask of one's own machines: how many are paid, how busy their servers are, and at what rates.

Tokens and seconds are counters and are read with all other usage; this is what gauges tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.question import Question
from workbench.promql.quote import quote_label
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import Fit
from workbench.spend.profiles.profile import CounterMetric
from workbench.spend.self_hosted.machines import Machine
from workbench.units import format_duration
from workbench.window import MAX_POINTS, Window

__all__ = ["PREFIX", "plan_self_hosted"]

PREFIX: Final = "self_hosted"
"""Begins the key of each question: ``self_hosted/KIND/NAME@START``."""

_RATE_MS: Final = 300_000
"""Rates are means of five minutes at least: a peak of one scrape is no throughput."""

_MINUTE_MS: Final = 60_000


def plan_self_hosted(
    fits: Sequence[Fit],
    machines: Sequence[Machine],
    days: CalendarDays,
    *,
    step_ms: int,
    where: Sequence[Matcher] = (),
    now_ms: int | None = None,
) -> tuple[Question, ...]:
    """Plan what to ask.

    Parameters
    ----------
    fits
        What `workbench.spend.profiles.detection.detect` found; servers among them are asked.
    machines
        What the user told of machines; without any, nothing is asked.
    days
        The calendar days of the period.
    step_ms
        Distance of the grid's points in milliseconds.
    where
        Conditions on all series but those of a machine's own `count_from`.
    now_ms
        The source's now: nothing after it is asked.

    Returns
    -------
    tuple of Question
        Of any order; their answers go to `self_hosted` by their keys.

    Examples
    --------
    >>> from datetime import date
    >>> from workbench.spend.profiles.detection import detect
    >>> fits = detect(["vllm:generation_tokens_total", "vllm:num_requests_running"])
    >>> days = CalendarDays.between(date(2026, 3, 1), date(2026, 3, 7))
    >>> machine = Machine(name="gpu-1", price_per_hour="2.49")
    >>> for question in plan_self_hosted(fits, [machine], days, step_ms=300_000):
    ...     print(question.key.partition("|")[0], question.expression)
    self_hosted/idle/vllm avg by (job, model_name) (avg_over_time((vllm:num_requests_running == bool 0)[5m:1m]))
    self_hosted/output/vllm sum by (job, model_name) (rate(vllm:generation_tokens_total[5m]))
    """
    if not machines:
        return ()
    end_ms = days.end_ms if now_ms is None else min(days.end_ms, now_ms)
    end_ms = end_ms // step_ms * step_ms
    start_ms = -(-(days.start_ms + 1) // step_ms) * step_ms
    if end_ms < start_ms:
        return ()
    windows = list(Window(start_ms, end_ms, step_ms).split(MAX_POINTS))
    asked = [
        *(("hours", m.name, m.counting) for m in machines if m.counting),
        *(each for fit in fits if fit.profile.layer == "server" for each in _of_server(
            fit, step_ms, where
        )),
    ]  # fmt: skip
    return tuple(
        Question(f"{PREFIX}/{kind}/{name}@{window.start_ms}", text, window)
        for kind, name, text in asked
        for window in windows
    )


def _of_server(fit: Fit, step_ms: int, where: Sequence[Matcher]) -> Iterator[tuple[str, str, str]]:
    """Kind, name and expression of each question about one profile's servers.

    The name carries the labels that tell models apart, so that whoever reads the answers needs no
    profile.
    """
    models = fit.profile.labels.model
    name = f"{fit.profile.name}|{','.join(models)}"
    by = ", ".join(quote_label(label) for label in sorted({"job", *models}))
    span, rate = format_duration(step_ms), format_duration(max(step_ms, _RATE_MS))

    def series(metric: CounterMetric) -> str:
        matchers = {*metric.matchers, *fit.where, *where}
        return render_selector((Matcher("__name__", "=", metric.metric), *sorted(matchers)))

    if "idle_seconds" in fit.found:
        idle = series(fit.found["idle_seconds"][0][1])
        yield "idle", name, f"avg by ({by}) (rate({idle}[{rate}]))"
    elif "running" in fit.gauges:
        still = f"{series(fit.gauges['running'])} == bool 0"
        if step_ms > _MINUTE_MS:
            still = f"avg_over_time(({still})[{span}:1m])"
        yield "idle", name, f"avg by ({by}) ({still})"
    if "waiting" in fit.gauges:
        waiting = f"avg_over_time({series(fit.gauges['waiting'])}[{span}])"
        yield "waiting", name, f"sum by ({by}) ({waiting})"
    if "cache_usage" in fit.gauges:
        full = f"max_over_time({series(fit.gauges['cache_usage'])}[{span}])"
        yield "cache", name, f"max by ({by}) ({full})"
    for measure in ("input", "output"):
        if measure in fit.found:
            counter = series(fit.found[measure][0][1])
            yield measure, name, f"sum by ({by}) (rate({counter}[{rate}]))"

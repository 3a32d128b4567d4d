"""What to ask for usage: raw counters on a grid over calendar days, in pieces that fit.

Raw values, not `increase()`: a server's `increase` extrapolates, hides what was lost at restarts,
and knows no calendar days of a time zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from workbench.errors import InputError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.question import Question
from workbench.promql.quote import is_bare_metric, quote_label, quote_regex
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import Fit
from workbench.spend.profiles.profile import HistogramMetric
from workbench.units import Duration, format_duration, parse_duration
from workbench.window import MAX_POINTS, Window

__all__ = ["Asked", "UsagePlan", "plan_usage", "windows"]

_MOST_SAMPLES: Final = 16_000_000
"""Samples of one answer: 150 MB as a frame, and a third of what Prometheus answers at most."""

_MANY_SERIES: Final = 50_000
"""How many series a metric is taken to have where nobody counted them."""

_DAY_MS: Final = 86_400_000
_LEAST_STEP_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What one question asks for.

    Parameters
    ----------
    piece
        The number of the piece of time, 0 for the run-up before the first day; −1 for histograms.
    profile
        The profile's name, ``""`` for what is asked of the targets.
    measure
        A measure, a histogram's name, ``up`` or ``start``.
    alternative
        Which of the measure's metrics.
    """

    piece: int
    profile: str
    measure: str
    alternative: int = 0


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """All questions of one analysis of usage.

    Parameters
    ----------
    fits
        The profiles that are read.
    days
        The calendar days.
    step_ms
        Distance of the grid's points.
    pieces
        The questions of each piece of time, to be asked and taken in this order.
    histograms
        Questions about distributions, of any order.
    asked
        What each question asks for, by its key.
    """

    fits: tuple[Fit, ...]
    days: CalendarDays
    step_ms: int
    pieces: tuple[tuple[Question, ...], ...]
    histograms: tuple[Question, ...]
    asked: Mapping[str, Asked]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All of them, in order."""
        return (*(q for piece in self.pieces for q in piece), *self.histograms)


def plan_usage(
    fits: Sequence[Fit],
    first: date,
    last: date,
    *,
    zone: str = "UTC",
    now_ms: int | None = None,
    step: Duration = "5m",
    before: Duration = "1d",
    series: int = _MANY_SERIES,
    jobs: Sequence[str] = (),
    where: Sequence[Matcher] = (),
) -> UsagePlan:
    """Plan what to ask.

    Parameters
    ----------
    fits
        What `detect` found.
    first, last
        The first and the last calendar day, both included.
    zone
        The time zone whose midnights part the days.
    now_ms
        The source's now: nothing after it is asked.
    step
        Distance of the grid's points: the scrape interval, or a multiple of it. What counters did
        between the last point and a restart is lost, so a shorter one loses less.
    before
        How long before the first day to look, for the last sample before it, the rate there, and
        which targets were there already.
    series
        How many series the largest metric has; the more, the smaller are the pieces.
    jobs
        Values of the label ``job`` whose targets' ``up`` and ``process_start_time_seconds`` are
        asked too: they tell restarts that no value shows, and first values that count.
    where
        Conditions on all series, such as a cluster.

    Raises
    ------
    InputError
        No profile, no day before now, or a step below a second or that does not fit into an hour.

    Examples
    --------
    >>> from workbench.spend.profiles.detection import detect
    >>> plan = plan_usage(
    ...     detect(["vllm:generation_tokens_total"]), date(2026, 3, 1), date(2026, 3, 3), series=900
    ... )
    >>> [str(q.window) for piece in plan.pieces for q in piece][1:]
    ['2026-03-01T00:05:00Z to 2026-03-04T00:00:00Z, step 5m']
    >>> plan.pieces[0][0].expression
    'vllm:generation_tokens_total'
    """
    if not fits:
        msg = "no LLM profile fits the metrics that are there"
        raise InputError(msg, "write a profile of your own, or check the source and its matchers")
    step_ms = parse_duration(step)
    if step_ms < _LEAST_STEP_MS or 3_600_000 % step_ms:
        msg = f"step is {step!r}"
        raise InputError(
            msg, "give a step of a second or more, of which an hour has a whole number, such as 5m"
        )
    days = CalendarDays.between(first, last, zone)
    if now_ms is not None and now_ms <= days.start_ms:
        msg = f"{first} has not begun at the source's now"
        raise InputError(msg, "give an earlier first day")
    pieces_of_time = windows(days, step_ms, parse_duration(before), series, now_ms)
    asked: dict[str, Asked] = {}
    pieces = tuple(
        tuple(_of_piece(piece, fits, jobs, where, asked)) for piece in enumerate(pieces_of_time)
    )
    histograms = tuple(_of_histograms(fits, days, where, now_ms, asked))
    return UsagePlan(tuple(fits), days, step_ms, pieces, histograms, asked)


def windows(
    days: CalendarDays, step_ms: int, before_ms: int, series: int, now_ms: int | None
) -> list[Window]:
    """The run-up, then days together or parts of days, none of which has too many samples.

    Parameters
    ----------
    days, step_ms
        What is counted, and the grid.
    before_ms
        How long the run-up is.
    series
        How many series the largest metric has.
    now_ms
        Nothing after it is asked.
    """
    most = max(min(_MOST_SAMPLES // max(series, 1), MAX_POINTS), 1)
    # The first point at or after the last midnight closes its interval.
    end_ms = -(-days.end_ms // step_ms) * step_ms
    if now_ms is not None:
        end_ms = min(end_ms, now_ms // step_ms * step_ms)
    start_ms = days.start_ms // step_ms * step_ms
    cuts = [start_ms]
    for bound in days.bounds_ms[1:].tolist():
        cut = min(-(-bound // step_ms) * step_ms, end_ms)
        if len(cuts) > 1 and (cut - cuts[-2]) // step_ms <= most:
            cuts[-1] = cut
        elif cut > cuts[-1]:
            cuts.append(cut)
    result = list(
        Window(start_ms - max(before_ms, step_ms), start_ms, step_ms).aligned().split(most)
    )
    for begin, end in pairwise(cuts):
        result += Window(begin + step_ms, end, step_ms).split(most)
    return result


def _of_piece(
    piece: tuple[int, Window],
    fits: Sequence[Fit],
    jobs: Sequence[str],
    where: Sequence[Matcher],
    asked: dict[str, Asked],
) -> list[Question]:
    number, window = piece
    result = []
    if jobs:
        matcher = Matcher("job", "=~", "|".join(map(quote_regex, sorted(set(jobs)))))
        for measure, name in (("up", "up"), ("start", "process_start_time_seconds")):
            text = _selector(name, [matcher, *where])
            result.append(_question(Asked(number, "", measure), text, window, asked))
    for fit in fits:
        for measure, metrics in fit.found.items():
            for place, metric in metrics:
                text = _selector(metric.metric, [*metric.matchers, *fit.where, *where])
                what = Asked(number, fit.profile.name, measure, place)
                result.append(_question(what, text, window, asked))
    return result


def _of_histograms(
    fits: Sequence[Fit],
    days: CalendarDays,
    where: Sequence[Matcher],
    now_ms: int | None,
    asked: dict[str, Asked],
) -> list[Question]:
    """Buckets by provider and model at each day's end: days of one length are asked together."""
    result = []
    for fit in fits:
        for name, metric in fit.histograms.items():
            for window, length in _day_ends(days, now_ms):
                text = _buckets(fit, metric, length, where)
                what = Asked(-1, fit.profile.name, name)
                result.append(_question(what, text, window, asked))
    return result


def _day_ends(days: CalendarDays, now_ms: int | None) -> list[tuple[Window, int]]:
    bounds = days.bounds_ms.tolist()
    if now_ms is not None:
        bounds = [b for b in bounds if b < now_ms] + (
            [now_ms] if now_ms < bounds[-1] else bounds[-1:]
        )
    result: list[tuple[Window, int]] = []
    for start, end in pairwise(bounds):
        length = end - start
        if length <= 0:
            continue
        if result and length == _DAY_MS == result[-1][1]:
            result[-1] = (Window(result[-1][0].start_ms, end, _DAY_MS), length)
        else:
            result.append((Window(end, end, _DAY_MS), length))
    return result


def _buckets(fit: Fit, metric: HistogramMetric, length_ms: int, where: Sequence[Matcher]) -> str:
    dimensions = fit.profile.labels
    # Labels have dots where the metric has: a server before Prometheus 3 cannot even read them.
    plain = is_bare_metric(metric.metric)
    names = dict.fromkeys((*dimensions.provider, *dimensions.model))
    labels = ["le", *(n for n in names if is_bare_metric(n) == plain)]
    selected = _selector(f"{metric.metric}_bucket", [*metric.matchers, *fit.where, *where])
    by = ", ".join(map(quote_label, labels))
    return f"sum by ({by}) (increase({selected}[{format_duration(length_ms)}]))"


def _selector(name: str, matchers: Sequence[Matcher]) -> str:
    return render_selector((Matcher("__name__", "=", name), *sorted(set(matchers))))


def _question(what: Asked, text: str, window: Window, asked: dict[str, Asked]) -> Question:
    # A key says what it asks; windows of one measure differ by where they start.
    key = f"{what.profile}/{what.measure}/{what.alternative}@{window.start_ms}"
    asked[key] = what
    return Question(key, text, window)

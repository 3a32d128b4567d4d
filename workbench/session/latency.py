"""The latency study: discover what measures it, ask, judge, join."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import InputError, SourceError, did_you_mean
from workbench.frame import Frame
from workbench.latency.analysis import DEFAULT_QUANTILES, analyse
from workbench.latency.changes import Against, Changes, parse_compare
from workbench.latency.deploys import Deploy
from workbench.latency.exemplars import Exemplar, read_exemplars, trace_template
from workbench.latency.instrument import Discovery, Instrument, Kind, discover
from workbench.latency.planning import default_by, questions, tail_labels
from workbench.promql import Question
from workbench.session.audit_names import split_selectors
from workbench.session.deploys import build_metrics, deploys_of_jobs, given_deploys
from workbench.session.latency_study import LatencyStudy
from workbench.units import format_duration, parse_duration
from workbench.window import Window

if TYPE_CHECKING:
    from workbench.session.workbench import Workbench
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["LatencyRequest", "check_request", "plan_latency", "study_latency"]

_MOST_INSTRUMENTS: Final = 8
"""Without a wish, so many histograms are studied."""

_NICE_MS: Final = (
    *(s * 1_000 for s in (5, 10, 15, 30)),
    *(m * 60_000 for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)),
)
_LEAST_STEPS: Final = 6
"""Without a wish, a short range has at least so many steps."""

_WINDOWS: Final = 100
"""Without a wish, the windows compared are about this part of the range."""

_SHORTEST_COMPARED_MS: Final = 15 * 60_000
_LONGEST_COMPARED_MS: Final = 3 * 3_600_000
_STEPS_COMPARED: Final = 12


@dataclass(frozen=True, slots=True)
class LatencyRequest:
    """What is asked of a study, in the words of people; see `Workbench.latency`."""

    metrics: str | Iterable[str] = ""
    by: str | Iterable[str] = ""
    last: Duration = "14d"
    end: Time | None = None
    step: Duration | None = None
    objectives: str | Iterable[Duration] = ""
    quantiles: str | Iterable[float] = DEFAULT_QUANTILES
    compare: str = "deploys"
    deploys: str = ""
    compare_window: Duration | None = None
    trace_link: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was found and will be asked."""

    found: Discovery
    window: Window
    changes: Changes
    tails: Mapping[str, Sequence[str]]
    asked: Sequence[Question]
    left_out: Sequence[str]


def check_request(request: LatencyRequest) -> None:
    """Read the texts of a request before any source is asked.

    Raises
    ------
    InputError
        One cannot be read.
    """
    _selectors(request.metrics)
    _quantiles(request.quantiles)
    _objectives(request.objectives)
    parse_compare(request.compare, now_ms=0)
    if request.trace_link:
        trace_template(request.trace_link)


def plan_latency(workbench: Workbench, request: LatencyRequest) -> list[Question]:
    """What a study would ask, beyond what it asks to find out what is there."""
    plan = _plan(workbench, request)
    if not plan.asked and plan.found.unusable:
        first = plan.found.unusable[0]
        msg = f"{first.name} cannot be studied: {first.reason}"
        raise InputError(msg, first.mend)
    return list(plan.asked)


def study_latency(workbench: Workbench, request: LatencyRequest) -> LatencyStudy:
    """Study latency: see `Workbench.latency`."""
    check_request(request)
    quantiles, objectives = _quantiles(request.quantiles), _objectives(request.objectives)
    plan = _plan(workbench, request)
    answers = workbench.ask_all(plan.asked)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = analyse(
        plan.found.instruments,
        frames,
        plan.window,
        quantiles=quantiles,
        objectives=objectives,
        tails=plan.tails,
        changes=plan.changes,
        exemplars=_exemplars(workbench, plan, request.trace_link),
        missing=plan.found.unusable,
        left_out=plan.left_out,
    )
    return LatencyStudy(result, [a.provenance for a in answers.values()])


def _plan(workbench: Workbench, request: LatencyRequest) -> _Plan:
    source = workbench.source
    window, length_ms = _windows(workbench, request)
    names = source.label_values("__name__", (), window.start_ms, window.end_ms)
    if not names:
        msg = f"{source.info().name} holds nothing at all from {window}"
        raise InputError(
            msg,
            "choose a range that has data: -p last=… and -p end=… (last=, end=); of a server that "
            "has just begun, a shorter one, such as 10m",
        )
    named = _selectors(request.metrics)
    found = discover(source.metrics(), names, named)
    most = len(found.instruments) if named else _MOST_INSTRUMENTS
    if not found.instruments and not found.unusable:
        msg = f"{source.info().name} has no histogram or summary of a time"
        raise InputError(
            msg,
            "name one with metrics=, such as request_duration_seconds; `wb.metrics()` lists all",
        )
    changes = parse_compare(request.compare, now_ms=source.now_ms())
    wished = _words(request.by)
    instruments: list[Instrument] = []
    tails: dict[str, list[str]] = {}
    labels: set[str] = set()
    for instrument in found.instruments[:most]:
        values = _label_values(workbench, instrument, window)
        by = tuple(wished) if wished else default_by(values)
        if changes.label and changes.label not in by:
            by = (*by, changes.label)
        instruments.append(replace(instrument, by=by))
        tails[instrument.key] = tail_labels(values, by)
        labels |= values.keys()
    _check_labels([*wished, *filter(None, [changes.label])], labels)
    deploys = (
        _deploys(workbench, request.deploys, instruments, window, names)
        if changes.against is Against.DEPLOYS
        else {}
    )
    changes = replace(changes, length_ms=length_ms, deploys=deploys)
    unasked = changes.against is Against.DEPLOYS and not request.deploys
    if unasked and not any(deploys.values()):
        changes = replace(changes, against=Against.NONE)
    asked = questions(instruments, window, history_ms=changes.history_ms(window), tails=tails)
    left_out = [i.name for i in found.instruments[most:]]
    studied = Discovery(tuple(instruments), found.unusable)
    return _Plan(studied, window, changes, tails, asked, left_out)


# ---------------------------------------------------------------- reading what was wished


def _each(given: Any) -> list[Any]:
    """Words of a text, what a list holds, or the one thing that is given; None is nothing."""
    if isinstance(given, str):
        return given.split()
    if given is None:
        return []
    return list(given) if isinstance(given, Iterable) else [given]


def _words(given: str | Iterable[str]) -> list[str]:
    return [str(each) for each in _each(given)]


def _selectors(given: str | Iterable[str]) -> list[str]:
    return split_selectors(given if isinstance(given, str) else _words(given))


def _quantiles(given: str | Iterable[float]) -> tuple[float, ...]:
    words = _each(given)
    try:
        found = sorted({float(word) for word in words})
    except (TypeError, ValueError):
        found = [0.0]
    if not all(0 < q < 1 for q in found):
        msg = f"the quantiles are {given!r}"
        raise InputError(msg, 'give numbers above 0 and below 1: "0.5 0.95 0.99"')
    return tuple(found) or DEFAULT_QUANTILES


def _objectives(given: str | Iterable[Duration]) -> tuple[float, ...]:
    found = sorted({parse_duration(word) / 1000 for word in _each(given)})
    if any(not each > 0 for each in found):
        msg = f"an objective of {given!r} is not above 0"
        raise InputError(msg, "give durations such as 250ms or 1s")
    return tuple(found)


def _windows(workbench: Workbench, request: LatencyRequest) -> tuple[Window, int]:
    """The range with its step, and how long the windows are that are compared."""
    given_ms = parse_duration(request.step) if request.step else 0
    if request.compare_window:
        length_ms = parse_duration(request.compare_window)
    else:
        wished = parse_duration(request.last) / _WINDOWS
        nice = next((n for n in _NICE_MS if n >= wished), _NICE_MS[-1])
        length_ms = min(max(nice, _SHORTEST_COMPARED_MS), _LONGEST_COMPARED_MS)
        length_ms = max(length_ms, _STEPS_COMPARED * given_ms)
    wished = min(length_ms / _STEPS_COMPARED, parse_duration(request.last) / _LEAST_STEPS)
    step_ms = given_ms or next((n for n in _NICE_MS if n >= wished), _NICE_MS[-1])
    if request.compare_window and length_ms < 2 * step_ms:
        msg = f"compare_window is {request.compare_window}, shorter than two steps of {format_duration(step_ms)}"
        raise InputError(msg, "make it longer, or give a shorter step")
    window = workbench.window(last=request.last, end=request.end or None, step=f"{step_ms}ms")
    if len(window) < 3:
        msg = f"the range {window} has fewer than two steps"
        raise InputError(msg, "make last longer, or step or compare_window shorter")
    return window, length_ms


# ---------------------------------------------------------------- looking around


def _label_values(workbench: Workbench, instrument: Instrument, window: Window) -> dict[str, int]:
    """How many values each label of an instrument has."""
    source, matchers = workbench.source, [instrument.counted]
    span = window.start_ms, window.end_ms
    return {
        name: len(source.label_values(name, matchers, *span))
        for name in source.label_names(matchers, *span)
    }


def _check_labels(wished: Iterable[str], known: Collection[str]) -> None:
    """Refuse labels that no series has; where there is no series, a finding tells that."""
    named = sorted(set(known) - {"__name__", "le", "quantile"})
    for label in wished:
        if label in ("__name__", "le", "quantile"):
            msg = f"{label!r} tells no groups apart"
            raise InputError(msg, f"name another label: there are {_some(named)}")
        if known and label not in known:
            msg = f"no series has the label {label!r}"
            raise InputError(msg, did_you_mean(label, named) or f"there are {_some(named)}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) or "none"


def _deploys(
    workbench: Workbench,
    wished: str,
    instruments: Sequence[Instrument],
    window: Window,
    names: Sequence[str],
) -> dict[str, tuple[Deploy, ...]]:
    """The deploys that concern each instrument, by its key."""
    if wished and wished not in names:
        given = given_deploys(workbench, wished)
        return {i.key: given for i in instruments}
    metrics = [wished] if wished else build_metrics(names)
    found: dict[str, tuple[Deploy, ...]] = {}
    for instrument in instruments:
        span = window.start_ms, window.end_ms
        jobs = workbench.source.label_values("job", [instrument.counted], *span)
        found[instrument.key] = deploys_of_jobs(
            workbench, metrics, jobs or [""], window, wished=bool(wished)
        )
    return found


def _exemplars(workbench: Workbench, plan: _Plan, trace_link: str) -> list[Exemplar]:
    """Exemplars of every histogram; none where the source keeps none."""
    found: list[Exemplar] = []
    template = trace_template(trace_link) if trace_link else ""
    if not workbench.source.info().features.exemplars:
        return found
    for instrument in plan.found.instruments:
        if instrument.kind is Kind.SUMMARY:
            continue
        suffix = "" if instrument.kind is Kind.NATIVE else "_bucket"
        try:
            rows = workbench.source.exemplars(
                instrument.select(suffix), plan.window.start_ms, plan.window.end_ms
            )
        except SourceError:
            return found
        found.extend(
            read_exemplars(rows, template=template, seconds_per_unit=instrument.seconds_per_unit)
        )
    return sorted(found, key=lambda e: -e.seconds)

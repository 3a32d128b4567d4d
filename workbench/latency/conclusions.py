"""What a latency analysis finds, as findings: one function a code, one finding an instrument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from workbench.findings import Finding, Severity
from workbench.latency.advice import Advice
from workbench.latency.changes import Against, Changes
from workbench.latency.instrument import Instrument, Kind, Unusable
from workbench.latency.reading import Flaw
from workbench.latency.result import Distribution, TailPart
from workbench.units import counted, format_quantity
from workbench.window import Window

__all__ = ["conclude", "not_studied", "of_advice", "of_tails", "unusable"]

_NAMED: Final = 4
"""Groups named in one sentence."""

_GAPS: Final = 0.1
"""Share of steps without data from which on it is told."""

_RESETS: Final = 0.2
"""Resets a step, of one series at least, from which on the counters are not to be trusted."""

_TAIL_SHARE, _TAIL_LIFT = 0.25, 2.0
"""A value is named that makes this share of the slow requests and so many times its due."""

_GAIN: Final = 0.05
"""Buckets are advised where they make the error of p99 smaller by at least so much."""


def unusable(found: Iterable[Unusable]) -> Iterator[Finding]:
    """Metrics that were named and cannot be judged."""
    for each in found:
        no_such = "no such metric" in each.reason
        code = "LAT-NO-METRIC" if no_such else "LAT-NOT-A-HISTOGRAM"
        what = f"{each.name} cannot be studied: {each.reason}"
        yield Finding(code, Severity.ERROR, each.name, what, each.mend, where=each.name)


def not_studied(names: Sequence[str]) -> Iterator[Finding]:
    """Histograms that there are, and that one study does not hold."""
    if names:
        yield Finding(
            "LAT-NOT-STUDIED",
            Severity.INFO,
            "histograms left out",
            f"{counted(len(names), 'more histogram or summary', 'more histograms and summaries')} of "
            f"a time not studied: {_names(names)}",
            'name those that matter: metrics="request_duration_seconds db_query_seconds"',
            {"left_out": len(names)},
        )


def conclude(
    instrument: Instrument, distributions: Sequence[Distribution], flaws: Sequence[Flaw]
) -> Iterator[Finding]:
    """All findings about what one instrument measured, but changes, tails and advice."""
    yield from _flaws(instrument, flaws)
    if instrument.kind is Kind.SUMMARY:
        if any(q.bucket_high is not None for d in distributions for q in d.quantiles):
            yield _summary(instrument)
        else:
            yield _finding(
                "LAT-NO-REQUESTS",
                Severity.WARNING,
                instrument,
                f"{instrument.key} shows no quantile between 0 and 1 in the window: a summary has "
                "NaN where no request came within its last minutes",
                "widen the window, or check that the service has traffic and is scraped",
            )
        return
    seen = [d for d in distributions if d.requests > 0]
    if not seen and not any(f.fatal for f in flaws):
        yield _finding(
            "LAT-NO-REQUESTS",
            Severity.WARNING,
            instrument,
            f"{instrument.key} counted no request in the window",
            "widen the window, or check that the service has traffic and is scraped",
        )
    for judge in (_clipped, _off_boundary, _few, _resets, _gaps):
        yield from judge(instrument, seen)


def _finding(
    code: str,
    severity: Severity,
    instrument: Instrument,
    what: str,
    next_step: str,
    *,
    about: str = "",
    **evidence: Any,
) -> Finding:
    name = f"{instrument.key} {about}".strip()
    return Finding(code, severity, name, what, next_step, evidence, where=instrument.key)


def _flaws(instrument: Instrument, flaws: Sequence[Flaw]) -> Iterator[Finding]:
    mends = {
        "LAT-BUCKETS-MISSING": "look at what relabelling drops; le=+Inf and every other bucket must be kept",
        "LAT-NOT-CUMULATIVE": "look for a recording rule or proxy that drops or sums buckets unevenly",
        "LAT-BUCKETS-DIFFER": "give every instance the same buckets, and le the same form; after a "
        "change of buckets, study the time since",
        "LAT-NOT-A-HISTOGRAM": "name a histogram or a summary",
    }
    for code, mend in mends.items():
        of_code = [f for f in flaws if f.code == code]
        if of_code:
            fatal = any(f.fatal for f in of_code)
            where = _names(list(dict.fromkeys(_group_name(instrument, f.labels) for f in of_code)))
            yield _finding(
                code,
                Severity.ERROR if fatal else Severity.WARNING,
                instrument,
                f"{instrument.key}: {of_code[0].what} ({where})",
                mend,
                groups=len(of_code),
            )


def _summary(instrument: Instrument) -> Finding:
    return _finding(
        "LAT-SUMMARY",
        Severity.INFO,
        instrument,
        f"{instrument.key} is a summary: each instance computed its quantiles for itself, and they "
        "cannot be merged; the range over instances is shown, and no estimate",
        "record a histogram, whose buckets can be added up over instances and time",
    )


def _clipped(instrument: Instrument, seen: Sequence[Distribution]) -> Iterator[Finding]:
    clipped = [(d, q) for d in seen for q in d.quantiles if q.clipped and q.enough]
    if clipped:
        d, worst = min(clipped, key=lambda x: (x[1].q, -x[0].requests))
        edge = format_quantity(worst.bucket_low or 0.0, "seconds")
        yield _finding(
            "LAT-CLIPPED",
            Severity.WARNING,
            instrument,
            f"{worst.name} of {d.name} is above the last bucket boundary: all that is known is "
            f"that it is more than {edge}; {counted(len(clipped), 'quantile')} clipped in all, and "
            "histogram_quantile shows the boundary as if it were the value",
            "add boundaries above it, or use a native histogram: see the advice on buckets",
            clipped=len(clipped),
            boundary_seconds=worst.bucket_low,
        )


def _off_boundary(instrument: Instrument, seen: Sequence[Distribution]) -> Iterator[Finding]:
    wrong: dict[float, list[tuple[float, float, str]]] = {}
    for d in seen:
        for s in d.shares:
            if not s.on_edge and instrument.kind is Kind.CLASSIC:
                known = s.bucket_low or 0.0, s.bucket_high or 0.0, d.name
                wrong.setdefault(s.objective_seconds, []).append(known)
    for objective, groups in sorted(wrong.items()):
        low, high, name = max(groups, key=lambda group: group[1] - group[0])  # the least certain
        told = (
            f"the share of requests within it lies between {_share(low)} and {_share(high)} "
            f"({name}), and no count tells where"
            if high > low
            else f"nothing was counted in the bucket that it cuts, so that {_share(low)} within it "
            f"({name}) is exact only for now"
        )
        yield _finding(
            "LAT-OFF-BOUNDARY",
            Severity.WARNING,
            instrument,
            f"the objective of {format_quantity(objective, 'seconds')} is no bucket boundary of "
            f"{instrument.key}: {told}",
            "add a boundary there, or move the objective to one that exists",
            about=f"objective {objective:g}",
            objective_seconds=objective,
            share_low=low,
            share_high=high,
        )


def _few(instrument: Instrument, seen: Sequence[Distribution]) -> Iterator[Finding]:
    few = [(d, [q.name for q in d.quantiles if not q.enough]) for d in seen]
    few = [(d, names) for d, names in few if names]
    if few:
        yield _finding(
            "LAT-FEW-REQUESTS",
            Severity.INFO,
            instrument,
            f"too few requests for {', '.join(sorted({n for _, names in few for n in names}))} of "
            f"{_names([f'{d.name} ({d.requests:.0f})' for d, _ in few])}: fewer than ten are "
            "expected beyond the quantile",
            "widen the window or merge groups; the interval beside the figure says what is known",
            groups=len(few),
        )


def _resets(instrument: Instrument, seen: Sequence[Distribution]) -> Iterator[Finding]:
    bad = [d for d in seen if d.resets > _RESETS * max(len(d.over_time.times_ms), 1)]
    if bad:
        worst = max(bad, key=lambda d: d.resets)
        yield _finding(
            "LAT-RESETS",
            Severity.ERROR,
            instrument,
            f"the counters of {_names([d.name for d in bad])} began anew {worst.resets} times in "
            f"{counted(len(worst.over_time.times_ms), 'step')}: every increase is too low",
            "look for a process that restarts in a loop, or several processes that write the same "
            "series (no instance label, or one worker scraped at a time)",
            resets=worst.resets,
        )


def _gaps(instrument: Instrument, seen: Sequence[Distribution]) -> Iterator[Finding]:
    bad = [(d, float(d.missing.mean())) for d in seen if d.missing.size]
    bad = [(d, share) for d, share in bad if share > _GAPS]
    if bad:
        d, share = max(bad, key=lambda x: x[1])
        steps = np.diff(d.over_time.times_ms)
        step = f" of {format_quantity(float(steps[0]) / 1000, 'seconds')}" if len(steps) else ""
        yield _finding(
            "LAT-GAPS",
            Severity.WARNING,
            instrument,
            f"{share:.0%} of the steps{step} hold no data of {_names([x.name for x, _ in bad])}",
            "look for failed scrapes; where every step is empty, make the step at least four times "
            "the scrape interval",
            share=share,
        )


def not_compared(changes: Changes, window: Window) -> Iterator[Finding]:
    """Nothing was found that the comparison asked for could be made of."""
    match changes.against:
        case Against.LABEL:
            reason = f"no two values of {changes.label} are there, all else alike, with buckets that both have"
            mend = "widen the range, or name another label"
        case Against.DEPLOYS if any(changes.deploys.values()):
            reason = f"no deploy lies within {window} and has a whole step after it"
            mend = "move the range (last, end), wait, or make the step shorter"
        case Against.DEPLOYS:
            reason = "no deploy is told"
            mend = (
                "look at what `deploys` names: a file without rows, or a metric that never changed"
            )
        case _:
            return
    yield Finding(
        "LAT-NOT-COMPARED", Severity.INFO, "compare", f"nothing was compared: {reason}", mend
    )


def of_tails(parts: Sequence[TailPart]) -> Iterator[Finding]:
    """The label value that makes the most slow requests beyond its due, one a metric."""
    told: set[str] = set()
    for part in parts:
        heavy = part.share_of_slow >= _TAIL_SHARE and part.lift >= _TAIL_LIFT
        if heavy and part.metric not in told and part.low > part.slow_rate / part.lift:
            told.add(part.metric)
            yield Finding(
                "LAT-TAIL",
                Severity.INFO,
                f"{part.metric} {part.label}",
                f"{part.label}={part.value} makes {part.share_of_slow:.0%} of the requests over "
                f"{format_quantity(part.threshold_seconds, 'seconds')} (a bucket boundary) with "
                f"{part.share_of_traffic:.0%} of the traffic of {part.metric}",
                "begin there: the heat map and exemplars of that value show when and which",
                {"share_of_slow": part.share_of_slow, "share_of_traffic": part.share_of_traffic},
                where=part.metric,
            )


def of_advice(instrument: Instrument, advice: Advice) -> Iterator[Finding]:
    """Better buckets, where they would be much better."""
    best = advice.recommended
    if best is None or best is advice.today or best.name == advice.today.name:
        return
    now, then = (_error(layout.quantiles) for layout in (advice.today, best))
    if now is None or then is None or now - then < _GAIN:
        return
    yield _finding(
        "LAT-BUCKETS-ADVICE",
        Severity.INFO,
        instrument,
        f"histogram_quantile's p99 of {instrument.key} is expected to be off by {now:.0%}; with "
        f"{counted(best.buckets, 'bucket')} chosen for what was observed it would be {then:.0%}",
        advice.reason,
        expected_error=now,
        advised_error=then,
        series_change=best.series_change,
    )


def _share(share: float) -> str:
    """With as many digits as tell it from none and from all: 99.9964%."""
    rest = min(share, 1 - share)
    digits = min(max(math.ceil(-math.log10(rest)), 2), 8) if rest > 0 else 0
    return f"{share:.{digits}%}"


def _error(quantiles: Iterable[Any]) -> float | None:
    return next((q.expected_promql for q in quantiles if q.quantile == 0.99), None)


def _group_name(instrument: Instrument, labels: Any) -> str:
    return ", ".join(f"{n}={v}" for n, v in sorted(labels.items())) or instrument.name


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown

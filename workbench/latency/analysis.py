"""The latency analysis: frames in, distributions, comparisons and findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.findings import Finding
from workbench.frame import Frame
from workbench.latency.advice import Advice
from workbench.latency.adviser import advise
from workbench.latency.change_findings import of_comparisons
from workbench.latency.changes import Changes, subjects
from workbench.latency.comparing import compare
from workbench.latency.conclusions import (
    conclude,
    not_compared,
    not_studied,
    of_advice,
    of_tails,
    unusable,
)
from workbench.latency.distributions import Reading, read_instrument
from workbench.latency.exemplars import Exemplar
from workbench.latency.instrument import Instrument, Kind, Unusable
from workbench.latency.planning import Asked
from workbench.latency.result import Distribution, LatencyResult, TailPart
from workbench.latency.subjects import Subject
from workbench.latency.summaries import read_summary
from workbench.latency.tail import tail_parts, threshold_of
from workbench.statistics.buckets import BucketCounts
from workbench.window import Window

__all__ = ["DEFAULT_QUANTILES", "analyse"]

DEFAULT_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)

_COMPARED: Final = (0.5, 0.95, 0.99)
"""The quantiles whose changes are judged: each more makes the others' evidence count for less."""

_SHORTEST, _LONGEST = 1e-15, 1e12
"""Seconds: from a femtosecond to thirty thousand years."""


def analyse(
    instruments: Sequence[Instrument],
    frames: Mapping[str, Frame],
    window: Window,
    *,
    quantiles: Sequence[float] = DEFAULT_QUANTILES,
    objectives: Sequence[float] = (),
    tails: Mapping[str, Sequence[str]] | None = None,
    changes: Changes | None = None,
    exemplars: Sequence[Exemplar] = (),
    missing: Sequence[Unusable] = (),
    left_out: Sequence[str] = (),
) -> LatencyResult:
    """Judge what `questions` asked for.

    Parameters
    ----------
    instruments
        What was asked about.
    frames
        The answers, by the questions' keys; an absent key is a question that gave nothing.
    window
        The range studied, as it was given to `questions`.
    quantiles
        Each above 0 and below 1.
    objectives
        Thresholds in seconds.
    tails
        Labels by an instrument's key, as they were given to `questions`.
    changes
        What to compare.
    exemplars
        Of all instruments.
    missing
        What `discover` found unusable; becomes findings.
    left_out
        What it found and nobody asked about, since there is so much; becomes one.

    Raises
    ------
    InputError
        A quantile or objective is out of range.
    """
    _check(quantiles, objectives)
    findings: list[Finding] = [*unusable(missing), *not_studied(left_out)]
    distributions: list[Distribution] = []
    parts: list[TailPart] = []
    advice: dict[str, Advice] = {}
    cut: list[Subject] = []
    for instrument in instruments:
        if instrument.kind is Kind.SUMMARY:
            reading = Reading(read_summary(instrument, frames, window))
        else:
            reading = read_instrument(
                instrument, frames, window, quantiles=quantiles, objectives=objectives
            )
        findings.extend(conclude(instrument, reading.distributions, reading.flaws))
        distributions.extend(reading.distributions)
        whole = _merged(reading)
        if whole is not None:
            slow = threshold_of(whole, objectives)
            labels = (tails or {}).get(instrument.key, ())
            if slow is not None:
                parts.extend(tail_parts(instrument, frames, labels, slow))
            if instrument.kind is Kind.CLASSIC and _is_time(whole):
                advice[instrument.key] = _advice(instrument, frames, whole, objectives)
                findings.extend(of_advice(instrument, advice[instrument.key]))
        if changes is not None:
            cut.extend(subjects(changes, instrument, reading.steps, window))
    if changes is not None and not cut and any(d.whole is not None for d in distributions):
        findings.extend(not_compared(changes, window))
    comparisons = compare(cut, _COMPARED) if cut else ()
    findings.extend(of_comparisons(comparisons))
    findings.extend(of_tails(parts))
    deploys = {
        key: tuple(d for d in dict.fromkeys(each) if window.start_ms < d.at_ms <= window.end_ms)
        for key, each in (changes.deploys if changes else {}).items()
    }
    return LatencyResult(
        window,
        tuple(objectives),
        tuple(distributions),
        comparisons,
        deploys,
        tuple(parts),
        advice,
        tuple(exemplars),
        tuple(sorted(findings, key=_urgency)),
    )


def _urgency(finding: Finding) -> tuple[int, bool, str, str]:
    """The gravest first, and of those what became slower: that is what the reader asks."""
    first = finding.code == "LAT-SLOWER"
    return -finding.severity.rank, not first, finding.code, finding.about


def _check(quantiles: Sequence[float], objectives: Sequence[float]) -> None:
    for q in quantiles:
        if not 0 < q < 1:
            msg = f"{q!r} is no quantile"
            raise InputError(msg, "give numbers above 0 and below 1, such as 0.99")
    for objective in objectives:
        if not 0 < objective < float("inf"):
            msg = f"an objective is {objective!r} seconds"
            raise InputError(msg, "give a positive duration, such as 250ms")


def _merged(reading: Reading) -> BucketCounts | None:
    """All groups of the layout with the most requests, over the window."""
    best: BucketCounts | None = None
    layouts: dict[bytes, list[BucketCounts]] = {}
    for each in reading.distributions:
        if each.whole is not None:
            layouts.setdefault(each.whole.edges.tobytes(), []).append(each.whole)
    for members in layouts.values():
        edges, exponential = members[0].edges, members[0].exponential
        total = BucketCounts(edges, np.sum([m.counts for m in members], axis=0), exponential)
        if float(total.total) > (float(best.total) if best is not None else 0.0):
            best = total
    return best


def _is_time(whole: BucketCounts) -> bool:
    """Whether the boundaries are such that anybody waits for: others no advice can make better."""
    finite = whole.edges[np.isfinite(whole.edges) & (whole.edges != 0)]
    return bool((np.abs(finite) < _LONGEST).all() and (np.abs(finite) > _SHORTEST).all())


def _advice(
    instrument: Instrument,
    frames: Mapping[str, Frame],
    whole: BucketCounts,
    objectives: Sequence[float],
) -> Advice:
    layouts = frames.get(Asked.of(instrument).layouts)
    sets = 1
    if layouts is not None and len(layouts):
        ends = [i for i, labels in enumerate(layouts.labels) if labels.get("le") == "+Inf"]
        there = np.where(layouts.present[ends], layouts.values[ends], 0.0).sum(axis=0)
        sets = max(round(float(there.max(initial=1.0))), 1)
    scale = instrument.seconds_per_unit
    observed = BucketCounts(whole.edges / scale, whole.counts, whole.exponential)
    return advise(
        observed,
        objectives=[each / scale for each in objectives],
        label_sets=sets,
        metric=instrument.name,
        unit={1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds"}.get(scale, "units"),
    )

"""Micrometer, as its Prometheus registry exposes it: meters, tags, annotations.

A meter has no list of tags: each place that registers one names its tags and their values at once,
so that the call that declares is also the call that gives labels their values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Items, Member, Name, Text
from workbench.codescan.java.chains import Chain, Link, chain_of
from workbench.codescan.java.percentiles import percentile_buckets
from workbench.codescan.language import Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import Bound, DeclaredMetric, LabelValues
from workbench.samples import MetricType

__all__ = ["DECLARING", "USING", "WORDS", "beside", "declare", "use"]

_TYPES: Final = {
    "Counter": MetricType.COUNTER,
    "FunctionCounter": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "TimeGauge": MetricType.GAUGE,
    "MultiGauge": MetricType.GAUGE,
    "Timer": MetricType.SUMMARY,
    "FunctionTimer": MetricType.SUMMARY,
    "LongTaskTimer": MetricType.SUMMARY,
    "DistributionSummary": MetricType.SUMMARY,
}
_TIMERS: Final = frozenset({"Timer", "FunctionTimer", "LongTaskTimer"})
_ENDS: Final = frozenset({"register", "withRegistry"})
_OF_REGISTRY: Final = {
    "counter": "Counter",
    "timer": "Timer",
    "summary": "DistributionSummary",
    "gauge": "Gauge",
    "gaugeCollectionSize": "Gauge",
    "gaugeMapSize": "Gauge",
}
_ANNOTATIONS: Final = {"Timed": "Timer", "Counted": "Counter"}
DECLARING: Final = _ENDS | _OF_REGISTRY.keys() | _ANNOTATIONS.keys()
USING: Final = DECLARING | {"withTags", "withTag"}
WORDS: Final = rb"io\.micrometer"

_ROOT: Final = re.compile(r"(?:^|\.)io\.micrometer\.core\.instrument\.(\w+)$")
_REGISTRY: Final = re.compile(r"(?i)(?:registry|\bmetrics)(?:<\w*MeterRegistry>)?(?:\(\))?$")
_SECONDS: Final = {
    "ofNanos": 1e-9,
    "ofMillis": 1e-3,
    "ofSeconds": 1.0,
    "ofMinutes": 60.0,
    "ofHours": 3600.0,
    "ofDays": 86400.0,
}
_OBJECTIVES: Final = ("serviceLevelObjectives", "sla")
_DEEPEST: Final = 5


def _is_micrometer(here: Here) -> bool:
    return any(said.startswith("io.micrometer") for said in here.file.imports.values())


# Declarations.


def declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    """Read a builder's end, a registry's short form, or an annotation."""
    name = last_name(call.callee)
    if not _is_micrometer(here):
        return None
    if name in _ANNOTATIONS:
        return _annotated(call, _ANNOTATIONS[name], here, evaluator)
    if name in _ENDS:
        return _built(call, here, evaluator)
    return _short(call, name, here, evaluator)


def _short(call: Call, name: str, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if not isinstance(call.callee, Member) or not call.args:
        return None
    registry = evaluator.skeleton(call.callee.of, here, follow=False)
    type_ = evaluator.tracer.type_of(call.callee.of, here)
    if not _REGISTRY.search(registry) or (type_ and not type_.endswith("MeterRegistry")):
        return None
    labels = _names(_of_registry(Link(name, call.args, here)), evaluator)
    stem = evaluator.text(call.args[0], here)
    return _metric(call, _OF_REGISTRY[name], stem, here, labels=labels)


def _built(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    chain = chain_of(call, here, evaluator)
    match = _ROOT.search(chain.root)
    first = chain.get("builder")
    if match is None or match[1] not in _TYPES or first is None or not first.args:
        return None
    kind, stem = match[1], evaluator.text(first.args[0], first.here)
    metric = _metric(
        call,
        kind,
        stem,
        here,
        labels=_names(_of_chain(chain), evaluator),
        unit=chain.text(evaluator, "baseUnit"),
        help_=chain.text(evaluator, "description"),
    )
    if chain.links[-1].name == "withRegistry":
        metric = replace(metric, labels_exact=False)
    return _distributed(metric, chain, kind, evaluator)


def _metric(
    call: Call,
    kind: str,
    stem: str,
    here: Here,
    *,
    labels: tuple[str, ...],
    unit: str = "",
    help_: str = "",
) -> DeclaredMetric:
    return DeclaredMetric(
        name=exposed_name(stem, kind, unit),
        type=_TYPES[kind],
        help=help_,
        labels=labels,
        place=here.file.place(call.start),
        language="java",
        library="micrometer",
        unit=unit or ("seconds" if kind in _TIMERS else ""),
        name_exact=UNSEEN not in stem,
        labels_exact=UNSEEN not in labels,
    )


def exposed_name(name: str, kind: str, unit: str) -> str:
    """A meter's name as the Prometheus registry writes it.

    Examples
    --------
    >>> exposed_name("http.calls", "Timer", ""), exposed_name("jobs.done", "Counter", "")
    ('http_calls_seconds', 'jobs_done_total')
    """
    result = re.sub(rf"[^a-zA-Z0-9_:{UNSEEN}]", "_", name)
    if unit and kind not in _TIMERS and not result.endswith(f"_{unit}"):
        result = f"{result}_{unit}"
    if kind == "TimeGauge" or kind in _TIMERS:
        return result if result.endswith("_seconds") else f"{result}_seconds"
    if _TYPES[kind] is MetricType.COUNTER and not result.endswith("_total"):
        return f"{result}_total"
    return result


def exposed_label(key: str) -> str:
    """A tag's key as a label.

    Examples
    --------
    >>> exposed_label("http.route"), exposed_label("1st")
    ('http_route', 'm_1st')
    """
    label = re.sub(rf"[^a-zA-Z0-9_{UNSEEN}]", "_", key)
    return label if label[:1].isalpha() or label[:1] in ("_", UNSEEN) else f"m_{label}"


def _distributed(
    metric: DeclaredMetric, chain: Chain, kind: str, evaluator: Evaluator
) -> DeclaredMetric:
    """A timer or summary with buckets is a histogram; with percentiles it has their gauges."""
    if metric.type is not MetricType.SUMMARY:
        return metric
    timer = kind in _TIMERS
    bounds: set[float] = set()
    known = True
    for link in chain.all(*_OBJECTIVES):
        numbers = _amounts(link, evaluator)
        known = known and None not in numbers
        bounds.update(n for n in numbers if n is not None)
    histogram = chain.get("publishPercentileHistogram")
    asked = histogram is not None and not _is_false(histogram)
    if asked:
        ends = []
        for name in ("minimumExpectedValue", "maximumExpectedValue"):
            given = chain.get(name)
            ends.append(_amounts(given, evaluator)[0] if given and given.args else None)
        bounds.update(percentile_buckets(ends[0], ends[1], timer=timer))
    if asked or chain.get(*_OBJECTIVES) is not None:
        listed = tuple(sorted(bounds)) if known else None
        return replace(
            metric,
            type=MetricType.HISTOGRAM,
            buckets=listed,
            bucket_count=len(listed) if listed is not None else None,
        )
    percentiles = chain.get("publishPercentiles")
    return replace(metric, objectives=len(percentiles.args) if percentiles is not None else 0)


def _is_false(link: Link) -> bool:
    return bool(link.args) and link.here.file.text(link.args[0]) in ("false", "Boolean.FALSE")


def _amounts(link: Link, evaluator: Evaluator) -> list[float | None]:
    """Numbers, and durations in seconds."""
    result: list[float | None] = []
    for arg in link.args:
        expr, here = evaluator.settle(arg, link.here)
        if isinstance(expr, Items):
            result.extend(_amounts(Link(link.name, expr.items, here), evaluator))
        elif isinstance(expr, Call) and last_name(expr.callee) in _SECONDS and expr.args:
            number = evaluator.number(expr.args[0], here)
            result.append(None if number is None else number * _SECONDS[last_name(expr.callee)])
        else:
            result.append(evaluator.number(expr, here))
    return result


def beside(metric: DeclaredMetric) -> tuple[DeclaredMetric, ...]:
    """What the registry exposes beside a meter: the largest value of timers and summaries."""
    if metric.library != "micrometer" or metric.type not in (
        MetricType.SUMMARY,
        MetricType.HISTOGRAM,
    ):
        return ()
    largest = replace(
        metric,
        name=f"{metric.name}_max",
        type=MetricType.GAUGE,
        buckets=None,
        bucket_count=None,
        objectives=0,
    )
    return (largest,)


def _annotated(call: Call, kind: str, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if not _package_of(call, here, evaluator).startswith("io.micrometer"):
        return None
    given = dict(call.keywords)
    value = given.get("value", call.args[0] if call.args else None)
    stem = evaluator.text(value, here) or f"method.{last_name(call.callee).lower()}"
    extra = evaluator.strings(given.get("extraTags"), here) or ()
    labels = (*(exposed_label(k) for k in extra[::2]), *_ASPECT[kind])
    metric = _metric(call, kind, stem, here, labels=labels)
    return replace(metric, help=evaluator.text(given.get("description"), here))


def _package_of(call: Call, here: Here, evaluator: Evaluator) -> str:
    return evaluator.skeleton(call.callee, here)


_ASPECT: Final = {
    "Timer": ("class", "method", "exception"),
    "Counter": ("class", "method", "result", "exception"),
}
"""Tags that the aspects give by themselves."""


# Uses.


def use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    """Read the tags of a call that declares, or that makes a child of a provider."""
    name = last_name(call.callee)
    if name in _ANNOTATIONS:
        return _use_of_annotation(call, here, evaluator)
    if not isinstance(call.callee, Member) or not _is_micrometer(here):
        return None
    if name in ("withTags", "withTag"):
        links: list[tuple[tuple[Expr, ...], Here]] = [(call.args, here)]
        return Use(call.callee.of, named=tuple(_tags(links, evaluator)), open=True, certain=False)
    if name in _ENDS:
        given = _of_chain(chain_of(call, here, evaluator))
    else:
        given = _of_registry(Link(name, call.args, here))
    named = tuple(_tags(given, evaluator))
    return Use(call, named=named, open=True, certain=False) if named else None


def _use_of_annotation(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    given = dict(call.keywords)
    extra = given.get("extraTags")
    items: tuple[Expr, ...] = ()
    if extra is not None:
        settled, _ = evaluator.settle(extra, here)
        items = settled.items if isinstance(settled, Items) else ()
    named = [
        (exposed_label(evaluator.text(k, here)), v, here)
        for k, v in zip(items[::2], items[1::2], strict=False)
    ]
    named += [(key, given[key], here) for key in ("class", "method") if key in given]
    place = (here.file.place(call.start),)
    thrown = LabelValues(
        Bound.UNKNOWN,
        "variable",
        reason="the aspect gives the class of what the method throws, or 'none'",
        places=place,
    )
    result = LabelValues(
        Bound.BOUNDED, "literal", ("failure", "success"), 2, "the aspect gives it", places=place
    )
    fixed = (("exception", thrown), ("result", result))
    return Use(call, named=tuple(named), fixed=fixed, certain=False)


# Tags.


def _of_registry(link: Link) -> list[tuple[tuple[Expr, ...], Here]]:
    """The tags of ``registry.counter("x", …)``; of a gauge they stand in one argument."""
    rest = link.args[1:]
    if link.name.startswith("gauge"):
        # gauge(name, tags, object, function), or gauge(name, number).
        rest = tuple(a for a in rest[:1] if not isinstance(a, Name) or len(link.args) > 2)
    return [(rest, link.here)] if rest else []


def _of_chain(chain: Chain) -> list[tuple[tuple[Expr, ...], Here]]:
    return [(link.args, link.here) for link in chain.links if link.name in ("tag", "tags")]


def _names(given: list[tuple[tuple[Expr, ...], Here]], evaluator: Evaluator) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, _, _ in _tags(given, evaluator)))


def _tags(
    given: list[tuple[tuple[Expr, ...], Here]], evaluator: Evaluator, depth: int = 0
) -> Iterator[tuple[str, Expr, Here]]:
    """Keys and values of arguments: texts in pairs, tags one by one, lists of them."""
    for args, here in given if depth < _DEEPEST else ():
        if len(args) == 1:
            yield from _tagged(args[0], here, evaluator, depth)
        elif args and _is_tag(args[0], here, evaluator):
            for arg in args:
                yield from _tagged(arg, here, evaluator, depth)
        else:
            # concat(tags, "k", v): what is odd stands in front.
            odd = len(args) % 2
            if odd:
                yield from _tagged(args[0], here, evaluator, depth)
            for key, value in zip(args[odd::2], args[odd + 1 :: 2], strict=False):
                yield exposed_label(evaluator.text(key, here)), value, here


def _is_tag(expr: Expr, here: Here, evaluator: Evaluator) -> bool:
    settled, _ = evaluator.settle(expr, here)
    return isinstance(settled, Call) and last_name(settled.callee) in ("of", "ImmutableTag")


def _tagged(
    expr: Expr, here: Here, evaluator: Evaluator, depth: int
) -> Iterator[tuple[str, Expr, Here]]:
    settled, at = evaluator.settle(expr, here)
    if isinstance(settled, Items):
        # An array of texts in pairs, or a list of tags.
        plain = settled.items and isinstance(settled.items[0], Text)
        groups = [settled.items] if plain else [(i,) for i in settled.items]
        yield from _tags([(g, at) for g in groups], evaluator, depth + 1)
        return
    if not isinstance(settled, Call):
        return
    name = last_name(settled.callee)
    if name in ("of", "and", "concat", "ImmutableTag", "empty"):
        if isinstance(settled.callee, Member) and name == "and":
            yield from _tagged(settled.callee.of, at, evaluator, depth + 1)
        if settled.args:
            yield from _tags([(settled.args, at)], evaluator, depth + 1)
        return
    for value, inside in evaluator.results(settled, at):
        if depth < _DEEPEST:
            yield from _tagged(value, inside, evaluator, depth + 1)

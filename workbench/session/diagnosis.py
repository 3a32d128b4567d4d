"""What a source has, which reports will work on it and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.errors import SourceError
from workbench.sources.base import SourceInfo

if TYPE_CHECKING:
    from workbench.capacity import SetFit
    from workbench.samples import MetricMetadata
    from workbench.session.workbench import Workbench

__all__ = ["ASKED", "Check", "Diagnosis", "diagnose"]

ASKED: Final = (
    ("reachable", "/api/v1/status/buildinfo", "product and version"),
    ("PromQL", "/api/v1/query", "one number, which tells how windows are read"),
    ("metrics", "/api/v1/label/__name__/values", "the names of the last day's metrics"),
    ("metadata", "/api/v1/metadata", "type and help of each family; the names again"),
    ("scrape targets", "/api/v1/targets", "the active ones"),
    ("TSDB status", "/api/v1/status/tsdb", "figures of the head; no samples"),
)
"""What `diagnose` asks of a live server: for which check, where, and what comes back."""


_NAMED: Final = 4
"""Metrics named in one line."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name
        What was looked at.
    good
        Whether it is there.
    detail
        What was found, or what is missing and what follows from it.
    """

    name: str
    good: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a source is, what it has, and which reports will work on it."""

    info: SourceInfo
    checks: tuple[Check, ...]
    reports: tuple[Check, ...]


def diagnose(workbench: Workbench) -> Diagnosis:
    """Ask a source a few cheap questions about itself."""
    info = workbench.source.info()
    names = workbench.label_values("__name__")
    known = {m.name: m for m in workbench.source.metrics() if m.type.value != "unknown"}
    checks = [
        Check(
            "reachable",
            good=True,
            detail=f"{info.product or 'unknown product'} {info.version}".strip(),
        ),
        Check("PromQL", good=True, detail=info.semantics.value),
        Check("metrics", bool(names), f"{len(names)} metric names in the last day"),
        Check(
            "metadata",
            bool(known),
            f"type and help of {len(known)} families"
            if known
            else "types unknown: they are guessed from names",
        ),
        _try("scrape targets", lambda: f"{len(workbench.targets())} active targets"),
        _try("TSDB status", lambda: _head(workbench.tsdb_status(1))),
    ]
    reports = (
        *_capacity(names),
        _rightsizing(names),
        _latency(names, list(known.values())),
        _slo(names),
        _spend(names),
        _CARDINALITY,
    )
    return Diagnosis(info, tuple(checks), reports)


def _head(status: dict[str, object]) -> str:
    head = status.get("headStats")
    return f"{head['numSeries']} series in the head" if isinstance(head, dict) else "available"


def _try(name: str, ask: object) -> Check:
    try:
        return Check(name, good=True, detail=ask())  # type: ignore[operator]
    except SourceError as error:
        return Check(name, good=False, detail=str(error))


_CARDINALITY: Final = Check("cardinality", good=True, detail="works on any source")


def _latency(names: list[str], metadata: list[MetricMetadata]) -> Check:
    from workbench.latency import discover

    found = [i.name for i in discover(metadata, names).instruments]
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        detail = f"studies {', '.join(found[:_NAMED])}{more}"
        return Check("latency", good=True, detail=detail)
    detail = "no histogram or summary of a time is here: observe one, or name it with metrics="
    return Check("latency", good=False, detail=detail)


def _rightsizing(names: list[str]) -> Check:
    from workbench.capacity.sizing.questions import needed_metrics

    have = set(names)
    usage, state = needed_metrics()
    seen, known = usage & have, state & have
    if not seen:
        detail = f"no usage of containers is here ({', '.join(sorted(usage))}): give queries="
    elif absent := sorted((usage | state) - have):
        detail = f"sizes containers, without {', '.join(absent)}"
    else:
        detail = f"sizes containers by {len(seen) + len(known)} metrics of cAdvisor and kube-state-metrics"
    return Check("rightsizing", bool(seen), detail)


def _slo(names: list[str]) -> Check:
    counters = any(n.endswith(("_total", "_count")) for n in names)
    detail = (
        "needs a file of objectives: `workbench slo check FILE` reads it"
        if counters
        else "no counter is here, of which an objective could be made"
    )
    return Check("slo", good=counters, detail=detail)


def _spend(names: list[str]) -> Check:
    from workbench.spend.profiles.detection import detect

    fits = detect(names)
    if not fits:
        detail = "no metric of a language model is here: give a profile or usage logs"
        return Check("llm-spend", good=False, detail=detail)
    lacking = [f"{f.profile.name} without {', '.join(f.missing)}" for f in fits if f.missing]
    detail = f"reads {', '.join(f.profile.title for f in fits)}"
    return Check("llm-spend", good=True, detail="; ".join([detail, *lacking]))


def _capacity(names: list[str]) -> tuple[Check, ...]:
    """One line for the report, one for each resource set that looks at something which is here."""
    from workbench.capacity import discover, fit_sets, set_names, shipped_resources

    fits = fit_sets(discover(names, shipped_resources(*set_names())))
    here = [f for f in fits if f.present]
    watched = [f.name for f in here if f.usable and not f.optional]
    absent = [f.name for f in fits if not f.present]
    if watched:
        detail = f"watches what the resource sets {', '.join(watched)} describe"
    else:
        detail = "none of the ready-made resource sets fits: describe yours in a resources.toml"
    lines = [Check("capacity", bool(watched), detail), *map(_set, here)]
    if absent:
        without = f"nothing of {', '.join(absent)} is here"
        lines.append(Check("other resource sets", good=False, detail=without))
    return tuple(lines)


def _set(fit: SetFit) -> Check:
    detail = fit.describe()
    if fit.optional:
        detail = f'only if a resources.toml says use = ["{fit.name}"]: {detail}'
    return Check(f"resource set {fit.name}", bool(fit.usable), detail)

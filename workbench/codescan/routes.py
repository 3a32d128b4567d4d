"""How many routes a tree registers: the bound of a label that is given route templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from workbench.codescan.language import Language
from workbench.codescan.walking import LARGEST
from workbench.inventory import Bound, CallSite, DeclaredMetric, LabelValues

__all__ = ["count_routes"]


def count_routes(
    metrics: Iterable[DeclaredMetric], language: Language, files: Iterable[Path]
) -> list[DeclaredMetric]:
    """Bound the labels that are given route templates by the routes that the code registers.

    Parameters
    ----------
    metrics
        As joined.
    language
        Theirs; where it does not say how routes are registered, nothing is changed.
    files
        All source files of the tree.
    """
    metrics = list(metrics)
    templated = any(_open(v) for m in metrics for s in m.sites for v in s.values.values())
    if language.routes is None or not templated:
        return metrics
    routes: set[bytes] = set()
    for file in files:
        try:
            if file.stat().st_size <= LARGEST:
                routes.update(
                    m[m.lastindex or 0] for m in language.routes.finditer(file.read_bytes())
                )
        except OSError:
            continue
    return [_bounded(m, len(routes)) for m in metrics] if routes else metrics


def _open(values: LabelValues) -> bool:
    return values.kind == "route template" and values.bound is Bound.UNKNOWN


def _bounded(metric: DeclaredMetric, routes: int) -> DeclaredMetric:
    return replace(metric, sites=tuple(_site(s, routes) for s in metric.sites))


def _site(site: CallSite, routes: int) -> CallSite:
    if not any(map(_open, site.values.values())):
        return site
    values = {
        label: replace(
            v,
            bound=Bound.BOUNDED,
            count=routes + len(v.values),
            reason=f"{v.reason}; {routes} are registered in this tree",
            mend="",
        )
        if _open(v)
        else v
        for label, v in site.values.items()
    }
    return replace(site, values=values)

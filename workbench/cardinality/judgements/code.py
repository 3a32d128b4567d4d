"""What code says before anything runs: labels that nothing bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workbench.findings import Finding, Severity
from workbench.inventory import Bound, DeclaredMetric, Inventory, LabelValues, Place

__all__ = ["judge_code"]


def judge_code(inventory: Inventory, owner: Callable[[str, str], str]) -> Iterator[Finding]:
    """Name each label that code gives values without bound.

    Parameters
    ----------
    inventory
        With what its code declares.
    owner
        From a metric's name and a file to who is to act.
    """
    for declared in inventory.declared:
        for label, values in _unbounded(declared):
            yield _finding(declared, label, values, owner(declared.name, declared.place.path))


def _unbounded(declared: DeclaredMetric) -> Iterator[tuple[str, LabelValues]]:
    for label, values in declared.values.items():
        if values.bound is Bound.UNBOUNDED:
            yield label, values


def _finding(declared: DeclaredMetric, label: str, values: LabelValues, owner: str) -> Finding:
    sites = _sites(declared, label)
    place = sites[0] if sites else declared.place
    others = f" and at {len(sites) - 1} more" if len(sites) > 1 else ""
    return Finding(
        "CARD-UNBOUNDED-LABEL",
        Severity.ERROR,
        f"metric {declared.name} label {label}",
        f"label {label} of {declared.name} has no bound: {values.reason or values.kind}{others}",
        values.mend or "give it a value from a short list that the code holds, or drop it",
        evidence={
            "metric": declared.name,
            "label": label,
            "kind": values.kind,
            "series_per_value": declared.series_per_child,
            "declared": str(declared.place),
            "places": [str(p) for p in sites[:20]],
        },
        place=place,
        owner=owner,
    )


def _sites(declared: DeclaredMetric, label: str) -> list[Place]:
    """Where the label gets a value without bound, in the order of files and lines."""
    places = {
        site.place
        for site in declared.sites
        if (values := site.values.get(label)) is not None and values.bound is Bound.UNBOUNDED
    }
    return sorted(places)

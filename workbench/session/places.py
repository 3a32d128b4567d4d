"""Files of a source scan as they are called from where the command runs.

A scan names files below the folder that it was given. Code scanning, editors and the globs of a
budget's teams want them from the repository's root, which is where commands run.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from workbench.findings import Place
from workbench.inventory import CallSite, DeclaredMetric, Inventory, LabelValues

__all__ = ["seen_from_here"]


def seen_from_here(inventory: Inventory, scanned: Path) -> Inventory:
    """The same inventory with the path of the scanned folder before each file.

    Parameters
    ----------
    inventory
        Of `workbench.codescan.scan_source`.
    scanned
        The folder or file that it was given. What lies outside the working directory keeps the path
        as it was given.
    """
    folder = scanned if scanned.is_dir() else scanned.parent
    near = os.path.relpath(folder)
    before = Path(near if not near.startswith(os.pardir) else folder).as_posix()
    if before == ".":
        return inventory

    def moved(place: Place) -> Place:
        return replace(place, path=f"{before}/{place.path}")

    def values_of(values: LabelValues) -> LabelValues:
        return replace(values, places=tuple(map(moved, values.places)))

    def site_of(site: CallSite) -> CallSite:
        values = {label: values_of(v) for label, v in site.values.items()}
        return replace(site, place=moved(site.place), values=values)

    def metric_of(metric: DeclaredMetric) -> DeclaredMetric:
        return replace(metric, place=moved(metric.place), sites=tuple(map(site_of, metric.sites)))

    return replace(
        inventory,
        declared=tuple(map(metric_of, inventory.declared)),
        unread=tuple(replace(u, path=f"{before}/{u.path}") for u in inventory.unread),
    )

"""From frames to instances: series joined with their limits by labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.resource import Resource
from workbench.frame import Bools, Frame
from workbench.samples import Floats, Ints, Labels, format_labels

__all__ = ["Instance", "instances", "told_apart"]

_COUNTLESS: Final = 1e150
"""No quantity is so large, and its square would be infinite."""

_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """One thing that can run full.

    Parameters
    ----------
    resource
        What kind it is.
    name
        What people call it; unique within one analysis and stable between runs.
    labels
        What tells it apart.
    times_ms
        int64, shape (steps,): the grid.
    usage, present
        Shape (steps,).
    limit
        float64, shape (steps,), NaN where it is unknown; None where the resource has none.
    """

    resource: Resource
    name: str
    labels: Labels
    times_ms: Ints
    usage: Floats
    present: Bools
    limit: Floats | None


def instances(resource: Resource, usage: Frame, limit: Frame | None) -> list[Instance]:
    """Join the usage of one resource with its limits.

    Parameters
    ----------
    resource
        Says which labels tell instances apart (`by`) and how several series become one.
    usage
        Any number of series.
    limit
        Its series belong to every instance that has the same values for those of the `by`
        labels that the limit carries: a limit without labels belongs to all. None where the
        limit is a number or there is none.

    Returns
    -------
    list of Instance
        In the order of their names.
    """
    groups = _grouped(resource, usage.labels)
    lookup = _Limits(resource, limit, usage.times_ms)
    result: list[Instance] = []
    for key, rows in groups.items():
        labels = dict(key)
        values, present = _aggregated(usage.values, usage.present, rows, resource.aggregate)
        values = np.where(np.abs(values) > _COUNTLESS, np.inf, values)
        found = lookup.of(labels)
        if found is None and resource.needs_limit:
            continue
        name = resource.instance_name(labels)
        result.append(Instance(resource, name, labels, usage.times_ms, values, present, found))
    return _distinct(result)


def _grouped(resource: Resource, labels: Sequence[Labels]) -> dict[_Key, list[int]]:
    groups: dict[_Key, list[int]] = {}
    for row, each in enumerate(labels):
        groups.setdefault(_key(resource, each), []).append(row)
    return groups


def _key(resource: Resource, labels: Labels) -> _Key:
    """The labels that tell an instance apart, without those that are absent."""
    names = sorted(labels) if resource.by is None else resource.by
    return tuple((n, labels[n]) for n in names if n != "__name__" and labels.get(n))


def _aggregated(values: Floats, present: Bools, rows: list[int], how: str) -> tuple[Floats, Bools]:
    """Several series as one; where only some are present, those."""
    if len(rows) == 1:
        return values[rows[0]], present[rows[0]]
    known = present[rows] & ~np.isnan(values[rows])
    some: Bools = np.asarray(known.any(axis=0))
    if how == "max":
        result = np.where(known, values[rows], -np.inf).max(axis=0)
    else:
        result = np.where(known, values[rows], 0.0).sum(axis=0)
        if how == "avg":
            result = result / np.maximum(known.sum(axis=0), 1)
    return np.where(some, result, np.nan), some


class _Limits:
    """The limits of one resource, found by the labels that they carry."""

    def __init__(self, resource: Resource, frame: Frame | None, times_ms: Ints) -> None:
        self._resource = resource
        self._times_ms = times_ms
        self._frame = frame
        self._rows: dict[tuple[str, ...], dict[_Key, list[int]]] = {}
        for row, labels in enumerate(frame.labels if frame else ()):
            key = _key(resource, labels)
            names = tuple(name for name, _ in key)
            self._rows.setdefault(names, {}).setdefault(key, []).append(row)

    def of(self, labels: dict[str, str]) -> Floats | None:
        """The limit of the instance with these labels, on the usage's grid."""
        if isinstance(self._resource.limit, float):
            return np.full(len(self._times_ms), self._resource.limit)
        if self._frame is None:
            return None
        for names, rows in sorted(self._rows.items(), key=lambda item: -len(item[0])):
            found = rows.get(tuple((n, labels.get(n, "")) for n in names))
            if found:
                values, present = _aggregated(
                    self._frame.values, self._frame.present, found, self._resource.aggregate
                )
                return _on_grid(
                    self._frame.times_ms, np.where(present, values, np.nan), self._times_ms
                )
        return None


def _on_grid(times_ms: Ints, values: Floats, wanted_ms: Ints) -> Floats:
    """Values on another grid: the last one at or before each moment."""
    if np.array_equal(times_ms, wanted_ms):
        return values
    at = np.searchsorted(times_ms, wanted_ms, side="right") - 1
    if not len(times_ms):
        return np.full(len(wanted_ms), np.nan)
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)


def _distinct(found: list[Instance]) -> list[Instance]:
    """Give instances whose names are equal their labels as well."""
    names = [i.name for i in found]
    twice = {n for n in names if names.count(n) > 1} if len(set(names)) < len(names) else set()
    renamed = [
        i if i.name not in twice else _renamed(i, f"{i.name} {format_labels(i.labels)}")
        for i in found
    ]
    return sorted(renamed, key=lambda i: i.name)


def told_apart(found: Sequence[Instance]) -> list[Instance]:
    """The instances of several resources; those that are called alike with their kind beside it.

    Parameters
    ----------
    found
        Whose names are distinct within each resource.
    """
    count = Counter(i.name for i in found)
    return [
        i if count[i.name] == 1 else _renamed(i, f"{i.name} ({i.resource.name})") for i in found
    ]


def _renamed(instance: Instance, name: str) -> Instance:
    fields: dict[str, Any] = {f: getattr(instance, f) for f in Instance.__slots__}
    return Instance(**{**fields, "name": name})

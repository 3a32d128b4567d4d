"""Labels that a server gives to each series of a target before the rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from workbench.inventory import LabelTable, ObservedMetric

__all__ = ["with_target_labels"]


def with_target_labels(
    metrics: Iterable[ObservedMetric], labels: Mapping[str, str]
) -> list[ObservedMetric]:
    """Give each series the labels of its target, as Prometheus does on scraping it.

    Parameters
    ----------
    metrics
        As the target exposes them. Those of which only a number is known stay as they are.
    labels
        ``job``, ``instance`` and what else the target has.

    Returns
    -------
    list of ObservedMetric
        A label that the series had under such a name is now called ``exported_…`` (without
        ``honor_labels``).

    Examples
    --------
    >>> table = LabelTable.of([{"job": "mine", "a": "x"}])
    >>> metric = ObservedMetric("m", "m", 1, table=table)
    >>> list(with_target_labels([metric], {"job": "api"})[0].table.rows())
    [{'a': 'x', 'exported_job': 'mine', 'job': 'api'}]
    """
    given = {name: value for name, value in labels.items() if value}
    return [
        metric if metric.table is None else replace(metric, table=_labelled(metric.table, given))
        for metric in metrics
    ]


def _labelled(table: LabelTable, labels: Mapping[str, str]) -> LabelTable:
    taken = {*table.labels, *labels}
    columns = {}
    for j, name in enumerate(table.labels):
        own = name
        while own in labels or (own != name and own in taken):
            own = f"exported_{own}"
        taken.add(own)
        columns[own] = (table.values[j], table.codes[:, j])
    if table.series:
        constant = np.zeros(table.series, np.int32)
        columns.update({name: ((value,), constant) for name, value in labels.items()})
    names = sorted(columns)
    codes = np.empty((table.series, len(names)), np.int32, order="F")
    for j, name in enumerate(names):
        codes[:, j] = columns[name][1]
    return LabelTable(tuple(names), tuple(columns[name][0] for name in names), codes)

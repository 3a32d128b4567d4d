"""The estate as a whole: its parts, in order, each with random numbers of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from workbench.demo import (
    billing,
    carts,
    checkout,
    disks,
    external,
    kubernetes,
    llm,
    nodes,
    pool,
    requestsizes,
    runtime,
    selfhosted,
    targets,
)
from workbench.demo.grid import Grid, estate_grid, generator
from workbench.samples import MetricMetadata, Series

__all__ = ["PARTS", "Part", "metadata", "simulate", "simulate_part"]

Part = Callable[[np.random.Generator, Grid], Iterator[Series]]
"""A part of the estate: random numbers and minutes to series."""

PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "checkout": checkout.checkout,
        "carts": carts.carts,
        "pool": pool.pool,
        "nodes": nodes.nodes,
        "external": external.external,
        "llm": llm.llm,
        "kubernetes": kubernetes.containers,
    }
)
"""Every part by name. The name seeds its random numbers: renaming one changes its noise."""

_LATER: Final = MappingProxyType(
    {
        "kubernetes targets": ("kubelet", "kube-state-metrics"),
        "llm targets": ("dcgm-exporter", "support-desk"),
    }
)
"""Jobs that came later, by the name that seeds the noise of their scrapes: what is drawn for the
targets before them does not depend on them."""


def simulate_part(name: str) -> list[Series]:
    """The series of one part, those of a metric together, as a store wants to keep them.

    They are the same whether or not other parts are simulated.
    """
    series = PARTS[name](generator(name), estate_grid())
    return sorted(series, key=lambda one: one[0]["__name__"])


def simulate() -> Iterator[Series]:
    """Every series of the estate, one part after the other, then what each scrape says of itself.

    At most one part is in memory at a time.

    Yields
    ------
    tuple
        ``(labels, times_ms, values)``: int64 milliseconds and float64, of one length. Series of
        one target share their array of times: do not write into it.

    Examples
    --------
    >>> labels, times_ms, values = next(simulate())
    >>> labels["job"], len(times_ms), len(values)
    ('checkout', 50401, 50401)
    """
    logs = {name: targets.ScrapeLog(estate_grid()) for name in ("targets", *_LATER)}
    log_of = {job: log for log, jobs in _LATER.items() for job in jobs}
    for name in PARTS:
        for series in simulate_part(name):
            logs[log_of.get(series[0]["job"], "targets")].record(series)
            yield series
    for name, log in logs.items():
        yield from log.write(generator(name))


def metadata() -> list[MetricMetadata]:
    """Type, help and unit of every metric family of the estate, sorted by name."""
    rooms = (
        billing,
        carts,
        checkout,
        disks,
        external,
        kubernetes,
        llm,
        nodes,
        pool,
        requestsizes,
        runtime,
        selfhosted,
        targets,
    )
    return sorted((family for room in rooms for family in room.METADATA), key=lambda f: f.name)

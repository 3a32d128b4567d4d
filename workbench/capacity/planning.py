"""What to ask: which resources a source can answer for, and the PromQL of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.capacity.resource import Resource
from workbench.promql.question import Question
from workbench.units import format_duration, parse_duration
from workbench.window import Window

__all__ = ["Discovery", "Unusable", "discover", "limit_key", "questions", "usage_key"]

_DAY_MS: Final = 86_400_000

_OR: Final = " | "
"""Between the names of metrics of which one is enough."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A resource that cannot be watched, and why.

    Parameters
    ----------
    resource
        What was wished for.
    missing
        The metrics that it lacks, ``a or b`` where one of two would do; none where only its
        limit is missing, which the user has to give.
    """

    resource: Resource
    missing: tuple[str, ...]

    @property
    def awaits_limit(self) -> bool:
        """Whether a limit in a `resources.toml` is all that it lacks."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a source has of what was wished for."""

    usable: tuple[Resource, ...]
    unusable: tuple[Unusable, ...]


def discover(metrics: Iterable[str], resources: Sequence[Resource]) -> Discovery:
    """Tell which resources a source can answer for.

    Parameters
    ----------
    metrics
        The names of the metrics that the source has.
    resources
        What to look for: `shipped_resources()` or `load_resources(path)`.

    Examples
    --------
    >>> heap = Resource(name="heap", usage="…", metrics=("used_bytes | bytes_used", "max_bytes"))
    >>> discover(["bytes_used"], [heap]).unusable[0].missing
    ('max_bytes',)
    """
    have = set(metrics)
    usable: list[Resource] = []
    unusable: list[Unusable] = []
    for resource in resources:
        lacks = tuple(
            m.replace(_OR, " or ") for m in resource.metrics if have.isdisjoint(m.split(_OR))
        )
        if lacks or (resource.needs_limit and resource.limit is None):
            unusable.append(Unusable(resource, lacks))
        else:
            usable.append(resource)
    return Discovery(tuple(usable), tuple(unusable))


def usage_key(resource: Resource) -> str:
    """The key of a resource's usage question."""
    return f"usage {resource.key}"


def limit_key(resource: Resource) -> str:
    """The key of a resource's limit question."""
    return f"limit {resource.key}"


def questions(resources: Sequence[Resource], window: Window) -> list[Question]:
    """What to ask for an analysis.

    Parameters
    ----------
    resources
        What to watch.
    window
        The history to learn from: at least 14 days, better 90; its step at most a day, an hour
        is good: peaks between its points are found by a subquery.

    Examples
    --------
    >>> disk = Resource(name="disk", usage="disk_used", limit=100.0)
    >>> [q.expression for q in questions([disk], Window(0, 86_400_000, 3_600_000))]
    ['max_over_time((disk_used)[1h:5m])']
    """
    asked: list[Question] = []
    for resource in resources:
        asked.append(Question(usage_key(resource), _usage(resource, window), window))
        if isinstance(resource.limit, str):
            asked.append(Question(limit_key(resource), resource.limit, window))
    return asked


def _usage(resource: Resource, window: Window) -> str:
    """The usage, with the peak between two points of the grid where it matters."""
    fine = parse_duration(resource.resolution)
    if resource.peak == "sample" or fine == 0 or window.step_ms <= fine:
        return resource.usage
    span = format_duration(min(window.step_ms, _DAY_MS))
    # A comment at the end of the query would take the bracket with it.
    usage = f"{resource.usage}\n" if "#" in resource.usage else resource.usage
    return f"max_over_time(({usage})[{span}:{format_duration(fine)}])"

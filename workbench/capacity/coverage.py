"""Which ready-made sets fit a source, and what each of them lacks there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.capacity.planning import Discovery, Unusable
from workbench.capacity.resource import Resource
from workbench.capacity.resource_sets import shipped_sets
from workbench.findings import Finding, Severity
from workbench.units import counted

__all__ = ["SetFit", "coverage_finding", "fit_sets"]

_MOST: Final = 4
"""So many missing metrics are named in a sentence."""


@dataclass(frozen=True, slots=True)
class SetFit:
    """How a ready-made set fits a source.

    Parameters
    ----------
    name, title
        Of the set.
    optional
        Whether it is watched only where a `resources.toml` names it.
    usable
        Its resources that the source has the metrics of.
    unusable
        The others, with what they lack.
    present
        Whether the source has any metric of the set: without one, what the set looks at is not
        there or not scraped, and what it lacks is no news.
    """

    name: str
    title: str
    optional: bool
    usable: tuple[Resource, ...]
    unusable: tuple[Unusable, ...]
    present: bool

    @property
    def lacking(self) -> tuple[Unusable, ...]:
        """What lacks metrics."""
        return tuple(u for u in self.unusable if not u.awaits_limit)

    @property
    def awaiting(self) -> tuple[Resource, ...]:
        """What would be watched, if a `resources.toml` gave its limit."""
        return tuple(u.resource for u in self.unusable if u.awaits_limit)

    def describe(self) -> str:
        """What of the set is watched and what is not, and why, in a sentence."""
        watched = f"watches {_words(self.usable)}" if self.usable else ""
        return "; ".join(filter(None, [watched, self.gaps()]))

    def gaps(self, empty: Collection[str] = ()) -> str:
        """What of the set is not watched, and why; ``""`` where all is.

        Parameters
        ----------
        empty
            The names of resources that were asked for and gave no series.
        """
        parts = []
        if lacking := self.lacking:
            metrics = sorted({m for u in lacking for m in u.missing})
            more = " …" if len(metrics) > _MOST else ""
            without = f"no {', '.join(metrics[:_MOST])}{more}"
            parts.append(f"not {_words(u.resource for u in lacking)} ({without})")
        if awaiting := self.awaiting:
            parts.append(f"{_words(awaiting)}: give `limit` in a resources.toml")
        if nothing := [r for r in self.usable if r.name in empty]:
            parts.append(f"{_words(nothing)}: the query gives no series")
        return "; ".join(parts)


def _words(resources: Iterable[Resource]) -> str:
    return ", ".join(dict.fromkeys(r.words for r in resources))


def fit_sets(found: Discovery) -> list[SetFit]:
    """Tell how each ready-made set fits a source.

    Parameters
    ----------
    found
        What the source has of the ready-made resources. Sets of which none was wished for are
        left out, and so are resources that are not of a ready-made set.

    Examples
    --------
    >>> from workbench.capacity import discover, shipped_resources
    >>> have = ["process_open_fds", "process_max_fds"]
    >>> [f.name for f in fit_sets(discover(have, shipped_resources())) if f.usable]
    ['go']
    """
    fits = []
    for name, each in shipped_sets().items():
        usable = tuple(r for r in found.usable if r in each.resource)
        unusable = tuple(u for u in found.unusable if u.resource in each.resource)
        some = any(len(u.missing) < len(u.resource.metrics) for u in unusable)
        if usable or unusable:
            present = bool(usable) or some
            fits.append(SetFit(name, each.title, each.optional, usable, unusable, present))
    return fits


def _listed(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def coverage_finding(fits: Sequence[SetFit], empty: Collection[str] = ()) -> Finding | None:
    """One finding for all that the ready-made sets could watch and do not; None where all is well.

    Parameters
    ----------
    fits
        Of `fit_sets`; sets of which the source has nothing, and optional ones, count for nothing.
    empty
        The names of resources that were asked for and gave no series.
    """
    part = [f for f in fits if f.present and not f.optional]
    gaps = {f.name: told for f in part if (told := f.gaps(empty))}
    if not gaps:
        return None
    unwatched = sum(
        len(f.lacking) + len(f.awaiting) + sum(r.name in empty for r in f.usable) for f in part
    )
    what = (
        f"{counted(unwatched, 'resource')} of the resource sets {_listed(gaps)} "
        f"{'is' if unwatched == 1 else 'are'} not watched: metrics, limits or series are missing"
    )
    step = (
        "nothing, if what is missing is not in use; else scrape its exporter, or give limits in a "
        "resources.toml; `workbench doctor` tells all sets"
    )
    return Finding("CAP-METRICS-MISSING", Severity.INFO, "resource sets", what, step, gaps)

"""Which load drives a resource: its own, the one that is given, or the requests that are found."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from workbench.promql.question import Question
from workbench.promql.quote import quote_label
from workbench.samples import Labels
from workbench.units import format_duration
from workbench.window import Window

__all__ = ["Load", "Match", "load_questions", "match_load", "usual_loads"]

PLACES: Final = ("instance", "pod", "node", "host", "hostname", "pod_name", "container_id", "task")
"""Labels that tell one copy of a thing from the others."""

_KEPT: Final = ("job", "instance", "namespace", "pod", "service", "region", "zone", "cluster")
"""Labels by which requests are told apart: those of the client or of the answer are not."""

_REQUESTS: Final = re.compile(r"(?:^|[_:])requests?_total\Z")
_MOST: Final = 6
"""So many counters are asked for at the most."""

_FINE_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Load:
    """A load that may drive resources.

    Parameters
    ----------
    expression
        Its PromQL: a rate or a gauge.
    name
        What to call it.
    found
        Whether it was found by convention, and not named by anyone.
    """

    expression: str
    name: str
    found: bool = False

    @property
    def key(self) -> str:
        """The key of its question."""
        return f"load {self.expression}"

    @property
    def unit(self) -> str:
        """Of its values, as far as known."""
        return "requests/s" if self.found else ""


@dataclass(frozen=True, slots=True)
class Match:
    """Which series of a load drive one instance.

    Parameters
    ----------
    rows
        Their places in the frame.
    by
        The labels that they share with the instance; none where all of the load drives it.
    """

    rows: tuple[int, ...]
    by: tuple[str, ...]

    @property
    def own(self) -> bool:
        """Whether it is the load of this one instance, and not of all like it."""
        return bool(set(self.by) & set(PLACES))


@cache
def _counters() -> tuple[str, ...]:
    text = files("workbench.conventions").joinpath("loads", "requests.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["counters"])


def usual_loads(metrics: Iterable[str], *, also_by: Sequence[str] = ()) -> tuple[Load, ...]:
    """The requests that a source counts, by the names that are usual.

    Parameters
    ----------
    metrics
        The names of all its metrics.
    also_by
        Labels to keep besides the usual ones.

    Examples
    --------
    >>> [load.name for load in usual_loads(["up", "http_requests_total", "shop_requests_total"])]
    ['http_requests_total']
    >>> usual_loads(["shop_requests_total"])[0].name
    'shop_requests_total'
    """
    have = set(metrics)
    names = [n for n in _counters() if n in have]
    names = names or sorted(n for n in have if _REQUESTS.search(n))
    by = ", ".join(quote_label(n) for n in dict.fromkeys([*_KEPT, *also_by]))
    return tuple(Load(f"sum by ({by}) (rate({n}[5m]))", n, found=True) for n in names[:_MOST])


def load_questions(loads: Iterable[Load], window: Window) -> list[Question]:
    """What to ask: the peak of each load between the steps of the grid, as of the usage.

    Examples
    --------
    >>> load_questions([Load("rps", "rps")], Window(0, 86_400_000, 3_600_000))[0].expression
    'max_over_time((rps)[1h:5m])'
    """
    asked = []
    for load in dict.fromkeys(loads):
        fine = window.step_ms <= _FINE_MS
        span = f"[{format_duration(window.step_ms)}:{format_duration(_FINE_MS)}]"
        asked.append(
            Question(
                load.key,
                load.expression if fine else f"max_over_time(({load.expression}){span})",
                window,
            )
        )
    return asked


def match_load(labels: Labels, loads: Sequence[Labels], *, found: bool) -> Match | None:
    """Find the series of a load that drive one instance.

    Parameters
    ----------
    labels
        Of the instance.
    loads
        Of the load's series.
    found
        Whether the load was found by convention: then a load without the instance's own labels
        drives it by the labels that remain, and at last as a whole.

    Returns
    -------
    Match or None
        None where labels are shared by name and none by value: it is someone else's load.

    Examples
    --------
    >>> loads = [{"job": "api", "instance": "a"}, {"job": "api", "instance": "b"}]
    >>> match_load({"instance": "b"}, loads, found=False).rows
    (1,)
    >>> match_load({"instance": "db"}, loads, found=True).rows
    (0, 1)
    """
    if not loads:
        return None
    everything = Match(tuple(range(len(loads))), ())
    names = {n for each in loads for n in each} & set(labels) - {"__name__"}
    if not names:
        return everything
    tried = [names, names - set(PLACES)] if found else [names]
    for shared in tried:
        rows = tuple(i for i, each in enumerate(loads) if _agree(labels, each, shared))
        if rows and shared:
            return Match(rows, tuple(sorted(shared)))
    return everything if found else None


def _agree(labels: Labels, load: Labels, shared: Iterable[str]) -> bool:
    return all(load.get(n) == labels[n] for n in shared)

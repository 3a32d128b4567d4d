"""Objectives to begin with: what a source's own metrics would allow to promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from workbench.promql import matches, selector
from workbench.promql.quote import is_bare_metric

if TYPE_CHECKING:
    from workbench.session.workbench import Workbench

__all__ = ["suggested_objectives"]

_STATUS: Final = ("code", "status", "status_code", "http_status_code", "http_response_status_code")
"""Labels that hold an HTTP status, the most usual first."""

_REQUESTS: Final = ("requests_total", "request_total", "requests_count", "_duration_seconds_count")
_MOST_LOOKED_AT: Final = 20

_EXAMPLE: Final = """\
[[objective]]
name = "answers"
service = "{service}"
target = "99.9%"
window = "30d"
sli.kind = "availability"
sli.total = '{total}'
sli.bad = '{bad}'"""


def suggested_objectives(workbench: Workbench) -> str:
    """How to write a file of objectives; with this source's metrics where they show how.

    Two calls for each of a few metrics are all that the source is asked.
    """
    metric, label = next(_counters(workbench), ("http_requests_total", "code"))
    bad = selector(metric, {label: matches("5..")})
    text = _EXAMPLE.format(service=_service(metric), total=metric, bad=bad)
    return (
        f"write a file such as slo.toml and give -p objectives=slo.toml (objectives='slo.toml'); "
        f"OpenSLO and Sloth's files are read too. To begin with:\n\n{text}\n"
    )


def _counters(workbench: Workbench) -> Iterator[tuple[str, str]]:
    """Counters of requests with the label that tells failures."""
    names = workbench.label_values("__name__")
    for name in _likely(names)[:_MOST_LOOKED_AT]:
        labels = workbench.labels(selector(name))
        yield from ((name, label) for label in _STATUS if label in labels)


def _likely(names: Iterable[str]) -> list[str]:
    """Names of counters of requests, Prometheus' own last."""
    found = [n for n in names if n.endswith(_REQUESTS) and is_bare_metric(n)]
    return sorted(found, key=lambda n: (n.startswith(("prometheus_", "promhttp_", "go_")), n))


def _service(metric: str) -> str:
    return metric.partition("_requests")[0].partition("_request")[0] or "shop"

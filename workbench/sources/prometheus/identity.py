"""What a server is, and whose PromQL it speaks: found out by cheap signs, not by asking people."""

from __future__ import annotations

import re
from typing import Any, Final

from workbench.errors import NotSupportedError, QueryError, RefusedError, SourceError
from workbench.findings import Semantics
from workbench.sources.base import Features, SourceInfo
from workbench.sources.prometheus.decode import parse_envelope
from workbench.sources.prometheus.transport import Transport

__all__ = ["identify"]

_PROBE: Final = "count_over_time(vector(1)[1m:30s])"
"""Counts the multiples of 30 s in a window of a minute that ends on one: three where windows
are closed at both ends (Prometheus 2.x), two where they are open at the left (3.x). It needs no
data, and tells Thanos', Mimir's and Cortex' engines apart too, whose own versions say little."""
_PROBE_TIME: Final = "1700000040"

_METRICSQL: Final = "now()"
"""A function of VictoriaMetrics' own language: a parse error anywhere else."""

_FEATURES: Final = {
    "VictoriaMetrics": Features(exemplars=False),
    "Mimir": Features(targets=False),
    "Cortex": Features(targets=False, tsdb_status=False),
}
"""What a product is known to lack; a server may still refuse what stands here as there."""


def identify(transport: Transport) -> SourceInfo:
    """Ask a server what it is: two to five small questions.

    Parameters
    ----------
    transport
        The connection.

    Raises
    ------
    SourceError
        The server cannot be reached at all, or is none of this API.
    """
    build = _build(transport)
    product, version = _product(build, transport)
    if product == "VictoriaMetrics":
        semantics = Semantics.VICTORIAMETRICS
        version = version or _victoriametrics_version(transport)
    else:
        semantics = _semantics(transport)
    features = _FEATURES.get(product, Features())
    if product == "VictoriaMetrics" and not _has_metadata(transport):
        features = Features(metadata=False, exemplars=False)
    return SourceInfo(transport.name, product, version, semantics, features)


def _build(transport: Transport) -> dict[str, Any]:
    try:
        data = parse_envelope(transport.fetch("status/buildinfo", {}, method="GET")).get("data")
    except (NotSupportedError, RefusedError, QueryError):
        return {}
    return data if isinstance(data, dict) else {}


def _product(build: dict[str, Any], transport: Transport) -> tuple[str, str]:
    version = str(build.get("version") or "").removeprefix("v")
    application = str(build.get("application") or "")
    if application:
        return application.removeprefix("Grafana "), version
    if "goVersion" not in build:
        # VictoriaMetrics answers with nothing, or with the version of a Prometheus it is like
        return (
            ("VictoriaMetrics", "") if _scalar(transport, _METRICSQL) is not None else ("", version)
        )
    if version.startswith("0."):
        return "Thanos", version
    if version.startswith("1."):
        return "Cortex", version
    return "Prometheus", version


def _semantics(transport: Transport) -> Semantics:
    return {3.0: Semantics.PROMETHEUS_2, 2.0: Semantics.PROMETHEUS_3}.get(
        _scalar(transport, _PROBE) or 0.0, Semantics.UNKNOWN
    )


def _scalar(transport: Transport, expression: str) -> float | None:
    """The single value of an expression; None where the server does not understand it."""
    try:
        body = transport.fetch(
            "query", {"query": expression, "time": _PROBE_TIME}, expression=expression
        )
        result = parse_envelope(body)["data"]["result"]
        return float(result[0]["value"][1])
    except (QueryError, KeyError, IndexError, TypeError, ValueError):
        return None


def _has_metadata(transport: Transport) -> bool:
    try:
        return bool(
            parse_envelope(transport.fetch("metadata", {"limit": "1"}, method="GET")).get("data")
        )
    except (SourceError, QueryError):
        return False


def _victoriametrics_version(transport: Transport) -> str:
    """From the server's own metrics page, which may be closed to us."""
    text = transport.page("/metrics")
    found = re.search(r'^vm_app_version\{[^}]*short_version="v?([^"]+)"', text, re.MULTILINE)
    return found[1] if found else ""

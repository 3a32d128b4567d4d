"""What the server says of itself and of its source, and what Grafana asks without needing it."""

from __future__ import annotations

from typing import Final

from workbench.findings import Semantics
from workbench.serving.exchange import Response, dumps, plain, success
from workbench.serving.parameters import Parameters
from workbench.sources.base import Source, SourceInfo

__all__ = ["build", "harmless", "page", "tsdb"]

_LANGUAGE: Final = "3.0.0"
"""The version of PromQL and of the API that the embedded engine speaks."""

_NAMED_BY_VERSION: Final = ("", "Prometheus")
"""Products that do not name themselves in their build information."""


def build(source: Source, asked: Parameters) -> Response:  # noqa: ARG001 - as every handler
    """``/api/v1/status/buildinfo``: the server behind, or the engine's language and our version.

    Clients choose what they may ask by the version; who reads it sees by the application that
    this is no Prometheus.
    """
    return success(dumps(_build(source.info())))


def _build(info: SourceInfo) -> dict[str, str]:
    from workbench.version import __version__

    application, version = info.product, info.version
    if not version and info.semantics is Semantics.PROMETHEUS_3:
        application, version = "observability-workbench", f"{_LANGUAGE}+workbench.{__version__}"
    said = {
        "version": version,
        "revision": "",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }
    return said if application in _NAMED_BY_VERSION else {**said, "application": application}


def tsdb(source: Source, asked: Parameters) -> Response:
    """``/api/v1/status/tsdb``."""
    return success(dumps(source.tsdb_status(asked.limit(default=10) or 10)))


harmless: Final = {
    "status/config": {"yaml": ""},
    "status/flags": {},
    "rules": {"groups": []},
    "alerts": {"alerts": []},
    "alertmanagers": {"activeAlertmanagers": [], "droppedAlertmanagers": []},
}
"""What is asked of a Prometheus and is empty here: no flags, no rules, no alerts."""


def page(source: Source) -> Response:
    """The page at ``/``: what this is and how to use it."""
    info = source.info()
    server = f"{info.product} {info.version}".strip() or "unknown"
    return plain(
        f"""Observability workbench: {info.name} over the Prometheus HTTP API

source      {info.name}
server      {server}
semantics   {info.semantics.value}

Give this address to Grafana as a Prometheus data source, or ask it directly:

  GET, POST  /api/v1/query /api/v1/query_range /api/v1/series /api/v1/labels
             /api/v1/query_exemplars /api/v1/format_query /api/v1/parse_query
  GET        /api/v1/label/NAME/values /api/v1/metadata /api/v1/targets
             /api/v1/status/buildinfo /api/v1/status/tsdb /-/healthy /-/ready
"""
    )

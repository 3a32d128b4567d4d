"""Prometheus and OpenMetrics text: what targets expose, read into samples and written from them."""

from workbench.exposition.columns import Joined, join_rows
from workbench.exposition.parser import Exemplar, Exposition, LineError, TextFormat, parse
from workbench.exposition.scan import scan
from workbench.exposition.writer import write_openmetrics

__all__ = [
    "Exemplar",
    "Exposition",
    "Joined",
    "LineError",
    "TextFormat",
    "join_rows",
    "parse",
    "scan",
    "write_openmetrics",
]

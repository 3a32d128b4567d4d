"""What a scan finds in a folder of a test: all of it must be readable."""

from __future__ import annotations

from pathlib import Path

from workbench.codescan import scan_source
from workbench.inventory import DeclaredMetric, LabelValues


def metrics_in(folder: Path) -> list[DeclaredMetric]:
    """Every metric; no file is left unread."""
    found = scan_source(folder)
    assert found.unread == (), found.unread
    return list(found.declared)


def metrics_of(folder: Path, files: dict[str, str]) -> dict[str, DeclaredMetric]:
    """The metrics of files that are written first, by name."""
    for name, code in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    return {metric.name: metric for metric in metrics_in(folder)}


def what_label(folder: Path) -> LabelValues:
    """What the label ``what`` of the one metric can be given."""
    (metric,) = metrics_in(folder)
    return metric.values["what"]

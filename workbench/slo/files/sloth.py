"""Sloth's format: ``version: prometheus/v1``, and its Kubernetes form `PrometheusServiceLevel`.

The two differ in how their keys are written (``page_alert``, ``pageAlert``), so keys are compared
without underscores and case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.slo.files.gathering import Gathered, Remark, built
from workbench.usage.document import is_true, mapping, sequence, text

__all__ = ["is_sloth", "read_sloth"]

_VERSION: Final = "prometheus/v1"
_KIND: Final = "PrometheusServiceLevel"
_PERIOD: Final = "30d"
"""What Sloth itself assumes; no file says it."""
_USED: Final = {
    "": ("version", "apiversion", "kind", "metadata", "spec", "service", "labels", "slos"),
    "slo": ("name", "description", "objective", "labels", "sli", "alerting"),
    "alerting": ("name", "labels", "annotations", "pagealert", "ticketalert"),
    "alert": ("disable", "labels", "annotations"),
}


def is_sloth(document: Any) -> bool:
    """Whether a document is of this format."""
    body = mapping(document)
    return body.get("version") == _VERSION or body.get("kind") == _KIND


def read_sloth(document: Any, path: str, gathered: Gathered) -> None:
    """Read the objectives of a document; those that cannot be honoured are refused by name."""
    top = _plain(document)
    body = _plain(top["spec"]) if "spec" in top else top
    service = text(body.get("service"))
    note = _Noter(gathered, path, service or _KIND)
    note.unused(mapping(document), "")
    note.unused(mapping(top.get("spec")), "")
    slos = sequence(body.get("slos"))
    if not slos:
        note(f"it has no slos, so nothing is read of service {service!r}")
    for entry in slos:
        slo = mapping(entry)
        about = f"{service} {text(slo.get('name'))}".strip()
        try:
            content = _objective(
                slo, service, _texts(body.get("labels")), _Noter(gathered, path, about)
            )
            gathered.objectives.append((built(content, path), path))
        except (WorkbenchError, ValueError) as error:
            gathered.refused.append(Remark(path, about, str(error)))


class _Noter:
    """Notes about one object of one file."""

    def __init__(self, gathered: Gathered, path: str, about: str) -> None:
        self._gathered, self._path, self._about = gathered, path, about

    def __call__(self, said: str) -> None:
        self._gathered.notes.append(Remark(self._path, self._about, said))

    def unused(self, body: Mapping[str, Any], part: str) -> None:
        for key in body:
            if _key(key) not in _USED[part]:
                self(f"{key} is not used")


def _plain(value: Any) -> dict[str, Any]:
    return {_key(k): v for k, v in mapping(value).items()}


def _key(name: str) -> str:
    return name.replace("_", "").lower()


def _texts(value: Any) -> dict[str, str]:
    return {str(k): text(v) or str(v) for k, v in mapping(value).items()}


def _objective(
    slo: Mapping[str, Any], service: str, labels: dict[str, str], note: _Noter
) -> dict[str, Any]:
    note.unused(slo, "slo")  # its own keys are single words, the same in both forms
    labels = {**labels, **_texts(slo.get("labels"))}
    owner = labels.pop("owner", "")
    return {
        "name": text(slo.get("name")),
        "service": service,
        "description": text(slo.get("description")),
        "owner": owner,
        "target": f"{text(slo.get('objective'))}%",
        "window": _PERIOD,
        "sli": _indicator(_plain(slo.get("sli"))),
        "labels": labels,
        "alerting": _alerting(slo.get("alerting"), note),
    }


def _indicator(sli: Mapping[str, Any]) -> dict[str, str]:
    if "plugin" in sli:
        name = text(mapping(sli["plugin"]).get("id"))
        msg = f"its indicator is the plugin {name!r}, which only Sloth can run"
        raise ValueError(msg)
    if "events" in sli:
        events = _plain(sli["events"])
        bad, total = text(events.get("errorquery")), text(events.get("totalquery"))
        return {"kind": "query", "bad": bad, "total": total}
    if "raw" in sli:
        return {"kind": "query", "error_ratio": text(_plain(sli["raw"]).get("errorratioquery"))}
    msg = "it has neither sli.events nor sli.raw"
    raise ValueError(msg)


def _alerting(value: Any, note: _Noter) -> dict[str, Any]:
    note.unused(mapping(value), "alerting")
    alerting = _plain(value)
    labels = _texts(alerting.get("labels"))
    severity = labels.pop("severity", "")
    parts = {
        kind: _alert(alerting.get(f"{kind}alert"), severity, note) for kind in ("page", "ticket")
    }
    annotations = _texts(alerting.get("annotations"))
    return {
        "name": text(alerting.get("name")), "labels": labels, "annotations": annotations, **parts,
    }  # fmt: skip


def _alert(value: Any, severity: str, note: _Noter) -> dict[str, Any]:
    alert = _plain(value)
    note.unused(mapping(value), "alert")
    labels = _texts(alert.get("labels"))
    return {
        "alert": not is_true(alert.get("disable")),
        "severity": labels.pop("severity", severity),
        "labels": labels,
        "annotations": _texts(alert.get("annotations")),
    }

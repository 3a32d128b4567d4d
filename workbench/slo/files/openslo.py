"""OpenSLO v1: SLOs, and the SLIs, data sources and alert policies that they refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.slo.files.gathering import Gathered, Remark, built
from workbench.slo.files.openslo_metrics import Sources, indicator
from workbench.units import format_duration
from workbench.usage.document import is_true, mapping, sequence, text

__all__ = ["OpenSLO", "is_openslo"]

_VERSION: Final = "openslo/v1"
_DURATION: Final = re.compile(r"([1-9][0-9]{0,4})([mhdwMQY])")
_ROLLING: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "Q": 7_776_000}
"""Seconds of the units; a rolling month has 30 days, a quarter 90."""
_CALENDAR: Final = {"d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year"}
_USED: Final = frozenset(
    {
        "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod",
        "objectives", "alertPolicies",
    }
)  # fmt: skip


def is_openslo(document: Any) -> bool:
    """Whether a document is of this format, in any version of it."""
    return text(mapping(document).get("apiVersion")).startswith("openslo")


@dataclass(slots=True)
class OpenSLO:
    """The documents of all files that are read together, since they refer to each other.

    Parameters
    ----------
    documents
        Each with its file.
    """

    documents: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)

    def add(self, document: Any, path: str) -> None:
        """Keep a document until all are known."""
        self.documents.append((mapping(document), path))

    def read(self, gathered: Gathered) -> None:
        """Read every SLO; those that cannot be honoured are refused by name."""
        known = {_identity(document): document for document, _ in self.documents}
        for document, path in self.documents:
            kind, name = _identity(document)
            about = f"{kind} {name}".strip()
            version = text(document.get("apiVersion"))
            if version != _VERSION:
                refusal = f"its version is {version!r}; {_VERSION} is read"
                gathered.refused.append(Remark(path, about, refusal))
            elif kind == "SLO":
                self._slo(document, path, known, gathered)
            elif kind == "AlertNotificationTarget":
                said = "who is notified is told by Alertmanager's routes, so it is not used"
                gathered.notes.append(Remark(path, about, said))
            elif kind not in ("SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition"):
                gathered.refused.append(Remark(path, about, f"OpenSLO has no kind {kind!r}"))

    def _slo(
        self,
        document: Mapping[str, Any],
        path: str,
        known: Mapping[tuple[str, str], Mapping[str, Any]],
        gathered: Gathered,
    ) -> None:
        _, name = _identity(document)
        notes: list[str] = []
        try:
            made = [built(c, path) for c in _Slo(document, known, notes).contents()]
        except (WorkbenchError, ValueError) as error:
            gathered.refused.append(Remark(path, f"SLO {name}", str(error)))
            made = []
        gathered.objectives += [(one, path) for one in made]
        gathered.notes += [Remark(path, f"SLO {name}", said) for said in dict.fromkeys(notes)]


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    return text(document.get("kind")), text(mapping(document.get("metadata")).get("name"))


class _Slo:
    """One SLO, which may hold several objectives."""

    def __init__(
        self,
        document: Mapping[str, Any],
        known: Mapping[tuple[str, str], Mapping[str, Any]],
        notes: list[str],
    ) -> None:
        self._metadata = mapping(document.get("metadata"))
        self._spec = mapping(document.get("spec"))
        self._known = known
        self._notes = notes

    def contents(self) -> Iterator[dict[str, Any]]:
        """What each of its objectives is, in our own format's words."""
        spec, notes = self._spec, self._notes
        notes += [f"{key} is not used" for key in spec if key not in _USED]
        window = _window(spec.get("timeWindow"), notes)
        objectives = [mapping(o) for o in sequence(spec.get("objectives"))]
        if not objectives:
            msg = "it has no objectives"
            raise ValueError(msg)
        alerting = self._alerting()
        names = _names(text(self._metadata.get("name")), objectives)
        for name, objective in zip(names, objectives, strict=True):
            yield {
                "name": name,
                "service": text(spec.get("service")),
                "description": text(spec.get("description")),
                "owner": _first(mapping(self._metadata.get("labels")).get("owner")),
                "target": _target(objective),
                **window,
                "sli": self._indicator(objective),
                "labels": self._labels(),
                "alerting": alerting,
            }

    def _labels(self) -> dict[str, str]:
        """Its labels that Prometheus can write; OpenSLO's names may hold dots and slashes."""
        labels = {}
        for name, value in mapping(self._metadata.get("labels")).items():
            if name == "owner":
                continue
            if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) and not isinstance(value, list):
                labels[name] = _first(value)
            else:
                self._notes.append(f"the label {name!r} is not used")
        return labels

    def _indicator(self, objective: Mapping[str, Any]) -> dict[str, Any]:
        if "compositeWeight" in objective:
            msg = "it is a composite of several indicators"
            raise ValueError(msg)
        own = objective if {"indicator", "indicatorRef"} & objective.keys() else self._spec
        body: Mapping[str, Any] = mapping(own.get("indicator"))
        if not body:
            name = text(own.get("indicatorRef"))
            if ("SLI", name) not in self._known:
                msg = f"there is no SLI {name!r} in these files" if name else "it has no indicator"
                raise ValueError(msg)
            body = self._known["SLI", name]
        sources: Sources = {n: d for (kind, n), d in self._known.items() if kind == "DataSource"}
        method = text(self._spec.get("budgetingMethod"))
        return indicator(mapping(body.get("spec")), objective, method, sources, self._notes)

    def _alerting(self) -> dict[str, Any]:
        """Severities of its policies; of their conditions nothing else is used."""
        severities: list[str] = []
        for entry in sequence(self._spec.get("alertPolicies")):
            policy = self._resolved(entry, "AlertPolicy", "alertPolicyRef")
            conditions = sequence(mapping(policy.get("spec")).get("conditions"))
            for condition in conditions:
                body = mapping(
                    self._resolved(condition, "AlertCondition", "conditionRef").get("spec")
                )
                severities.append(text(body.get("severity")))
                what = mapping(body.get("condition"))
                self._notes.append(
                    f"its alert condition ({text(what.get('kind'))} {text(what.get('op'))} "
                    f"{text(what.get('threshold'))} over {text(what.get('lookbackWindow'))}) is not "
                    "used: alerts are those of the multiwindow pairs"
                )
        found = [s for s in dict.fromkeys(severities) if s in ("page", "ticket")]
        if len(found) == 1:
            off = "ticket" if found[0] == "page" else "page"
            self._notes.append(f"its policies have no {off}, so none is made")
            return {off: {"alert": False}}
        return {}

    def _resolved(self, entry: Any, kind: str, key: str) -> Mapping[str, Any]:
        """An object in place, or the one that its name refers to."""
        name = entry if isinstance(entry, str) else text(mapping(entry).get(key))
        if not name:
            return mapping(entry)
        if (kind, name) not in self._known:
            self._notes.append(f"there is no {kind} {name!r} in these files")
        return self._known.get((kind, name), {})


def _first(value: Any) -> str:
    return ", ".join(map(text, value)) if isinstance(value, list) else text(value)


def _names(name: str, objectives: Sequence[Mapping[str, Any]]) -> list[str]:
    """The SLO's name; where it has several objectives, each with its own or its target."""
    if len(objectives) == 1:
        return [name]
    return [f"{name} {text(o.get('displayName')) or _target(o)}" for o in objectives]


def _target(objective: Mapping[str, Any]) -> str:
    percent = text(objective.get("targetPercent"))
    target = f"{percent}%" if percent else text(objective.get("target"))
    if not target:
        msg = "an objective has no target"
        raise ValueError(msg)
    return target


def _window(value: Any, notes: list[str]) -> dict[str, Any]:
    windows = [mapping(w) for w in sequence(value)]
    if len(windows) != 1:
        msg = f"it has {len(windows)} time windows; OpenSLO wants one"
        raise ValueError(msg)
    found = _DURATION.fullmatch(text(windows[0].get("duration")))
    if found is None:
        msg = f"its time window {text(windows[0].get('duration'))!r} is no duration such as 28d"
        raise ValueError(msg)
    number, unit = int(found[1]), found[2]
    if is_true(windows[0].get("isRolling")) or "calendar" not in windows[0]:
        seconds = number * _ROLLING.get(unit, 31_536_000)
        if unit in "MQY":
            notes.append(f"its rolling window of {found[0]} is taken for {seconds // 86_400} days")
        return {"window": format_duration(seconds * 1000)}
    if unit == "m":
        notes.append("its calendar window of 1m is taken for a month, which OpenSLO writes 1M")
        unit = "M"
    if number != 1 or unit not in _CALENDAR:
        msg = f"a calendar window of {found[0]} cannot be had; 1d, 1w, 1M, 1Q and 1Y can"
        raise ValueError(msg)
    calendar = mapping(windows[0].get("calendar"))
    content: dict[str, Any] = {"window": _CALENDAR[unit]}
    content["time_zone"] = text(calendar.get("timeZone")) or "UTC"
    if start := text(calendar.get("startTime")):
        content["window_start"] = _moment(start)
    return content


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        msg = f"its start time {value!r} is no time such as 2022-01-01 12:00:00"
        raise ValueError(msg) from None

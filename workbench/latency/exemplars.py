"""Exemplars: single slow requests with their trace ids, and links to where traces are shown.

Label values of exemplars are whatever a program put into them: a trace id reaches a link only
quoted, and never decides where the link leads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from workbench.errors import BadAnswerError, InputError, did_you_mean
from workbench.samples import Labels
from workbench.window import format_time

__all__ = ["TRACE_VIEWERS", "Exemplar", "read_exemplars", "trace_link", "trace_template"]

TRACE_VIEWERS: Final[Mapping[str, str]] = {
    "jaeger": "{base}/trace/{trace_id}",
    "zipkin": "{base}/zipkin/traces/{trace_id}",
    "tempo": "{base}/explore?schemaVersion=1&orgId=1&panes="
    + quote('{"trace":{"datasource":"', safe="")
    + "{source}"
    + quote('","queries":[{"refId":"A","queryType":"traceql","query":"', safe="")
    + "{trace_id_in_json}"
    + quote('"}],"range":{"from":"now-1h","to":"now"}}}', safe=""),
}
"""Links to a trace by the name of what shows it; Tempo's by Grafana's Explore."""

_TRACE_LABELS: Final = ("traceid", "trace", "oteltraceid", "ddtraceid", "xrayid", "correlationid")
"""Names of the label that holds the trace id, best first, in lower case without ``_ - .``."""

_PLACES: Final = ("{trace_id}", "{trace_id_in_json}")
_NO_LATENCY: Final = ("_count", "_sum", "_total")
_LATEST_MS: Final = 253_402_300_799_000


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One request that was kept as an example.

    Parameters
    ----------
    time_ms
        When it was observed.
    seconds
        How long it took.
    labels
        The exemplar's own labels, the trace id among them.
    series
        The series that it belongs to.
    trace_id
        Empty where no label holds one.
    link
        Where its trace is shown; empty without a template or a trace id.
    """

    time_ms: int
    seconds: float
    labels: Labels
    series: Labels = field(default_factory=dict)
    trace_id: str = ""
    link: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "time": format_time(self.time_ms),
            "seconds": self.seconds,
            "trace_id": self.trace_id,
            "link": self.link,
            "labels": dict(self.labels),
            "series": dict(self.series),
        }


def read_exemplars(
    data: Sequence[Mapping[str, Any]],
    *,
    template: str = "",
    trace_label: str = "",
    seconds_per_unit: float = 1.0,
    most: int = 100,
) -> tuple[Exemplar, ...]:
    """Read what the HTTP API gives under ``data``, the slowest first.

    Parameters
    ----------
    data
        Mappings of ``seriesLabels`` and ``exemplars``, each of which has ``labels``, ``value`` and
        ``timestamp`` in seconds. Exemplars of counters and values that are no numbers are left out;
        the same one under several series counts once.
    template
        Where a trace is shown, as `trace_link` takes it.
    trace_label
        The label that holds the trace id; by the usual names where empty.
    seconds_per_unit
        What values are multiplied by: 0.001 for milliseconds.
    most
        How many to keep.

    Raises
    ------
    BadAnswerError
        The data have another form.
    InputError
        The template is no address with a place for the trace id.

    Examples
    --------
    >>> seen = {"labels": {"trace_id": "4bf9"}, "value": "0.25", "timestamp": 1.5}
    >>> read_exemplars([{"seriesLabels": {"__name__": "x_bucket"}, "exemplars": [seen]}])[0].trace_id
    '4bf9'
    """
    if template:
        _check_template(template)
    found: dict[tuple[int, float, str], Exemplar] = {}
    try:
        for row in data:
            series = {str(k): str(v) for k, v in row.get("seriesLabels", {}).items()}
            if series.get("__name__", "").endswith(_NO_LATENCY):
                continue
            for raw in row.get("exemplars", ()):
                one = _exemplar(raw, series, template, trace_label, seconds_per_unit)
                if one is not None:
                    found.setdefault((one.time_ms, one.seconds, one.trace_id), one)
    except (AttributeError, TypeError) as error:
        msg = f"exemplars of an unknown form ({error})"
        raise BadAnswerError(msg, "give what the HTTP API answers under data") from None
    slowest = sorted(found.values(), key=lambda one: (-one.seconds, one.time_ms, one.trace_id))
    return tuple(slowest[:most])


def _exemplar(
    raw: Mapping[str, Any], series: Labels, template: str, trace_label: str, factor: float
) -> Exemplar | None:
    try:
        seconds, time_ms = float(raw["value"]) * factor, float(raw["timestamp"]) * 1000
    except (KeyError, ValueError, OverflowError):
        return None
    if not math.isfinite(seconds) or not 0 <= time_ms <= _LATEST_MS:
        return None
    labels = {str(k): str(v) for k, v in raw.get("labels", {}).items()}
    trace_id = labels.get(trace_label, "") if trace_label else _trace_id(labels)
    link = trace_link(template, trace_id) if template else ""
    return Exemplar(round(time_ms), seconds, labels, series, trace_id, link)


def _trace_id(labels: Labels) -> str:
    plain = {
        name.lower().replace("_", "").replace("-", "").replace(".", ""): value
        for name, value in sorted(labels.items())
    }
    return next((plain[name] for name in _TRACE_LABELS if plain.get(name)), "")


# -------------------------------------------------------------------------------- links


def trace_template(text: str, *, source: str = "tempo") -> str:
    """Make a template of what people give.

    Parameters
    ----------
    text
        A template that holds ``{trace_id}``, or a viewer's name and address such as
        ``jaeger=https://jaeger.example``: one of `TRACE_VIEWERS`.
    source
        The uid of Tempo's data source in Grafana.

    Raises
    ------
    InputError
        An unknown viewer, or an address that is none of http or https.

    Examples
    --------
    >>> trace_template("jaeger=https://jaeger.example/")
    'https://jaeger.example/trace/{trace_id}'
    """
    if any(place in text for place in _PLACES):
        _check_template(text)
        return text
    name, equals, base = text.partition("=")
    viewer = TRACE_VIEWERS.get(name.strip().lower())
    if viewer is None or not equals:
        known = ", ".join(f"{each}=https://…" for each in TRACE_VIEWERS)
        hint = did_you_mean(name.strip().lower(), TRACE_VIEWERS)
        msg = "the trace link names no viewer and has no place for {trace_id}"
        raise InputError(msg, hint or f"write {known}, or https://…/{{trace_id}}")
    quoted = quote(json.dumps(source)[1:-1], safe="")
    result = viewer.replace("{base}", base.strip().rstrip("/")).replace("{source}", quoted)
    _check_template(result)
    return result


def trace_link(template: str, trace_id: str) -> str:
    """Where a trace is shown.

    Parameters
    ----------
    template
        An address of http or https that holds ``{trace_id}``, or ``{trace_id_in_json}`` inside a
        quoted JSON text.
    trace_id
        Any text: it is quoted.

    Returns
    -------
    str
        Empty where there is no trace id, or one that would climb up the path (``..``).

    Raises
    ------
    InputError
        The template is no such address.

    Examples
    --------
    >>> trace_link("https://jaeger.example/trace/{trace_id}", "4b/f9?")
    'https://jaeger.example/trace/4b%2Ff9%3F'
    """
    _check_template(template)
    if not trace_id.strip(". \t\r\n"):
        return ""
    in_json = json.dumps(trace_id)[1:-1]
    link = template.replace("{trace_id_in_json}", quote(in_json, safe="", errors="replace"))
    return link.replace("{trace_id}", quote(trace_id, safe="", errors="replace"))


def _check_template(template: str) -> None:
    """Refuse what leads elsewhere; messages do not repeat a template, which may hold a password."""
    mend = "write an address such as https://jaeger.example/trace/{trace_id}"
    if any(ord(letter) <= ord(" ") or letter in "\\\"'<>\x7f" for letter in template):
        msg = "the trace link holds blanks, quotes or control characters"
        raise InputError(msg, mend)
    try:
        parts = urlsplit(template)
        host = parts.hostname
    except ValueError as error:
        msg = f"the trace link is no address ({error})"
        raise InputError(msg, mend) from None
    if parts.scheme not in ("http", "https") or not host:
        msg = f"the trace link's scheme is {parts.scheme[:20]!r}, or it names no host"
        raise InputError(msg, mend)
    if "@" in parts.netloc:
        msg = "the trace link holds a login, which every reader of a report would see"
        raise InputError(msg, "leave out what stands before the @")
    if "{" in parts.netloc or not any(place in template for place in _PLACES):
        msg = "the trace link has no place for {trace_id} after its host"
        raise InputError(msg, mend)

"""Rules from YAML: a list of them, a scrape configuration, a whole ``prometheus.yml``, a monitor.

Scalars are read as their text, as Prometheus does (``replacement: 010`` is the text 010), and what
Prometheus refuses is refused: unknown fields, a field twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from workbench.errors import InputError, did_you_mean
from workbench.relabelling.rule import Action, NameScheme, RelabelRule

__all__ = ["read_rules"]

_FIELDS: Final = (
    "source_labels",
    "separator",
    "target_label",
    "regex",
    "modulus",
    "replacement",
    "action",
)
_SECTIONS: Final = {
    "metric_relabel_configs": "metricRelabelings",
    "relabel_configs": "relabelings",
    "write_relabel_configs": "writeRelabelConfigs",
}
"""Where rules stand, in Prometheus' own files and in the operator's monitors."""


class _Text(yaml.SafeLoader):
    """YAML whose scalars stay text, and whose keys stand once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the parent's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                msg = f"line {key.start_mark.line + 1}: the field {key.value!r} stands twice"
                raise InputError(msg, "take one of them out")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _scalar(loader: _Text, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _tag in ("int", "float", "bool", "timestamp"):
    _Text.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)


def read_rules(
    source: str | bytes | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    *,
    section: str = "metric_relabel_configs",
    job: str = "",
    scheme: NameScheme = NameScheme.UTF8,
) -> list[RelabelRule]:
    r"""Read relabelling rules.

    Parameters
    ----------
    source
        YAML text or what it holds: a list of rules; a mapping that has the section (a scrape
        configuration, an endpoint of a ServiceMonitor); or a whole ``prometheus.yml``.
    section
        Which rules.
    job
        Of a ``prometheus.yml``, whose; needed where there is more than one.
    scheme
        Which label names the server takes.

    Raises
    ------
    InputError
        It is no YAML, or Prometheus would refuse it; the message says which rule.

    Examples
    --------
    >>> read_rules("- {source_labels: [__name__], regex: 'go_.*', action: drop}")[0].regex
    'go_.*'
    """
    found = _section(_load(source), section, job)
    if found is None:
        return []
    if isinstance(found, str | bytes | Mapping) or not isinstance(found, Iterable):
        msg = f"the rules are {_kind(found)}, not a list"
        raise InputError(msg, "begin each rule with '- '")
    return [_rule(number, entry, scheme) for number, entry in enumerate(found, 1)]


def _load(source: Any) -> Any:
    if not isinstance(source, str | bytes):
        return source
    try:
        return yaml.load(source, Loader=_Text)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        msg = f"the rules are not YAML ({reason[:200]})"
        raise InputError(msg, "mend the file; `promtool check config` shows the place") from None


def _section(found: Any, section: str, job: str) -> Any:
    """Find the list of rules in what was read."""
    if not isinstance(found, Mapping):
        return found
    if "scrape_configs" in found:
        return _section(_job(found["scrape_configs"], job), section, "")
    for name in (section, _SECTIONS.get(section, section)):
        if name in found:
            return found[name]
    if {"job_name", "port", "targetPort", "static_configs"} & set(found):
        return []
    msg = f"there is no {section} in it, only {', '.join(map(repr, list(found)[:5]))}"
    raise InputError(
        msg, did_you_mean(section, map(str, found)) or f"put the rules under {section}"
    )


def _job(jobs: Any, job: str) -> Mapping[str, Any]:
    entries = [entry for entry in jobs or () if isinstance(entry, Mapping)]
    names = [str(entry.get("job_name", "")) for entry in entries]
    if not job and len(entries) == 1:
        return entries[0]
    if job in names and job:
        return entries[names.index(job)]
    msg = f"the configuration has the jobs {', '.join(map(repr, names)) or 'none'}"
    raise InputError(
        msg if not job else f"{msg}, not {job!r}",
        did_you_mean(job, names) or "say which job's rules are meant",
    )


def _rule(number: int, entry: Any, scheme: NameScheme) -> RelabelRule:
    if not isinstance(entry, Mapping):
        msg = f"rule {number} is {_kind(entry)}, not a mapping of fields"
        raise InputError(msg, "write fields such as source_labels, regex and action")
    try:
        return _built({_snake(str(key)): value for key, value in entry.items()}, scheme)
    except InputError as error:
        msg = f"rule {number}: {error.what}"
        raise InputError(msg, error.mend) from None


def _built(fields: Mapping[str, Any], scheme: NameScheme) -> RelabelRule:
    for name in fields:
        if name not in _FIELDS:
            msg = f"there is no field {name!r}"
            raise InputError(msg, did_you_mean(name, _FIELDS) or f"use {', '.join(_FIELDS)}")
    action = Action.REPLACE
    if "action" in fields:
        text = _text("action", fields["action"]).lower()
        if text not in list(Action):
            msg = f"there is no action {text!r}"
            raise InputError(
                msg, did_you_mean(text, [a.value for a in Action]) or f"use {', '.join(Action)}"
            )
        action = Action(text)
    if action in (Action.KEEPEQUAL, Action.DROPEQUAL) and "regex" in fields:
        msg = f"a {action} rule does not read regex, but has one"
        raise InputError(msg, "take regex out: Prometheus refuses even the default")
    labels = fields.get("source_labels")
    if labels is not None and (
        isinstance(labels, str | Mapping) or not isinstance(labels, Iterable)
    ):
        msg = f"source_labels is {_kind(labels)}, not a list"
        raise InputError(msg, "write source_labels: [a, b]")
    given = {
        name: _text(name, fields[name])
        for name in ("separator", "target_label", "regex", "replacement")
        if name in fields
    }
    return RelabelRule(
        action,
        tuple(_text("source_labels", label) for label in labels or ()),
        modulus=_modulus(fields.get("modulus")),
        scheme=scheme,
        **given,
    )


def _modulus(value: Any) -> int:
    try:
        return int(value, 0) if isinstance(value, str) else int(value or 0)
    except (TypeError, ValueError):
        msg = f"modulus {value!r} is not a whole number"
        raise InputError(msg, "write the number of shards") from None


def _text(name: str, value: Any) -> str:
    """A scalar's text; YAML's null is empty text, as for Prometheus."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    msg = f"{name} is {_kind(value)}, not text"
    raise InputError(msg, f"write one value for {name}")


def _snake(name: str) -> str:
    """``sourceLabels``, as the Prometheus operator spells it, is ``source_labels``."""
    return re.sub("(?<=[a-z])[A-Z]", lambda m: f"_{m[0].lower()}", name)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"{value!r}"[:60]

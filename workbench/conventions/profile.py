"""Metric profiles: the metrics that one kind of system exposes, read from a TOML file.

A profile is data: names, types, units, help, labels and bucket bounds. Importers and simulators
write by it, analyses read by it, so that all of them mean the same thing by a name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from workbench.errors import InputError
from workbench.samples import MetricMetadata, MetricType

__all__ = ["Profile", "ProfileMetric", "load_profile"]


@dataclass(frozen=True, slots=True)
class ProfileMetric:
    """One metric family of a profile.

    Parameters
    ----------
    name
        The family's name as it is queried; without ``_bucket`` for a histogram.
    type, help, unit
        As in the exposition format.
    labels
        The labels it may bear; a series lacks those that nobody gave a value.
    buckets
        Upper bounds of a histogram in `unit`, ascending, without ``+Inf``.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    unit: str = ""
    buckets: tuple[float, ...] = ()

    @property
    def metadata(self) -> MetricMetadata:
        """The same as metric metadata."""
        return MetricMetadata(self.name, self.type, self.help, self.unit)


@dataclass(frozen=True, slots=True)
class Profile:
    """The metrics of one kind of system.

    Parameters
    ----------
    name, title
        The profile's own name, for files and for people.
    metrics
        By a short key (``input_tokens``) that analyses use in place of the metric's name.
    fields
        Fields of a request log to the names under which files have them, the usual one first.
    input_includes_cached, output_includes_reasoning
        Whether the token counters already contain their parts; adding a part again would count
        it twice.
    """

    name: str
    title: str
    metrics: Mapping[str, ProfileMetric]
    fields: Mapping[str, tuple[str, ...]]
    input_includes_cached: bool
    output_includes_reasoning: bool


@cache
def load_profile(name: str = "llm_gateway") -> Profile:
    """Read a profile that ships with the workbench.

    Raises
    ------
    InputError
        There is no profile of that name.

    Examples
    --------
    >>> load_profile("llm_gateway").metrics["input_tokens"].name
    'llm_gateway_input_tokens_total'
    """
    folder = files("workbench.conventions")
    known = sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )
    if name not in known:
        msg = f"there is no metric profile {name!r}"
        raise InputError(msg, f"choose one of: {', '.join(known)}")
    data = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return Profile(
        name=data["name"],
        title=data["title"],
        metrics={key: _metric(entry) for key, entry in data["metrics"].items()},
        fields={key: tuple(names) for key, names in data["fields"].items()},
        input_includes_cached=data["input_includes_cached"],
        output_includes_reasoning=data["output_includes_reasoning"],
    )


def _metric(entry: Mapping[str, Any]) -> ProfileMetric:
    return ProfileMetric(
        name=entry["name"],
        type=MetricType(entry["type"]),
        help=entry["help"],
        labels=tuple(entry["labels"]),
        unit=entry.get("unit", ""),
        buckets=tuple(float(bound) for bound in entry.get("buckets", ())),
    )

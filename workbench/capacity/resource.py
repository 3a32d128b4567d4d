"""What a resource is: what is used, what limits it, and how its instances are told apart."""

from __future__ import annotations

import math
import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.errors import InputError
from workbench.samples import Labels
from workbench.units import parse_duration

__all__ = ["Resource", "ResourceFile"]

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
"""A label's place in a name template."""

_SHARED: Final = ("owner", "service", "lead_time")
"""Keys of a resource that a file may give once for all of its resources."""

_LONGEST: Final = 200
"""So many characters of a label's value stand in a name."""

_SPACES: Final = re.compile(r"\s+")


class Resource(BaseModel):
    """One kind of resource; one usage query may give many instances of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        min_length=1, description="what to call an instance; {label} is replaced by its value"
    )
    usage: str = Field(min_length=1, description="PromQL of what is used, in `unit`")
    limit: str | float | None = Field(
        None, description="PromQL or number of what there is; without it only growth is told"
    )
    unit: str = Field("", description="bytes, seconds, ratio, percent, or any word")
    owner: str = Field("", description="who is to act")
    by: tuple[str, ...] | None = Field(
        None,
        description="labels that tell instances apart and join usage to limit; all where absent",
    )
    aggregate: Literal["sum", "max", "avg"] = Field(
        "sum", description="how several series of one instance become one"
    )
    peak: Literal["max", "sample"] = Field(
        "max", description="max: the peak between the steps of the grid counts; sample: as sampled"
    )
    resolution: str = Field("5m", description="how finely peaks are looked for between steps")
    metrics: tuple[str, ...] = Field(
        (), description="metrics that must exist; of `a | b`, one of the two"
    )
    needs_limit: bool = Field(
        default=False,
        description="instances without a limit are left out, not reported; without `limit`, all",
    )
    gauge: bool = Field(
        default=False,
        description="true: believe that it is a gauge, though it looks like a counter",
    )
    headroom: float = Field(
        0.9, gt=0, le=1, description="share of the limit above which the peak is reported"
    )
    driver: str | None = Field(None, description="PromQL of the load that makes the usage grow")
    service: str = Field(
        "", description="what it serves, to tell what binds it first; {label} as in `name`"
    )
    lead_time: str = Field("", description="how long more of it takes to get, such as 14d")

    @field_validator("name", "usage", "limit", "driver")
    @classmethod
    def _not_blank(cls, text: Any) -> Any:
        if isinstance(text, str) and not text.strip():
            msg = "nothing stands there"
            raise ValueError(msg)
        return text

    @field_validator("limit", mode="before")
    @classmethod
    def _no_switch(cls, limit: Any) -> Any:
        if isinstance(limit, bool):  # which is a number to Python
            msg = "the limit must be a number above 0 or PromQL"
            raise ValueError(msg)  # noqa: TRY004 - pydantic turns this one into a complaint
        return limit

    @field_validator("limit")
    @classmethod
    def _finite(cls, limit: Any) -> Any:
        if isinstance(limit, float) and not (math.isfinite(limit) and limit > 0):
            msg = "the limit must be a number above 0 or PromQL"
            raise ValueError(msg)
        return limit

    @field_validator("lead_time", "resolution")
    @classmethod
    def _time(cls, text: str) -> str:
        if text:
            try:
                parse_duration(text)
            except InputError as error:
                raise ValueError(str(error)) from None
        return text

    @property
    def key(self) -> str:
        """What its questions are called after: the template itself."""
        return self.name

    @property
    def title(self) -> str:
        """The name for people where no instance is at hand: its places as words.

        Examples
        --------
        >>> Resource(name="disk {instance} {mountpoint}", usage="x").title
        'disk (each instance and mountpoint)'
        """
        places = _PLACE.findall(self.name)
        if not places:
            return self.name
        plain = self.words
        *first, last = places
        each = f"each {', '.join(first)} and {last}" if first else f"each {last}"
        return f"{plain} ({each})" if plain else each

    @property
    def words(self) -> str:
        """The name without its places.

        Examples
        --------
        >>> Resource(name="disk {instance} {mountpoint}", usage="x").words
        'disk'
        """
        return _SPACES.sub(" ", _PLACE.sub(" ", self.name)).strip()

    def instance_name(self, labels: Labels) -> str:
        """The name of one instance; values stand in it as they are, on one line.

        Examples
        --------
        >>> Resource(name="disk {instance} {device}", usage="x").instance_name({"instance": "db-1"})
        'disk db-1'
        """
        return _fill(self.name, labels) or self.name

    def service_of(self, labels: Labels) -> str:
        """The service that one instance serves; ``""`` where none is known.

        Examples
        --------
        >>> Resource(name="pool {pool}", usage="x", service="{job}").service_of({"job": "shop"})
        'shop'
        """
        return _fill(self.service, labels)


def _fill(template: str, labels: Labels) -> str:
    """A template with the values of labels in its places, on one line."""
    filled = _PLACE.sub(lambda place: _short(labels.get(place[1], "")), template)
    return _SPACES.sub(" ", filled).strip()


def _short(value: str) -> str:
    """A label's value as it is, unless no sentence could hold it."""
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


class ResourceFile(BaseModel):
    """The content of a `resources.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = Field(1, description="of this format")
    title: str = Field("", description="what the set is, for people")
    use: tuple[str, ...] = Field((), description="ready-made sets to watch too")
    optional: bool = Field(
        default=False, description="a ready-made set that is watched only where `use` names it"
    )
    owner: str = Field("", description="of every resource that names none")
    service: str = Field("", description="of every resource that names none")
    lead_time: str = Field("", description="of every resource that names none")
    resource: tuple[Resource, ...] = Field((), description="the resources")

    @model_validator(mode="before")
    @classmethod
    def _shared(cls, content: Any) -> Any:
        """What is said once for the file, said of each resource."""
        entries = content.get("resource") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            return content
        said = {k: content[k] for k in _SHARED if isinstance(content.get(k), str)}
        full = [{**said, **e} if isinstance(e, dict) else e for e in entries]
        return {**content, "resource": full}

    def completed(self, resource: Resource) -> Resource:
        """A ready-made resource, with what this file says once for all that name no other."""
        said = {
            k: getattr(self, k) for k in _SHARED if getattr(self, k) and not getattr(resource, k)
        }
        return resource.model_copy(update=said)

    @field_validator("resource")
    @classmethod
    def _distinct(cls, resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
        names = [r.name for r in resources]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            msg = f"the name {twice[0]!r} stands twice"
            raise ValueError(msg)
        return resources

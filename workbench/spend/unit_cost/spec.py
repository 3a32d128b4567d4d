"""What counts as success: any counter, how its labels tell whose, and which spend it is set against."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.errors import InputError, QueryError, SettingsError, did_you_mean
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.promql.tree import VectorSelector
from workbench.spend.naming import Names, repeated
from workbench.spend.usage import DIMENSIONS
from workbench.validation import model_from_toml, text_of_file

__all__ = ["SYNONYMS", "UnitFile", "UnitSpec", "load_units"]

_EXAMPLE: Final = (
    '[[unit]] with name = "tickets", counter = \'my_app_tickets_resolved_total{status="ok"}\''
)
_MODEL: Final = ConfigDict(frozen=True, extra="forbid")

SYNONYMS: Final = {
    "provider": ("provider", "api_provider", "gen_ai_provider_name"),
    "model": ("model", "model_name", "gen_ai_request_model"),
    "region": ("region",),
    "tier": ("tier", "service_tier"),
    "team": ("team", "team_alias"),
    "application": ("application", "app", "app_name"),
    "user": ("user", "end_user", "user_id"),
    "prompt_version": ("prompt_version", "prompt_id", "prompt"),
}
"""Labels that are looked for where a unit does not say which: of several, the first a series has."""


class UnitSpec(BaseModel):
    """A unit of success, such as a ticket that was resolved."""

    model_config = _MODEL

    name: str = Field(min_length=1, max_length=200, description="what to call it")
    counter: str = Field(min_length=1, description="a selector of the counter's series")
    labels: dict[str, Names] = Field(
        default={}, description='which label tells a dimension: {application = "app"}'
    )
    of: dict[str, Names] = Field(
        default={}, description="the spend it is set against: names or globs by dimension"
    )
    scale: float = Field(1.0, gt=0, allow_inf_nan=False, description="units for one count")

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_counter(cls, given: Any) -> Any:
        if isinstance(given, dict) and "name" not in given and "counter" in given:
            return {**given, "name": given["counter"]}
        return given

    @field_validator("counter")
    @classmethod
    def _is_a_selector(cls, counter: str) -> str:
        try:
            found = parse(counter)
        except QueryError as error:
            msg = f"{counter!r} is not PromQL ({error.what.splitlines()[0]})"
            raise ValueError(msg) from None
        plain = isinstance(found, VectorSelector) and not (
            found.offset_ms or found.at or found.edge or found.alternatives or found.relative
        )
        if not plain:
            msg = f"{counter!r} is not a plain selector; write the counter itself, without rate()"
            raise ValueError(msg)
        return counter

    @field_validator("labels", "of")
    @classmethod
    def _known_dimensions(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name in given:
            if name not in DIMENSIONS:
                near = did_you_mean(name, DIMENSIONS) or f"they are: {', '.join(DIMENSIONS)}"
                msg = f"{name!r} is no dimension of spend ({near})"
                raise ValueError(msg)
        return given

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The conditions of the counter's selector."""
        found = parse(self.counter)
        assert isinstance(found, VectorSelector)
        return found.matchers

    def labels_of(self, dimension: str) -> tuple[str, ...]:
        """The labels that tell a dimension, the preferred one first.

        Examples
        --------
        >>> unit = UnitSpec(counter="done_total", labels={"team": ("squad",)})
        >>> unit.labels_of("team"), unit.labels_of("application")
        (('squad',), ('application', 'app', 'app_name'))
        """
        return self.labels.get(dimension, SYNONYMS[dimension])


class UnitFile(BaseModel):
    """The content of a file of units."""

    model_config = _MODEL

    version: Literal[1] = Field(1, description="of this format")
    unit: tuple[UnitSpec, ...] = Field(min_length=1, description="the units")


def load_units(given: Iterable[str | Path]) -> tuple[UnitSpec, ...]:
    """Read units of success.

    Parameters
    ----------
    given
        Selectors of counters, and TOML files: a path, or text that ends in ``.toml``.

    Raises
    ------
    InputError
        A selector is none.
    SettingsError
        A file cannot be read, is no TOML, or holds something unknown or wrong; or a name stands
        twice.

    Examples
    --------
    >>> [unit.name for unit in load_units(['resolved_total{status="ok"}'])]
    ['resolved_total{status="ok"}']
    """
    units: list[UnitSpec] = []
    for each in given:
        if isinstance(each, Path) or each.endswith(".toml"):
            units.extend(_load(Path(each)))
        else:
            units.append(_selected(each))
    if twice := repeated(unit.name for unit in units):
        msg = f"two units of success have the name {twice!r}"
        raise SettingsError(msg, "give one of them another name")
    return tuple(units)


def _selected(counter: str) -> UnitSpec:
    try:
        return UnitSpec(name=counter[:200], counter=counter)
    except ValueError as error:  # pydantic's is one
        first = next(iter(getattr(error, "errors", list)()), {"msg": str(error)})
        msg = f"unit of success: {str(first['msg']).removeprefix('Value error, ')}"
        raise InputError(msg, 'give a counter such as tickets_total{status="ok"}') from None


def _load(path: Path) -> tuple[UnitSpec, ...]:
    what = f"file of units {path}"
    example = f"a unit is written {_EXAMPLE}"
    return model_from_toml(text_of_file(path, what), what, UnitFile, UnitSpec, example=example).unit

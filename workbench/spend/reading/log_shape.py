"""Shapes of usage logs, as data: where each field of the table stands in a row of a log."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources as packaged
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import SettingsError, did_you_mean
from workbench.spend.profiles.profile import Dimensions, Includes

__all__ = ["LogFields", "LogShape", "field_of", "shipped_shape", "shipped_shapes"]


class LogFields(Dimensions):
    """Where a field stands: names, with dots into nested objects; of several, the first told.

    What is not obvious: `end` is told by rows that stand for a time and not for a request, and with
    the same `id`, time and figures a row is the same one again.
    """

    time: tuple[str, ...]
    end: tuple[str, ...] = ()
    id: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    cache_read: tuple[str, ...] = ()
    cache_write: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    status: tuple[str, ...] = ()


class LogShape(BaseModel):
    """How one product writes its usage.

    Parameters
    ----------
    rows
        Names of lists to descend into, one after another, before there are rows; what stands
        beside such a list belongs to each of its rows.
    marks
        Fields that a row has, by which the shape is found.
    needs
        Fields without which a row is about something else, and left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    read_from: Literal["code", "documentation", "definition"] = "definition"
    input_includes_cached: Includes
    output_includes_reasoning: Includes
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    rows: tuple[str, ...] = ()
    marks: tuple[str, ...]
    needs: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()
    constants: dict[str, str] = {}
    fields: LogFields


def field_of(row: Mapping[str, Any], path: str) -> Any:
    """What stands at a path of a row, None where nothing does.

    Examples
    --------
    >>> field_of({"metadata": {"team": "web"}}, "metadata.team"), field_of({}, "a.b")
    ('web', None)
    """
    if path in row:
        return row[path]
    if "." not in path:
        return None
    found: Any = row
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found


@cache
def shipped_shapes() -> tuple[LogShape, ...]:
    """The shapes that ship, the most special first."""
    folder = packaged.files("workbench.conventions").joinpath("llm").joinpath("logs")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    shapes = [LogShape.model_validate(tomllib.loads(f.read_text(encoding="utf-8"))) for f in files]
    return tuple(sorted(shapes, key=lambda s: -len(s.marks)))


def shipped_shape(name: str) -> LogShape:
    """One of them.

    Raises
    ------
    SettingsError
        There is none of that name.
    """
    shapes = {shape.name: shape for shape in shipped_shapes()}
    if name not in shapes:
        msg = f"there is no shape of usage logs {name!r}"
        raise SettingsError(msg, did_you_mean(name, shapes) or f"use one of {', '.join(shapes)}")
    return shapes[name]

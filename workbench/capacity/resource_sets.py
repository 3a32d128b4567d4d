"""Where resources come from: a user's `resources.toml` and the ready-made sets."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources as packaged
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from workbench.capacity.resource import Resource, ResourceFile
from workbench.errors import SettingsError, did_you_mean

__all__ = ["load_resources", "set_names", "shipped_resources", "shipped_sets"]

_TOML_WORDS: Final = {
    "valid tuple": "list",
    "valid dictionary or instance of Resource": "table",
    "valid string": "string",
}
"""What the typed model calls by Python's names, as TOML calls it."""

_EXAMPLE: Final = 'write at least: [[resource]] name = "disk {instance}" usage = "PromQL"'


def set_names() -> list[str]:
    """The names of the ready-made sets, sorted.

    Examples
    --------
    >>> "node" in set_names()
    True
    """
    return sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if _is_set(p.name))


def shipped_resources(*names: str) -> tuple[Resource, ...]:
    """The resources of some ready-made sets, or of all that are not optional.

    Raises
    ------
    SettingsError
        There is no set of that name.
    """
    sets = shipped_sets(*names).values()
    return tuple(r for each in sets if names or not each.optional for r in each.resource)


def shipped_sets(*names: str) -> dict[str, ResourceFile]:
    """Some ready-made sets, or all of them, by name.

    Raises
    ------
    SettingsError
        There is no set of that name.
    """
    return {name: _shipped(name) for name in names or set_names()}


def load_resources(path: Path) -> tuple[Resource, ...]:
    """Read a user's `resources.toml`, with the ready-made sets it uses.

    Parameters
    ----------
    path
        The file. Its own resources come first and take the place of ready-made ones of the
        same name; without a `usage` they differ from these only in what they say, such as
        the `limit`. An `owner`, `service` or `lead_time` of the file holds for all that say no
        other, ready-made ones too.

    Raises
    ------
    SettingsError
        The file cannot be read, is no TOML, or holds something unknown or wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"resource file {path} cannot be read ({why})"
        raise SettingsError(msg, "check the path and its permissions") from None
    content = _parse(text, f"resource file {path}")
    own = {r.name for r in content.resource}
    sets = dict.fromkeys(content.use)  # a set that is named twice is watched once
    ready = (r for name in sets for r in _shipped(name).resource if r.name not in own)
    used = [content.completed(r) for r in ready]
    result = (*content.resource, *used)
    if not result:
        msg = f"resource file {path} names no resource"
        raise SettingsError(msg, f"{_EXAMPLE}, or: use = {set_names()}")
    return result


def _folder() -> Any:
    return packaged.files("workbench.conventions").joinpath("resources")


def _is_set(name: str) -> bool:
    return name.endswith(".toml")


@cache
def _shipped(name: str) -> ResourceFile:
    if name not in set_names():
        msg = f"there is no resource set {name!r}"
        known = set_names()
        raise SettingsError(msg, did_you_mean(name, known) or f"use one of {', '.join(known)}")
    text = _folder().joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, f"resource set {name}")


def _parse(text: str, what: str) -> ResourceFile:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{what} is not TOML: {error}"
        raise SettingsError(msg, "mend that line") from None
    try:
        return ResourceFile.model_validate(_completed(data))
    except ValidationError as error:
        msg = f"{what}: {'; '.join(_problem(p, data) for p in error.errors())}"
        lacks = any(p["type"] == "missing" for p in error.errors())
        raise SettingsError(msg, _EXAMPLE if lacks else "mend what is named there") from None


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    """Entries without a usage, filled up from the ready-made resource of their name."""
    use, entries = data.get("use"), data.get("resource")
    if not (isinstance(use, list) and isinstance(entries, list)):
        return data
    ready = {r.name: r for name in use if name in set_names() for r in _shipped(name).resource}
    return {**data, "resource": [_filled(entry, ready) for entry in entries]}


def _filled(entry: Any, ready: dict[str, Resource]) -> Any:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or name not in ready or "usage" in entry:
        return entry
    base = ready[name].model_dump(exclude_unset=True)
    if "limit" in entry:  # the metrics of the limit that was there are not needed any more
        base["metrics"] = [
            m for m in base["metrics"] if any(each in base["usage"] for each in m.split(" | "))
        ]
    return {**base, **entry}


def _near(name: Any, data: dict[str, Any]) -> str:
    """The names in the sets in use that were meant by a name that none of them has."""
    use = data.get("use")
    sets = [s for s in use if s in set_names()] if isinstance(use, list) else []
    names = [r.name for s in sets for r in _shipped(s).resource]
    alike = [n for n in names if n.split()[:1] == str(name).split()[:1]]
    return did_you_mean(str(name), alike or names)


def _set_of(resource: Any) -> str | None:
    """The set that has a resource of this name."""
    sets = shipped_sets().items()
    return next((n for n, each in sets if any(r.name == resource for r in each.resource)), None)


def _problem(problem: Any, data: dict[str, Any]) -> str:
    """One complaint of the typed model, with the resource's own name and near key names."""
    place = problem["loc"]
    keys = list(ResourceFile.model_fields)
    shown = ".".join(str(x) for x in place)
    if place and place[0] == "resource" and len(place) > 1:
        keys = list(Resource.model_fields)
        entry = data["resource"][place[1]] if isinstance(place[1], int) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        rest = ".".join(str(x) for x in place[2:])
        shown = f"resource {name!r}{f', {rest}' if rest else ''}" if name else shown
    if problem["type"] == "extra_forbidden":
        near = did_you_mean(str(place[-1]), keys)
        return f"{shown} is unknown ({near or 'known are ' + ', '.join(keys)})"
    text = str(problem["msg"]).removeprefix("Value error, ")
    for python, toml in _TOML_WORDS.items():
        text = text.replace(python, toml)
    if problem["type"] == "missing" and place[-1] == "usage":
        name = problem["input"].get("name")
        if of := _set_of(name):
            text += f' (a resource of that name is in the set {of}: use = ["{of}"] brings it)'
        elif near := _near(name, data):
            text += f" (no set in use has that name; {near})"
    return f"{shown}: {text[:1].lower()}{text[1:]}"

"""Typed models from TOML files, and what they refuse, said in one line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.errors import SettingsError, did_you_mean

__all__ = ["explain_validation", "model_from_toml", "text_of_file"]

_Model = TypeVar("_Model", bound=BaseModel)


def text_of_file(path: Path, what: str) -> str:
    """The text of a settings file.

    Parameters
    ----------
    path
        The file, in UTF-8.
    what
        What to call it in a message.

    Raises
    ------
    SettingsError
        It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path with NUL
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"{what} cannot be read ({why})"
        raise SettingsError(msg, "check the path and its permissions") from None


def model_from_toml(
    text: str,
    what: str,
    model: type[_Model],
    *within: type[BaseModel],
    example: str,
    parse_float: Callable[[str], Any] = float,
) -> _Model:
    """Read a typed model.

    Parameters
    ----------
    text
        TOML.
    what
        What to call it in a message.
    model, within
        The model, and those within it: unknown names are compared with their fields.
    example
        How such a file is written, as a mend.
    parse_float
        What a number with a point becomes.

    Raises
    ------
    SettingsError
        It is no TOML, or holds something unknown or wrong.
    """
    try:
        data = tomllib.loads(text, parse_float=parse_float)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        msg = f"{what} is not TOML: {error}"
        raise SettingsError(msg, f"mend that line; {example}") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        msg = f"{what}: {explain_validation(error, model, *within)}"
        raise SettingsError(msg, example) from None


def explain_validation(error: ValidationError, *models: type[BaseModel]) -> str:
    """Say in one line what is wrong, without the values, which may be secret.

    Parameters
    ----------
    error
        What was refused.
    models
        The model and those within it: names that are unknown are compared with their fields.
    """
    known = list(dict.fromkeys(name for model in models for name in model.model_fields))
    parts = []
    for problem in error.errors():
        place = ".".join(str(x) for x in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = did_you_mean(str(problem["loc"][-1]), known)
            parts.append(f"{place} is unknown" + (f" ({near})" if near else ""))
        else:
            said = problem["msg"].removeprefix("Value error, ")
            said = said[:1].lower() + said[1:]  # not all of it: it may name Europe/Berlin
            parts.append(f"{place}: {said}" if place else said)
    return "; ".join(parts)

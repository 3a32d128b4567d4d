"""Our own format: a `slo.toml` of ``[[objective]]`` tables."""

from __future__ import annotations

import tomllib
from typing import Any, Final

from workbench.errors import SettingsError, did_you_mean
from workbench.slo.files.gathering import Gathered, built

__all__ = ["is_own", "read_own"]

_KNOWN: Final = ("version", "objective")


def is_own(text: str) -> bool:
    """Whether a text is TOML, or meant to be: YAML has no line that begins with ``[[`` or ``x =``."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return first.startswith("[") or ("=" in first and ":" not in first.partition("=")[0])


def read_own(text: str, path: str, gathered: Gathered) -> None:
    """Read a `slo.toml`.

    Raises
    ------
    SettingsError
        It is no TOML, or something in it is unknown, missing or wrong.
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        msg = f"{path} is not TOML: {error}"
        raise SettingsError(msg, "mend that line") from None
    for key in content:
        if key not in _KNOWN:
            near = did_you_mean(key, _KNOWN) or "a file holds version and [[objective]] tables"
            msg = f"{path}: {key} is unknown"
            raise SettingsError(msg, near)
    if content.get("version", 1) != 1:
        msg = f"{path} is of version {content['version']!r}"
        raise SettingsError(msg, "this workbench reads version 1")
    tables: Any = content.get("objective", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        msg = f"{path} holds no [[objective]] table"
        raise SettingsError(msg, 'write: [[objective]] name = "…" service = "…" target = "99.9%"')
    gathered.objectives += [
        (built(table, path, number), path) for number, table in enumerate(tables, 1)
    ]

"""A file of queries that take the place of right-sizing's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from workbench.capacity.sizing.questions import check_keys
from workbench.errors import SettingsError

__all__ = ["load_queries"]

_MEND = """write one key a query: cpu = 'max by (workload) (my_cores)'"""


def load_queries(path: Path) -> Mapping[str, str]:
    """Read a TOML file of PromQL by the keys of `sizing_queries`.

    Parameters
    ----------
    path
        One key a query; ``""`` leaves a question out.

    Raises
    ------
    SettingsError
        It cannot be read, or a value is no text.
    InputError
        A key is none of ours.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror or error})"
        raise SettingsError(msg, "check the path of the queries") from None
    except ValueError as error:  # not TOML, not UTF-8, or a path with a NUL
        msg = f"{path} is no TOML file ({error})"
        raise SettingsError(msg, _MEND) from None
    for key, value in found.items():
        if not isinstance(value, str):
            msg = f"{path}: {key} is {value!r}"[:300]
            raise SettingsError(msg, _MEND)
    check_keys(found)
    return found

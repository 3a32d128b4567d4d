"""What an audit is told in one line of text: several names, several selectors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from workbench.errors import InputError, did_you_mean
from workbench.session.inventories import is_source
from workbench.settings import load_settings, without_secrets

__all__ = ["check_name", "split_names", "split_selectors"]

_SELECTOR: Final = re.compile(
    r"""(?: [^\s{}"'`]+ | \{ (?: [^{}"'`] | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*` )* \} )+""",
    re.VERBOSE | re.DOTALL,
)
_URLS: Final = ("http://", "https://", "snapshot:", "demo:")


def split_names(given: str | Path | Iterable[Any]) -> list[str]:
    r"""Names of files, folders and sources.

    Parameters
    ----------
    given
        One or several: as a list, or as text with spaces between them, quoted as for a shell where
        one holds a space itself. Text that is a path as it stands is one name.

    Raises
    ------
    InputError
        A quote is not closed, or a control character stands in the text.

    Examples
    --------
    >>> split_names("src 'my metrics.prom'"), split_names(["a b"]), split_names("")
    (['src', 'my metrics.prom'], ['a b'], [])
    """
    if not isinstance(given, str):
        return [str(given)] if isinstance(given, Path) else [str(one) for one in given]
    if any(ord(c) < 32 or ord(c) == 127 for c in given):
        msg = f"{given[:80]!r} holds a control character"
        raise InputError(msg, "write names with spaces between them")
    if given.strip() and Path(given).exists():
        return [given]
    try:
        return shlex.split(given)
    except ValueError as error:
        msg = f"{given[:80]!r} cannot be split into names ({error})"
        raise InputError(msg, "close each quote; a name with a space stands in quotes") from None


def split_selectors(given: str | Iterable[str]) -> list[str]:
    r"""Selectors: a list, or text with spaces between them; those within braces are part of one.

    Raises
    ------
    InputError
        A brace or quote is not closed.

    Examples
    --------
    >>> split_selectors('{job="api", path="/a b"} up{job="web"}')
    ['{job="api", path="/a b"}', 'up{job="web"}']
    """
    if not isinstance(given, str):
        return [str(one) for one in given]
    found = list(_SELECTOR.finditer(given))
    if _SELECTOR.sub("", given).strip():
        msg = f"{given[:80]!r} cannot be split into selectors"
        raise InputError(msg, 'close each brace and quote, such as {job="api"}')
    return [match[0] for match in found]


def check_name(name: str) -> None:
    """Refuse what cannot be read later: a name of nothing, standard input, a URL with a password.

    Raises
    ------
    InputError
        It is one of these.
    """
    if name == "-":
        msg = "standard input cannot be read by a report"
        raise InputError(msg, "save it to a file and give the file's name")
    if name.startswith(_URLS):
        if without_secrets(name) != name:
            msg = f"{without_secrets(name)!r} comes with a login or a query, and a report shows its parameters"
            raise InputError(msg, "name the source in workbench.toml, and give that name")
        return
    if not Path(name).exists() and not is_source(name):
        msg = f"{name!r} is neither a file, a folder, a URL nor a source in workbench.toml"
        near = did_you_mean(name, load_settings().sources)
        raise InputError(
            msg, near or "give source code, a file of metrics, or https://host/metrics"
        )

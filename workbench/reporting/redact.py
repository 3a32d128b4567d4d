"""Keeping secrets out of whatever a run leaves: cells, metadata, outputs and the JSON.

A report's credentials reach its kernel by the environment, never as parameters. What is left to
do here is to take them out of all that the kernel sends back: a traceback may hold a URL, a user's
own cell may print a header.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from workbench.settings import SourceSettings

__all__ = ["MASK", "Redactor", "secrets_of"]

MASK: Final = "•••"
"""What stands in a secret's place."""

_SHORTEST: Final = 4
"""Shorter secrets are not looked for by themselves: they would match by accident everywhere."""

_USERINFO: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/?#@\"'<>]+@", re.IGNORECASE)
_AUTHORIZATION: Final = re.compile(r"\b(Bearer|Basic)(\s+)[A-Za-z0-9+/._~=-]{8,}", re.IGNORECASE)


def secrets_of(settings: SourceSettings) -> frozenset[str]:
    """Every secret of a source's settings, in the forms in which it may turn up.

    Files and environment variables that cannot be read hold no secret that could have leaked.
    """
    found: set[str] = set()
    parts = urlsplit(settings.url) if "://" in settings.url else None
    for url in filter(None, (settings.url, settings.proxy)):
        found |= _userinfo(url)
    if parts:
        found |= {value for _, value in parse_qsl(parts.query)}
    for path in filter(None, (settings.password_file, settings.bearer_token_file)):
        found.add(_content(path))
    for variable in filter(None, (settings.password_env, settings.bearer_token_env)):
        found.add(os.environ.get(variable, ""))
    for header in settings.headers.values():
        value = header.get_secret_value()
        found.add(os.environ.get(value[1:], "") if value.startswith("$") else value)
    if settings.username:
        found |= {_basic(settings.username, password) for password in tuple(found)}
    return frozenset(x for x in found if len(x) >= _SHORTEST)


def _userinfo(url: str) -> set[str]:
    netloc = url.partition("://")[2].partition("/")[0]
    if "@" not in netloc:
        return set()
    user, _, password = netloc.rpartition("@")[0].partition(":")
    plain = unquote(password)
    return {password, plain, _basic(unquote(user), plain)}


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class Redactor:
    """Takes secrets out of text and out of anything made of dicts, lists and text.

    Parameters
    ----------
    secrets
        Literal texts to take out wherever they stand; user:password@ of any URL and credentials
        of an Authorization header are taken out besides.

    Examples
    --------
    >>> Redactor(["hunter22"]).text("at https://me:x@host, token hunter22")
    'at https://•••@host, token •••'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first, so that no secret is left in part where another is its beginning.
        ordered = sorted(filter(None, secrets), key=len, reverse=True)
        self._literal = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._literal:
            text = self._literal.sub(MASK, text)
        text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
        return _AUTHORIZATION.sub(rf"\1\2{MASK}", text)

    def tree(self, node: Any) -> Any:
        """A copy of dicts, lists and text without secrets; pictures are kept as they are."""
        if isinstance(node, str):
            return self.text(node)
        if isinstance(node, dict):
            return {
                self.text(str(key)): value if str(key).startswith("image/p") else self.tree(value)
                for key, value in node.items()
            }
        if isinstance(node, list | tuple):
            return [self.tree(value) for value in node]
        return node

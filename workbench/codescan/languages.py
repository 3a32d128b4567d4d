"""The languages that are understood, by the end of a file's name."""

from __future__ import annotations

from typing import Final

from workbench.codescan.go import GO
from workbench.codescan.java import JAVA
from workbench.codescan.javascript import JAVASCRIPT
from workbench.codescan.language import Language
from workbench.codescan.python import PYTHON

__all__ = ["LANGUAGES", "language_named", "language_of"]

LANGUAGES: Final[tuple[Language, ...]] = (GO, PYTHON, JAVA, JAVASCRIPT)
"""In the order in which their metrics are listed."""


def language_named(name: str) -> Language:
    """A language by its name."""
    return next(language for language in LANGUAGES if language.name == name)


def language_of(path: str) -> Language | None:
    """The language of a file, or None."""
    return next((lang for lang in LANGUAGES if path.endswith(lang.suffixes)), None)

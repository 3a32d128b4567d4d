"""Starting quickly: jsonschema without the grammars that it builds for one format.

Where the package ``rfc3987_syntax`` is installed, and Jupyter's server brings it, jsonschema builds
39 grammars on import to check internationalised addresses: one to four seconds in each process.
Neither notebooks nor charts hold that format.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import Any, Final

__all__ = ["GRAMMARS", "import_jsonschema"]

GRAMMARS: Final = "rfc3987_syntax"
"""The package that builds them."""


def import_jsonschema() -> None:
    """Import jsonschema without the grammars, unless either is there already."""
    if "jsonschema" in sys.modules or GRAMMARS in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[GRAMMARS] = None  # makes importing it an ImportError, which jsonschema expects
    try:
        with suppress(ImportError):  # who needs it says better that it is missing
            importlib.import_module("jsonschema")
    finally:
        del modules[GRAMMARS]

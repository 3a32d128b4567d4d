"""Starting quickly: jsonschema without the grammars that it builds for one format.

Where the package ``rfc3987_syntax`` is installed, and Jupyter's server brings it, jsonschema builds
39 grammars on import to check internationalised addresses: two to four seconds in each process.
Neither notebooks nor charts hold that format.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import Any, Final

__all__ = ["KERNEL_CODE", "import_jsonschema"]

_GRAMMARS: Final = "rfc3987_syntax"

KERNEL_CODE: Final = (
    f"import sys; sys.modules[{_GRAMMARS!r}] = None; "
    "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
)
"""What the interpreter of a report's kernel runs."""


def import_jsonschema() -> None:
    """Import jsonschema without the grammars, unless either is there already."""
    if "jsonschema" in sys.modules or _GRAMMARS in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[_GRAMMARS] = None  # makes importing it an ImportError, which jsonschema expects
    try:
        with suppress(ImportError):  # nbformat says it better where it is missing
            importlib.import_module("jsonschema")
    finally:
        del modules[_GRAMMARS]

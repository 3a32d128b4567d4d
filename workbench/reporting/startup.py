"""Starting a report's kernel quickly: without the grammars that `workbench.views.startup` tells of."""

from __future__ import annotations

from typing import Final

from workbench.views.startup import GRAMMARS

__all__ = ["KERNEL_CODE"]

KERNEL_CODE: Final = (
    f"import sys; sys.modules[{GRAMMARS!r}] = None; "
    "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
)
"""What the interpreter of a report's kernel runs."""

"""The session: connect to a source, ask it, study it.

This is where the rooms meet: a plan of an analysis is asked of a source, the frames are judged,
and the result is joined with its view, its findings and its provenance.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.session.connecting import connect, snapshot
    from workbench.session.study import Study
    from workbench.session.workbench import Workbench

__all__ = ["Study", "Workbench", "connect", "snapshot"]

_HOME: Final = {
    "Study": "study",
    "Workbench": "workbench",
    "connect": "connecting",
    "snapshot": "connecting",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: an audit of a file needs none of them."""
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

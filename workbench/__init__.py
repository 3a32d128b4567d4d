"""An observability workbench: ask a source in PromQL, judge the answer, draw it, report it.

>>> import workbench
>>> wb = workbench.connect("demo:")                                   # doctest: +SKIP
>>> wb.query_range("sum by (job) (rate(up[5m]))", last="6h")          # doctest: +SKIP

Names are loaded when they are first used, so that a command starts fast.
"""

from __future__ import annotations

from workbench.version import __version__ as __version__

TYPE_CHECKING = False
"""As `typing` has it, which takes as long to import as all else here."""

if TYPE_CHECKING:
    from typing import Any, Final

    from workbench.errors import (
        BadAnswerError,
        BadRowsError,
        InputError,
        MissingExtraError,
        NotSupportedError,
        OutputError,
        ParameterError,
        QueryError,
        RefusedError,
        ReportError,
        SettingsError,
        SnapshotError,
        SourceError,
        TimedOutError,
        TooExpensiveError,
        UnreachableError,
        WorkbenchError,
    )
    from workbench.findings import Finding, Provenance, Severity
    from workbench.jupyter import load_ipython_extension
    from workbench.session import Study, Workbench, connect, snapshot

_HOME: Final = {
    **dict.fromkeys(("connect", "snapshot", "Workbench", "Study"), "workbench.session"),
    **dict.fromkeys(("Finding", "Provenance", "Severity"), "workbench.findings"),
    "load_ipython_extension": "workbench.jupyter",
}
"""Which room each public name lives in; whatever is not listed is an error class."""

__all__ = [
    "BadAnswerError",
    "BadRowsError",
    "Finding",
    "InputError",
    "MissingExtraError",
    "NotSupportedError",
    "OutputError",
    "ParameterError",
    "Provenance",
    "QueryError",
    "RefusedError",
    "ReportError",
    "SettingsError",
    "Severity",
    "SnapshotError",
    "SourceError",
    "Study",
    "TimedOutError",
    "TooExpensiveError",
    "UnreachableError",
    "Workbench",
    "WorkbenchError",
    "connect",
    "load_ipython_extension",
    "snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module 'workbench' has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib

    value = getattr(importlib.import_module(_HOME.get(name, "workbench.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

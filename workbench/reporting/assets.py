"""Where the shipped files are: `notebooks/` and `reports/`, in a checkout and in the wheel."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ReportError

__all__ = ["shipped"]

_PACKAGE = Path(__file__).parents[1]


def shipped(*parts: str) -> Path:
    """Find a shipped file or folder.

    Parameters
    ----------
    *parts
        The path below the repository's root, such as ``"notebooks", "capacity.ipynb"``.

    Raises
    ------
    ReportError
        It is not there: the installation is damaged.

    Examples
    --------
    >>> shipped("reports", "template").is_dir()
    True
    """
    # The wheel's own folder first: next to an installed package, `notebooks` may be anybody's.
    wheel = _PACKAGE / "_shipped"
    path = (wheel if wheel.is_dir() else _PACKAGE.parent).joinpath(*parts)
    if not path.exists():
        msg = f"{'/'.join(parts)} is missing from the installation"
        raise ReportError(msg, "install observability-workbench again")
    return path

"""Files that a verb writes where the user says."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import OutputError

__all__ = ["write_file"]


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    What a link points to is written, not the link; a pipe or a device such as ``/dev/stdout``
    stays what it is.

    Raises
    ------
    OutputError
        It cannot be written; nothing is left behind.
    """
    from workbench.reporting.files import write_whole

    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", errors="replace")
            return
        place = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a NUL
        why = getattr(error, "strerror", None) or error
        msg = f"{path} cannot be written ({why})"
        raise OutputError(msg, "check the path and its permissions") from None
    write_whole(place, text)

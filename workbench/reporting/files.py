"""Writing into the output folder: checked before a run, whole or not at all, under safe names."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final

from workbench.errors import OutputError

__all__ = ["prepare_folder", "safe_name", "write_whole"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def prepare_folder(folder: Path) -> Path:
    """Make the output folder where it is missing, and prove that it can be written.

    Raises
    ------
    OutputError
        It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".writable-"):
            pass
    except OSError as error:
        raise _cannot_write(folder, error) from None
    return folder


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Parameters
    ----------
    path
        The file.
    content
        Text is written as UTF-8, bytes as they are.

    Raises
    ------
    OutputError
        It cannot be written; nothing is left behind.
    """
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
            # mkstemp gives 0600; a report is meant to be read, as the umask allows.
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written ({error.strerror or error})",
        "give another folder with --output, or mend its permissions",
    )


def safe_name(text: str) -> str:
    """A text as part of a file name: letters, digits, dots and dashes only.

    Examples
    --------
    >>> safe_name("2026-06-28T23:59Z"), safe_name("../../etc")
    ('2026-06-28T2359Z', 'etc')
    """
    return _UNSAFE.sub("", text.replace("/", "-")).strip(".-") or "report"

"""A folder that appears complete or not at all.

It is written under a hidden sibling name and renamed when it is done. Whoever writes holds a
lock on the sibling, so that a later writer can tell the leftover of a killed process, which it
removes, from a folder that another process is writing now, which it leaves alone.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from workbench.errors import OutputError

__all__ = ["new_folder", "remove_leftovers", "writing"]

_SUFFIX: Final = ".partial"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def new_folder(
    path: Path, *, overwrite: bool, replaceable: Callable[[Path], bool]
) -> Iterator[Path]:
    """Write a folder so that nobody ever sees half of it.

    Parameters
    ----------
    path
        Where the folder is to stand. It may exist where it is empty, or with `overwrite`.
    overwrite
        Whether to replace what is there, in one step.
    replaceable
        Tells whether a folder is one of those that may be replaced.

    Yields
    ------
    Path
        The folder to write into. It takes the place of `path` when the block ends, and is
        removed when the block raises, `KeyboardInterrupt` included.

    Raises
    ------
    OutputError
        `path` is taken, or something cannot be written.
    """
    target = _real(path)
    _check_target(target, overwrite=overwrite, replaceable=replaceable)
    with writing(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        folder, lock = _locked_sibling(target)
    try:
        yield folder
        # Once more: another process may have been quicker, and its work is not ours to remove.
        _check_target(target, overwrite=overwrite, replaceable=replaceable)
        with writing(path):
            _put_in_place(folder, target)
    finally:
        # What was replaced, or what could not be finished, stands under the sibling's name now.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into an `OutputError` about `path`."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        msg = f"{path} cannot be written ({reason})"
        mend = "free some space" if error.errno in _FULL else "check its permissions"
        raise OutputError(msg, f"{mend}, or choose another folder") from error


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (ValueError, OSError) as error:
        msg = f"{str(path)!r} cannot be a folder ({error})"
        raise OutputError(msg, "choose another") from None


def _check_target(target: Path, *, overwrite: bool, replaceable: Callable[[Path], bool]) -> None:
    with writing(target):
        exists = os.path.lexists(target)
        if not exists or (target.is_dir() and not any(target.iterdir())):
            return
    if not target.is_dir():
        msg = f"{target} is a file"
        raise OutputError(msg, "choose another folder")
    if not replaceable(target):
        msg = f"{target} exists and is not a snapshot, so it is left alone"
        raise OutputError(msg, "choose another folder, or empty this one")
    if not overwrite:
        msg = f"{target} already holds a snapshot"
        raise OutputError(msg, "overwrite it (overwrite=True, --overwrite), or choose another")


def remove_leftovers(target: Path) -> list[Path]:
    """Remove what killed writers of `target` left beside it; give the folders removed."""
    removed = []
    for sibling in target.parent.glob(f".{_escaped(target.name)}.*{_SUFFIX}"):
        with suppress(OSError):
            lock = os.open(sibling, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(sibling)
                removed.append(sibling)
            finally:
                os.close(lock)
    return removed


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _locked_sibling(target: Path) -> tuple[Path, int]:
    """Make the hidden sibling and lock it; retry where a sweeper was quicker than our lock."""
    while True:
        folder = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_SUFFIX}")
        folder.mkdir()
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):  # a file system without locks: then nothing is swept either
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _put_in_place(folder: Path, target: Path) -> None:
    _sync(folder)
    if target.is_dir() and any(target.iterdir()):
        if not _exchange(folder, target):
            _step_aside(folder, target)
    else:
        folder.rename(target)
    _sync(target.parent)


def _step_aside(folder: Path, target: Path) -> None:
    """Replace in two renames, where the system cannot exchange two folders in one."""
    aside = folder.with_name(f".{target.name}.{secrets.token_hex(4)}{_SUFFIX}")
    target.rename(aside)
    try:
        folder.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where system or file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    with suppress(AttributeError):  # a C library older than glibc 2.28
        libc = ctypes.CDLL(None, use_errno=True)
        here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of renameat2(2)
        return not libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), swap)
    return False


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

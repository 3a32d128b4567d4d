"""The estate on disk: made once for each version of its code, kept in the user's cache folder.

A build is a snapshot in ``demo-HASH``, where the hash covers the source of this room and of the
store: whoever changes the estate gets a new one. Several processes may build at once; the first
to finish puts its folder in place and the others use that one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs

from workbench import store
from workbench.demo.estate import metadata, simulate
from workbench.demo.truth import TRUTH
from workbench.errors import OutputError, SnapshotError
from workbench.samples import Series
from workbench.sources.snapshot import SnapshotSource
from workbench.store import SnapshotStore, write_snapshot

__all__ = ["SERIES", "Progress", "cache_folder", "estate_version", "open_demo"]

Progress = Callable[[int, int], None]
"""Told how many series are made, and how many there are in all."""

SERIES: Final = 797
"""How many series the estate has; a test counts them."""

_KEPT_SECONDS: Final = 24 * 3600
"""A build of another version is removed when nobody has opened it for so long."""


def cache_folder(cache_dir: Path | None = None) -> Path:
    """Where builds are kept.

    Parameters
    ----------
    cache_dir
        The folder to use; otherwise the environment variable ``WORKBENCH_CACHE``, otherwise the
        platform's cache folder of the user.
    """
    if cache_dir is not None:
        return Path(cache_dir)
    if named := os.environ.get("WORKBENCH_CACHE"):
        return Path(named).expanduser()
    return platformdirs.user_cache_path("observability-workbench")


def estate_version() -> str:
    """Twelve hex digits that change with anything that could change the estate's bytes.

    These are the sources of the simulation and of the store, and NumPy's version, since its
    random streams may differ from one to the next.
    """
    digest = hashlib.blake2b(np.__version__.encode(), digest_size=6)
    for room in (Path(__file__).parent, Path(str(store.__file__)).parent):
        for file in sorted(room.glob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def open_demo(
    cache_dir: Path | None = None, progress: Progress | None = None, **limits: Any
) -> SnapshotSource:
    """Open the embedded estate, building it first where this version of it is not cached.

    Parameters
    ----------
    cache_dir
        Where builds are kept; see `cache_folder`.
    progress
        Told how far a build is; not called where there is nothing to build.
    **limits
        `max_samples` and `timeout_seconds` of one query, as `SnapshotSource` has them.

    Returns
    -------
    SnapshotSource
        Its ``now_ms`` is the end of the data, whatever the clock says.

    Raises
    ------
    OutputError
        The cache folder cannot be written.
    """
    folder = cache_folder(cache_dir)
    build = folder / f"demo-{estate_version()}"
    opened = _opened(build)
    if opened is None:
        _build(build, progress)
        opened = SnapshotStore(build)
    with suppress(OSError):  # a read-only cache serves as well
        os.utime(build)
    _remove_older(folder, build)
    gaps = opened.manifest.gaps
    return SnapshotSource(opened, "demo:", product="embedded estate", gaps=gaps, **limits)


def _opened(build: Path) -> SnapshotStore | None:
    """A build that is there and whole: every file as long as the manifest says."""
    try:
        opened = SnapshotStore(build)
        sizes = {entry.name: entry.bytes for entry in opened.manifest.files}
        whole = all((build / name).stat().st_size == size for name, size in sizes.items())
    except (SnapshotError, OSError):
        return None
    return opened if whole else None


def _build(build: Path, progress: Progress | None) -> None:
    """Write the snapshot; where another process was quicker, its build stands and is as good."""
    if build.is_dir() and _opened(build) is None:
        shutil.rmtree(build, ignore_errors=True)
    try:
        write_snapshot(
            build,
            _reported(simulate(), progress),
            metadata=metadata(),
            source="demo:",
            window=(TRUTH.start_ms, TRUTH.end_ms),
            notes=("A simulated estate: no company is like this one.",),
        )
    except OutputError as error:
        if _opened(build) is None:
            mend = "set WORKBENCH_CACHE to a folder that you can write"
            raise OutputError(error.what, mend) from error


def _reported(series: Iterator[Series], progress: Progress | None) -> Iterator[Series]:
    for number, one in enumerate(series, 1):
        yield one
        if progress:
            progress(number, SERIES)


def _remove_older(folder: Path, build: Path) -> None:
    """Remove builds of other versions, whole or half, that nobody has opened lately."""
    for other in [*folder.glob("demo-*"), *folder.glob(".demo-*.partial")]:
        with suppress(OSError):
            if other != build and time.time() - other.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(other)

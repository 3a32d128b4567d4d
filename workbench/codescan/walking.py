"""Which files of a tree are source code worth a look."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from workbench.errors import InputError

__all__ = ["DEFAULT_EXCLUDE", "LARGEST", "walk_source"]

DEFAULT_EXCLUDE: Final = (
    "vendor",
    "node_modules",
    "third_party",
    "testdata",
    "__pycache__",
    "site-packages",
    "dist",
    "generated-sources",
    "tests",
    "test",
    "__tests__",
    "*_test.go",
    "*.pb.go",
    "*.pb.gw.go",
    "zz_generated*",
    "*_generated.go",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "*.min.js",
    "*.bundle.js",
    "*.d.ts",
    "*.test.*",
    "*.spec.*",
    "*Test.java",
    "*Tests.java",
    "*IT.java",
)
"""Names of folders and files that are left out: what others wrote, what is generated, tests.
Folders that begin with a dot are always left out."""

LARGEST: Final = 2 << 20
"""Bytes of the largest file that is read: beyond it, code is generated or minified."""


def walk_source(
    root: Path, suffixes: Iterable[str], exclude: Iterable[str] = DEFAULT_EXCLUDE
) -> Iterator[tuple[str, Path]]:
    """List the source files of a tree, sorted by folder and name.

    Parameters
    ----------
    root
        A folder, or one file (which is listed whatever it is called).
    suffixes
        ``.go``, ``.py``: others are passed over.
    exclude
        Patterns of names (``vendor``, ``*_test.go``) or, with a ``/``, of paths below `root`.

    Yields
    ------
    tuple of str and Path
        The path below `root` with ``/``, and where it is. Folders that are symbolic links are not
        entered, so that no loop is.

    Raises
    ------
    InputError
        There is no such file or folder.
    """
    if root.is_file():
        yield root.name, root
        return
    if not root.is_dir():
        msg = f"there is no folder or file {str(root)!r}"
        raise InputError(msg, "give the folder that holds the source code")
    wanted = tuple(suffixes)
    patterns = tuple(exclude)
    names = _any_of(p for p in patterns if "/" not in p)
    paths = _any_of(p.strip("/") for p in patterns if "/" in p)

    def left_out(name: str, path: str) -> bool:
        return bool(names.fullmatch(name) or paths.fullmatch(path))

    for folder, folders, files in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not left_out(f, prefix + f)
        )
        for name in sorted(files):
            if name.endswith(wanted) and not left_out(name, prefix + name):
                yield prefix + name, Path(folder, name)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    # One expression for all: a tree has many names. Without patterns, nothing matches.
    return re.compile("|".join(fnmatch.translate(p) for p in patterns) or r"(?!)")

"""From what people name (a folder, a file, a URL, a source) to an inventory of its metrics."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import InputError
from workbench.inventory import Inventory, join_inventories

if TYPE_CHECKING:
    from workbench.cardinality.history import JobHistory
    from workbench.sources.base import Source

__all__ = ["is_source", "job_history", "read_inventories", "read_inventory"]

_CODE: Final = frozenset(
    {".go", ".py", ".java", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}
)
_SCHEMES: Final = ("http://", "https://", "snapshot:", "demo:")

Progress = Callable[[int, int], None] | None


def read_inventories(names: Sequence[str], **options: Any) -> Inventory:
    """Read several things as one; see `read_inventory`."""
    return join_inventories([read_inventory(name, **options) for name in names])


def read_inventory(
    name: str,
    *,
    matchers: Sequence[str] = (),
    only: Collection[str] | None = None,
    ago_ms: int = 0,
    exclude: Sequence[str] = (),
    progress: Progress = None,
) -> Inventory:
    """Read whatever a name stands for.

    Parameters
    ----------
    name
        A folder or file of source code; a file of exposition text, plain or gzipped; ``-`` for
        standard input; a block of Prometheus' database or its data folder; the JSON of an earlier
        audit; a target's ``/metrics`` URL; a server's URL,
        ``snapshot:PATH``, ``demo:`` or a name from `workbench.toml`.
    matchers
        Of a server or snapshot: only series that meet one of these selectors.
    only
        Of a server or snapshot: only these metrics.
    ago_ms
        Of a server or snapshot: as it was so long ago.
    exclude
        Of a folder: further names and paths to leave out.
    progress
        Called with how much is done, and how much there is.

    Raises
    ------
    InputError
        There is no such thing.
    SourceError
        A server or target does not answer.
    """
    if not name.strip():  # an unset variable in quotes
        msg = f"a name of what to audit is empty ({name!r})"
        raise InputError(msg, "give a folder, a file, a URL, or . for this folder")
    if name == "-":
        from workbench.exposition import scan

        if sys.stdin is None:
            msg = "standard input is closed"
            raise InputError(msg, "pipe metrics into the command, or name a file")

        return scan(sys.stdin.buffer, names=["standard input"])
    if name.startswith(_SCHEMES):
        return _from_source(name, matchers, only, ago_ms, progress)
    path = Path(name)
    if path.exists():
        return _from_path(path, exclude, progress)
    if is_source(name):
        return _from_source(name, matchers, only, ago_ms, progress)
    msg = f"{name!r} is neither a file, a folder, a URL nor a source in workbench.toml"
    raise InputError(
        msg, "give source code, a file of metrics, https://host/metrics, or - for standard input"
    )


def _from_path(path: Path, exclude: Sequence[str], progress: Progress) -> Inventory:
    if path.is_dir() or path.suffix in _CODE:
        from workbench.sources.tsdb import holds_blocks, is_block, read_blocks

        if is_block(path) or holds_blocks(path):
            return read_blocks(path, progress)
        from workbench.codescan import DEFAULT_EXCLUDE, scan_source
        from workbench.session.places import seen_from_here

        found = scan_source(path, exclude=(*DEFAULT_EXCLUDE, *exclude), progress=progress)
        return seen_from_here(found, path)
    if path.suffix == ".json":
        from workbench.cardinality.earlier import is_audit, read_audit

        if is_audit(path):
            return read_audit(path)
        msg = f"{path} is JSON, but not an audit"
        raise InputError(msg, "give what `workbench audit --format json` wrote, or metrics as text")
    if path.is_block_device() or (path.is_char_device() and not _ends(path)):
        msg = f"{path} is a device, not a file of metrics"
        raise InputError(msg, "name a file, or - for standard input")
    from workbench.exposition import scan

    return scan(path)


def _ends(device: Path) -> bool:
    """Whether reading a device comes to an end: the null device, and terminals."""
    if device.samefile(os.devnull):
        return True
    with device.open("rb", buffering=0) as file:
        return file.isatty()


def _from_source(
    name: str,
    matchers: Sequence[str],
    only: Collection[str] | None,
    ago_ms: int,
    progress: Progress,
) -> Inventory:
    if name.startswith("http"):
        from workbench.sources.target import scrape, shows_metrics

        if shows_metrics(name):
            from workbench.exposition import scan
            from workbench.settings import without_secrets

            return scan(scrape(name), names=[without_secrets(name)])
    from workbench.sources.inventory import take_inventory

    with _opened(name) as source:
        return take_inventory(
            source, matchers=matchers, names=only, ago_ms=ago_ms, progress=progress
        )


def is_source(name: str) -> bool:
    """Whether a name stands for a server or snapshot, and not for a file or a target."""
    if name.startswith("http"):
        from workbench.sources.target import shows_metrics

        return not shows_metrics(name)
    if name.startswith(_SCHEMES):
        return True
    if name == "-" or Path(name).exists():
        return False
    from workbench.settings import load_settings

    return name in load_settings().sources


def job_history(name: str) -> tuple[JobHistory, ...]:
    """How the jobs of a server or snapshot grew in the last week; empty where it does not say."""
    from workbench.cardinality.history import questions, read_history
    from workbench.frame import Frame

    with _opened(name) as source:
        answers = {
            q.key: source.query_range(q.expression, q.window).data
            for q in questions(source.now_ms())
        }
    frames = {key: data for key, data in answers.items() if isinstance(data, Frame)}
    return read_history(frames)


@contextmanager
def _opened(name: str) -> Iterator[Source]:
    from workbench.session.connecting import open_source
    from workbench.settings import load_settings

    source = open_source(load_settings().resolve(name))
    try:
        yield source
    finally:
        source.close()

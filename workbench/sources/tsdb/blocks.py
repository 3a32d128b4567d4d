"""Folders of blocks → an inventory of their metrics.

A Prometheus writes what it has scraped into blocks, of two hours first and of days later, each a
folder that is never changed again: reading them costs the server nothing, and may be done while it
runs. What is not in a block yet, the head, is in its memory and its log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.inventory import Inventory, ObservedMetric, UnreadLine, join_inventories
from workbench.units import counted
from workbench.window import format_time

__all__ = ["holds_blocks", "is_block", "read_block", "read_blocks"]

_ULID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)
"""What blocks are called; folders that are being written or deleted have a longer name."""

_MOST_META: Final = 1 << 24
_NO_TOMBSTONES: Final = 9
"""Bytes of a file of deletions that holds none."""

_NO_TYPES: Final = "blocks hold no types and no help texts"


def is_block(path: Path) -> bool:
    """Whether a folder is one block."""
    return (path / "meta.json").is_file() and (path / "index").is_file()


def holds_blocks(path: Path) -> bool:
    """Whether a folder is a database's data folder, even one that has no block yet."""
    if not path.is_dir():
        return False
    return bool(_block_folders(path)) or (
        (path / "wal").is_dir() and (path / "chunks_head").is_dir()
    )


def read_block(path: Path) -> Inventory:
    """Read the index of one block.

    Parameters
    ----------
    path
        A folder with ``meta.json`` and ``index``; other files are not read.

    Returns
    -------
    Inventory
        Each metric with an exact table of its labels: of every series that has a sample in the
        block. Types and help texts are unknown.

    Raises
    ------
    InputError
        It is no block, or damaged.

    See Also
    --------
    read_blocks : a data folder, which holds several.
    """
    block = _read(path)
    return replace(block.inventory, notes=(*_notes([block]), *block.inventory.notes))


def read_blocks(path: Path, progress: Callable[[int, int], None] | None = None) -> Inventory:
    """Read the indexes of all blocks in a folder; a series that several of them have counts once.

    Parameters
    ----------
    path
        The data folder of a Prometheus, which may be running, or a snapshot that it has made; also
        one block.
    progress
        Called with how many blocks are done, and how many there are.

    Returns
    -------
    Inventory
        As of `read_block`; blocks that cannot be read are told in `unread`. The notes say what time
        is covered.

    Raises
    ------
    InputError
        There is no block in it, or none that can be read.
    """
    if is_block(path):
        return read_block(path)
    blocks: list[_Block] = []
    failed: dict[Path, InputError] = {}
    whole: Inventory | None = None
    for block in _each(path, failed, progress):
        whole = block.inventory if whole is None else join_inventories([whole, block.inventory])
        blocks.append(replace(block, inventory=Inventory("", notes=block.inventory.notes)))
    if whole is None:
        raise _none(path, failed)
    return replace(
        whole,
        origin=path.as_posix(),
        unread=tuple(_unread(folder, error) for folder, error in failed.items()),
        unread_count=len(failed),
        notes=(*_notes(blocks), *_head(path), *whole.notes),
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """What one block says: the time of its samples, the last moment not included, and its series."""

    start_ms: int
    end_ms: int
    inventory: Inventory


def _block_folders(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.iterdir() if _ULID.fullmatch(p.name) and is_block(p))
    except OSError:
        return []


def _each(
    path: Path,
    failed: dict[Path, InputError],
    progress: Callable[[int, int], None] | None,
) -> Iterator[_Block]:
    """Read one block after the other; what a server replaces meanwhile is looked for once more."""
    done: set[Path] = set()
    for _ in range(2):
        waiting = [p for p in _block_folders(path) if p not in done]
        gone = False
        for folder in waiting:
            done.add(folder)
            try:
                yield _read(folder)
            except InputError as error:
                if is_block(folder):
                    failed[folder] = error
                else:
                    gone = True  # compacted into another block, which has appeared
            if progress is not None:
                progress(len(done), len(done | set(waiting)))
        if not gone:
            return


def _unread(folder: Path, error: InputError) -> UnreadLine:
    return UnreadLine(folder.as_posix(), 0, error.what.replace(f"{folder}/", "", 1))


def _none(path: Path, failed: Mapping[Path, InputError]) -> InputError:
    if failed:
        first = next(iter(failed.values()))
        return InputError(f"{path}: no block can be read; {first.what}", first.mend)
    return InputError(
        f"{path} holds no block of Prometheus' database",
        "a server writes its first after two to three hours: give its URL, or a snapshot of it",
    )


def _read(path: Path) -> _Block:
    from workbench.sources.tsdb.entries import MOST_CHECKED, read_entries
    from workbench.sources.tsdb.index import open_index

    start_ms, end_ms = _times(path / "meta.json")
    index = open_index(path / "index")
    symbols = index.read_symbols()
    metrics, nameless = _metrics(symbols, read_entries(index, symbols))
    notes = [_NO_TYPES]
    if nameless:
        notes.append(
            f"{counted(nameless, 'series', 'series')} of {path} without a name are left out"
        )
    if index.series_end - index.series > MOST_CHECKED:
        notes.append(f"the checksums of the series in {path} were not computed: it is large")
    if _has_deletions(path):
        notes.append(f"series deleted from {path} are counted until it is compacted")
    return _Block(start_ms, end_ms, Inventory(path.as_posix(), metrics, notes=tuple(notes)))


def _metrics(symbols: list[str], entries: Iterable[Any]) -> tuple[dict[str, ObservedMetric], int]:
    """Make the tables; also how many series have no name."""
    from workbench.exposition.gathering import Gatherer
    from workbench.exposition.pieces import Rows, ScannedBlock

    rows: list[Rows] = []
    nameless = number = 0
    for alike in entries:
        series = alike.values.shape[1]
        if alike.metric < 0 or not symbols[alike.metric]:
            nameless += series
            continue
        template = (symbols[alike.metric], tuple(symbols[i] for i in alike.labels))
        rows.append(Rows(template, alike.values, np.arange(number, number + series)))
        number += series
    gatherer = Gatherer()
    gatherer.add(ScannedBlock(number, symbols, rows), 0, 0)
    rows.clear()
    return {
        found.name: ObservedMetric(
            found.name, found.name, found.series, table=found.table, value_counts=found.value_counts
        )
        for found in gatherer.finish()
    }, nameless


def _times(path: Path) -> tuple[int, int]:
    """Read which time a block covers."""
    mend = "copy the block again: without a valid meta.json Prometheus does not read it either"
    try:
        if not path.is_file() or path.stat().st_size > _MOST_META:
            msg = f"{path} is missing, or no meta.json of a block"
            raise InputError(msg, mend)
        meta = json.loads(path.read_bytes())
        version, times = meta["version"], (meta["minTime"], meta["maxTime"])
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror})"
        raise InputError(msg, "check its permissions") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        msg = f"{path} is no JSON with version, minTime and maxTime"
        raise InputError(msg, mend) from None
    if version != 1:
        msg = f"{path} has version {version!r:.40}, not 1"
        raise InputError(msg, "start a Prometheus on its folder, and give the server's URL")
    if not all(type(time) is int and abs(time) < 1 << 63 for time in times):
        msg = f"{path} has the times {times!r:.60}, which are no milliseconds"
        raise InputError(msg, mend)
    return times


def _has_deletions(path: Path) -> bool:
    try:
        return (path / "tombstones").stat().st_size > _NO_TOMBSTONES
    except OSError:
        return False


def _notes(blocks: list[_Block]) -> Iterator[str]:
    start, end = min(b.start_ms for b in blocks), max(b.end_ms for b in blocks)
    yield (
        f"{counted(len(blocks), 'block')} from {_moment(start)} to {_moment(end)}: every series that "
        "had a sample in that time is counted, also one that has ended"
    )


def _moment(time_ms: int) -> str:
    try:
        return format_time(time_ms)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"  # a year that no calendar has


def _head(path: Path) -> Iterator[str]:
    if (path / "wal").is_dir() or (path / "chunks_head").is_dir():
        yield (
            "what the server has not written to a block yet (its wal and chunks_head, two to three "
            "hours) is not read: give its URL, or a snapshot of it, for that"
        )

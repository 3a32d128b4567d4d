"""Exposition text of any size → which series there are, counted exactly.

`parse` reads every sample and holds a dictionary a series; an audit asks only which label sets
there are. `scan` reads the usual lines as columns (`pieces`), on all cores, and hands the few
unusual ones to the reader that `parse` uses, so that both mean the same.
"""

from __future__ import annotations

import os
import re
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import numpy as np

from workbench.exposition.byte_blocks import Block, Source, byte_blocks
from workbench.exposition.gathering import Gathered, Gatherer, OddRow
from workbench.exposition.parser import LineReader, TextFormat
from workbench.exposition.pieces import ScannedBlock, lines_of, scan_block
from workbench.inventory import (
    Inventory,
    ObservedMetric,
    Place,
    UnreadLine,
    family_name,
)
from workbench.samples import MetricMetadata, format_labels

__all__ = ["scan"]

SMALL = 65_536
"""Text of so many bytes is read line by line: loading what reads columns takes longer."""

_UNREAD_KEPT: Final = 1_000
_DUPLICATES_KEPT: Final = 100

_NATIVE: Final = re.compile(
    r"[ \t]+(\{(?=[^{}\"]*\bschema:)[a-z_]+:[^{}\"]*\})(?=[ \t]|$)", re.ASCII
)
"""A native histogram as OpenMetrics 2.0 writes its value: ``{count:3,sum:1.5,schema:2,…}``."""


def scan(
    *sources: Source,
    names: Sequence[str] = (),
    origin: str = "",
    format: TextFormat | Literal["auto"] = "auto",  # noqa: A002 - the word people use
    workers: int | None = None,
) -> Inventory:
    r"""Read exposition text into an inventory.

    Parameters
    ----------
    sources
        Each a file's path, text, a binary stream, or pieces of bytes in any size; plain or
        gzipped. A series that several of them have is counted once.
    names
        What to call the sources in messages; paths are called by themselves, others ``text``.
    origin
        What to call them together.
    format
        ``auto`` takes text that ends in ``# EOF`` as OpenMetrics and all other as Prometheus.
    workers
        How many threads read; as many as there are cores, at most four, unless told. They run
        side by side, since nearly all work is done outside of Python's lock.

    Returns
    -------
    Inventory
        Each metric with an exact table of its labels. What cannot be read is told in `unread`,
        never raised. A series that stands twice without a time, or with the same one, is a
        duplicate.

    Raises
    ------
    InputError
        A file cannot be read.

    Examples
    --------
    >>> inventory = scan('# TYPE up gauge\nup{job="api"} 1\nup{job="db"} 0\nup{job="db"} 0\n')
    >>> inventory.series, inventory.metrics["up"].distinct("job"), inventory.duplicates
    (2, 2, ('up{job="db"}',))
    """
    gatherer = Gatherer()
    readings = []
    for i, source in enumerate(sources):
        name = names[i] if i < len(names) else _name(source)
        reading = _Reading(name, i, gatherer)
        for block in _in_order(byte_blocks(source), workers or min(4, os.cpu_count() or 1)):
            reading.feed(*block)
        reading.finish(None if format == "auto" else format)
        readings.append(reading)
    return _inventory(gatherer, readings, origin or ", ".join(r.name for r in readings))


def _name(source: Source) -> str:
    return source.as_posix() if isinstance(source, Path) else "text"


def _in_order(blocks: Iterator[Block], workers: int) -> Iterator[tuple[ScannedBlock, bool]]:
    """Blocks as read, in their order, and whether the source ended within each's last line."""
    first = next(blocks, None)
    second = next(blocks, None)
    if first is None:
        return
    if second is None or workers < 2:
        for block in chain([first], [] if second is None else [second], blocks):
            read = scan_block if len(block.text) > SMALL else lines_of
            yield read(block), block.cut
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as pool:
        waiting: deque[tuple[Future[ScannedBlock], bool]] = deque()
        for block in chain([first, second], blocks):
            waiting.append((pool.submit(scan_block, block), block.cut))
            if len(waiting) > workers + 1:
                done, cut = waiting.popleft()
                yield done.result(), cut
        for done, cut in waiting:
            yield done.result(), cut


@dataclass(slots=True)
class _Reading:
    """The state of reading one source."""

    name: str
    number: int
    gatherer: Gatherer
    reader: LineReader = field(default_factory=LineReader)
    lines: int = 0
    cut: bool = False
    metadata: dict[str, MetricMetadata] = field(default_factory=dict)

    def feed(self, block: ScannedBlock, cut: bool) -> None:  # noqa: FBT001 - as `_in_order` gives
        """Take in the next block."""
        for line, reason in block.rejected:
            self.reader.reject(self.lines + line + 1, reason)
        self.gatherer.add(block, self.lines + 1, self.number)
        odd = [row for line, text in block.others for row in self._read(self.lines + line, text)]
        if odd:
            self.gatherer.add_odd(odd, self.number)
        self.lines += block.line_count
        self.cut = cut

    def _read(self, before: int, text: str) -> Iterator[OddRow]:
        """Read one line as `parse` does."""
        reader = self.reader
        native = None if text.startswith("#") or "schema:" not in text else _NATIVE.search(text)
        reader.line = before
        reader.feed(
            [text if native is None else f"{text[: native.start(1)]}0{text[native.end(1) :]}"]
        )
        if reader.series_of:
            labels = reader.labels[reader.series_of[0]]
            yield labels, reader.lines[0], reader.times[0], native is not None
        # What the reader remembers for a second sample of a series is not needed here.
        reader.labels.clear()
        reader.places.clear()
        reader.exemplars.clear()
        reader.series_of, reader.lines = array("q"), array("q")
        reader.values, reader.times = array("d"), array("d")

    def finish(self, wanted: TextFormat | None) -> None:
        """Give the lines their meaning, once the dialect is known."""
        reader = self.reader
        reader.line = self.lines
        chosen: TextFormat = wanted or ("openmetrics" if reader.eof_line else "prometheus")
        lines, times = self.gatherer.timed(self.number)
        usable = reader.milliseconds(chosen, lines, times)[1]
        if not usable.all():
            self.gatherer.drop(lines[~usable], self.number)
        late = self.gatherer.first_after(reader.eof_line, self.number) if reader.eof_line else None
        reader.check_end(chosen, late)
        self.metadata = reader.metadata(chosen)


def _inventory(gatherer: Gatherer, readings: list[_Reading], origin: str) -> Inventory:
    metadata: dict[str, MetricMetadata] = {}
    for reading in readings:
        for name, entry in reading.metadata.items():
            metadata.setdefault(name, entry)
    types = {name: entry.type for name, entry in metadata.items()}
    metrics: dict[str, ObservedMetric] = {}
    duplicates: list[str] = []
    untabled: list[Gathered] = []
    repeats = 0
    for found in gatherer.finish():
        family = family_name(found.name, types)
        entry = metadata.get(family, MetricMetadata(family))
        place = Place(readings[found.source].name, found.line)
        repeats += found.repeats
        if found.table is None:
            untabled.append(found)
        if found.repeated and len(duplicates) < _DUPLICATES_KEPT:
            duplicates += _texts(found, _DUPLICATES_KEPT - len(duplicates))
        metrics[found.name] = ObservedMetric(
            name=found.name,
            family=family,
            series=found.series,
            type=entry.type,
            help=entry.help,
            unit=entry.unit,
            table=found.table,
            value_counts=found.value_counts,
            native=found.native,
            place=place,
        )
    unread = sorted(
        UnreadLine(reading.name, error.line, error.reason)
        for reading in readings
        for error in reading.reader.errors
    )
    return Inventory(
        origin=origin,
        metrics=metrics,
        metadata=metadata,
        unread=tuple(unread[:_UNREAD_KEPT]),
        unread_count=sum(r.reader.error_count for r in readings),
        duplicates=tuple(duplicates),
        notes=(*_notes(readings), *map(_untabled, untabled)),
        duplicate_count=repeats,
    )


def _untabled(found: Gathered) -> str:
    return (
        f"{found.name} has {len(found.value_counts):,} different labels on {found.series:,} series: "
        "they are counted, without what each saves and without duplicates"
    )


def _texts(found: Gathered, most: int) -> list[str]:
    assert found.table is not None
    chosen = found.table.take(np.array(found.repeated[:most], np.int64))
    return [format_labels({"__name__": found.name, **labels}) for labels in chosen.rows()]


def _notes(readings: list[_Reading]) -> Iterator[str]:
    for reading in readings:
        if reading.cut:
            yield f"{reading.name} does not end in a newline: its last line may be cut short"
        elif not reading.lines:
            yield f"{reading.name} is empty"

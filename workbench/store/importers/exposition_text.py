"""Prometheus and OpenMetrics text with timestamps, as series."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.errors import InputError
from workbench.exposition import TextFormat, join_rows, parse
from workbench.samples import Samples
from workbench.store.importers.report import Imported, RowLog
from workbench.store.importers.textfile import TextFile
from workbench.window import Time, parse_time

__all__ = ["import_openmetrics"]

_YEAR_MS = 365 * 86_400_000


def import_openmetrics(
    path: Path | str,
    *,
    at: Time | None = None,
    labels: Mapping[str, str] | None = None,
    format: TextFormat | Literal["auto"] = "auto",  # noqa: A002 - the word people use
    lenient: bool = False,
) -> Imported:
    """Read exposition text; a series may stand on many lines, each with its timestamp.

    Parameters
    ----------
    path
        The file; gzip is unpacked.
    at
        The time of lines that carry no timestamp, such as those of a scraped ``/metrics`` page.
    labels
        Labels for every series that has none of that name (``job``, ``instance``).
    format
        ``auto`` takes text that ends in ``# EOF`` as OpenMetrics.
    lenient
        Keep the good lines of a file that has bad ones.

    Returns
    -------
    Imported
        Its series are `Samples`.

    Raises
    ------
    BadRowsError
        There are lines that cannot be read, or that lack a timestamp while `at` is not given.
    InputError
        The file cannot be read, or holds no sample.
    """
    path = Path(path)
    log = RowLog(path, "openmetrics")
    at_ms = None if at is None else _moment(at)
    read = parse(TextFile(path).raw_lines(), format=format)
    log.rows_read = len(read.values) + read.error_count
    for error in read.errors:
        log.reject(error.line, error.reason)
    log.rows_bad = read.error_count
    timed, times = read.has_time, read.times_ms
    if at_ms is not None:
        if not timed.all():
            log.notes.append(f"{int((~timed).sum())} lines have no timestamp and were given one")
        timed, times = np.ones_like(timed), np.where(timed, times, at_ms)
    for line in read.lines[~timed].tolist():
        log.reject(line, "it has no timestamp; say when it was scraped with --at (at=)")
    fixed = {k: v for k, v in (labels or {}).items() if v}
    sets = [{**fixed, **names} for names in read.labels] if fixed else read.labels
    joined = join_rows(sets, read.series_of[timed], times[timed], read.values[timed])
    lines = read.lines[timed]
    for places, how in ((joined.repeated, "the same value"), (joined.replaced, "another value")):
        if len(places):
            log.notes.append(
                f"{len(places)} lines are followed by the same series and time with {how}, which"
                f" was kept (the first is line {int(lines[places[0]])})"
            )
    _note_dialect(read.format, joined.samples, log)
    names = {names["__name__"] for names in joined.samples.labels}
    metadata = tuple(m for m in read.metadata if _is_used(m.name, names))
    report = log.settle(joined.samples.rows, lenient=lenient)
    return Imported(joined.samples, metadata, report)


def _moment(at: Time) -> int:
    if isinstance(at, str) and at.strip().startswith("now"):
        msg = f"{at!r} is not when a file was scraped"
        raise InputError(msg, "give the moment itself, such as 2026-01-31T12:00:00Z")
    return parse_time(at, now_ms=0)


def _note_dialect(dialect: str, samples: Samples, log: RowLog) -> None:
    unit = "seconds" if dialect == "openmetrics" else "milliseconds"
    log.notes.append(f"timestamps were read as {unit} ({dialect} text)")
    if samples.rows and dialect == "prometheus" and 0 < samples.times_ms.max() < _YEAR_MS:
        log.notes.append(
            "all samples lie in 1970: if the timestamps are seconds, the text is OpenMetrics that"
            " lacks its last line, # EOF"
        )


def _is_used(family: str, names: set[str]) -> bool:
    members = ("", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_created")
    return any(family + suffix in names for suffix in members)

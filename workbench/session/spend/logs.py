"""Usage logs as a source of the spend study: which files, of which days, at which prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from workbench.errors import InputError
from workbench.session.audit_names import split_names
from workbench.spend.counting.days import zone_of
from workbench.spend.prices import Prices
from workbench.spend.reading.log import LogReading, read_usage_log
from workbench.spend.reading.log_joining import log_coverage
from workbench.spend.reading.log_rows import shape_of_file
from workbench.spend.reading.log_tiers import tier_starts

__all__ = ["log_days", "log_queries", "read_logs"]

_ALMOST: Final = 0.9
"""Of the last day that a log knows, from which on it is taken to be over."""


def read_logs(
    logs: str | Path | Iterable[str | Path],
    *,
    prices: Prices | None = None,
    first: date | None = None,
    last: date | None = None,
    timezone: str = "UTC",
    includes_cached: Mapping[str, bool] | None = None,
) -> tuple[LogReading, ...]:
    """Read usage logs for `workbench.spend.reading.log_joining.join_logs`.

    Parameters
    ----------
    logs
        Files: a list, or text with spaces between names.
    prices
        Tell where price tiers begin; list prices where they are not given.
    first, last
        Days outside of which rows are left out.
    timezone
        Whose midnights part the days.
    includes_cached
        By shape (``"request_log"``): whether input tokens contain cached ones. Names of other
        profiles are passed over.

    Raises
    ------
    InputError
        A file cannot be read, is given twice, or has no shape that is known.
    BadRowsError
        No row of a file could be read.
    """
    paths = [Path(name) for name in split_names(logs)]
    places = [path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            msg = f"the usage log {str(path)!r} is given twice"
            raise InputError(msg, "give each file once")
    said = includes_cached or {}
    starts = tier_starts(prices or Prices())
    known: set[int] = set()
    found = []
    for path in paths:
        shape = shape_of_file(path)
        found.append(
            read_usage_log(
                path, first=first, last=last, zone=timezone, shape=shape, starts=starts,
                known=known, includes_cached=said.get(shape.name),
            )
        )  # fmt: skip
    return tuple(found)


def log_days(logs: Sequence[LogReading]) -> tuple[date, date]:
    """Say which days logs know: the first, and the last that is over.

    Raises
    ------
    InputError
        There is no log, or none has a row in the days that were kept.
    """
    days = []
    for name in dict.fromkeys(log.name for log in logs):
        files = [log for log in logs if log.name == name]
        coverage = log_coverage(files)
        if not len(coverage):
            continue
        begin, end = (coverage["day"].iloc[n].date() for n in (0, -1))
        moment = max(log.last for log in files).astimezone(zone_of(files[0].zone))
        going_on = moment.date() == end and coverage["coverage"].iloc[-1] < _ALMOST
        days.append((begin, max(end - timedelta(days=1), begin) if going_on else end))
    if not days:
        msg = "the usage logs have no row in this time"
        raise InputError(msg, "give another period, or the files of this one")
    return min(d for d, _ in days), max(d for _, d in days)


def log_queries(logs: Sequence[LogReading]) -> dict[str, str]:
    """Give, for each shape, the files in place of PromQL: where its figures come from."""
    files: dict[str, list[str]] = {}
    for log in logs:
        files.setdefault(log.name, [log.title]).append(log.file)
    return {name: f"{title}: {', '.join(names)}" for name, (title, *names) in files.items()}

"""Usage logs beside metrics, or in their place: one table in which the same traffic stands once.

A log counts single requests exactly and loses none at restarts, so it is kept where it tells the same
traffic as metrics or as another log: the same model with the same volumes on the days that both know.
On a day that a log knows in part only, whoever counted more is kept. Where volumes differ both are
kept and a flaw says so, since the one may see what goes past the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.findings import Severity
from workbench.frame import Bools
from workbench.spend.counting.days import CalendarDays
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.log import LogReading
from workbench.spend.reading.log_volumes import WHOLE, Volumes
from workbench.spend.reading.reader import BOUNDS, EXTRAS, Reading, together
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES, REQUEST_INPUT
from workbench.units import counted, format_quantity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["join_logs", "log_coverage"]

_TOKENS: Final = ["input", "cache_read", "cache_write", "output"]


def join_logs(reading: Reading | None, logs: Sequence[LogReading]) -> Reading:
    """Join usage logs with what metrics told, or with each other.

    Parameters
    ----------
    reading
        Of metrics; None where there are logs only.
    logs
        All read by the days of one time zone. Several files of one shape are one log: rows of the
        same account and day with the same figures in two of them are counted once.

    Returns
    -------
    Reading
        Its table has the columns `REQUEST_INPUT` besides; `duplicates` holds what was left out.

    Raises
    ------
    InputError
        There is neither a reading nor a log, or the logs are of different time zones.
    """
    if not logs:
        if reading is None:
            msg = "there are neither metrics nor logs of usage"
            raise InputError(msg, "give a source with metrics of language models, or a usage log")
        return reading
    if len(zones := {log.zone for log in logs}) > 1:
        msg = f"logs are read by the days of {' and of '.join(sorted(zones))}"
        raise InputError(msg, "read all of them by the days of one time zone")
    merged = [_merge([log for log in logs if log.name == name]) for name in _names(logs)]
    merged.sort(key=lambda log: not log.sized)
    before = reading or _nothing()
    table = together([_sized(before.table, before.bounds), *(_exact(log.table) for log in merged)])
    covered = together([before.coverage, *(log.coverage for log in merged)])
    kept, flaws = _one_source(table, covered, merged)
    repeated = [log.repeated[list(COLUMNS)] for log in merged]
    found = [*before.flaws, *(f for log in merged for f in log.flaws), *flaws]
    return replace(
        before,
        table=table.loc[kept, [*COLUMNS, *REQUEST_INPUT]].reset_index(drop=True),
        bounds=table.loc[kept, list(BOUNDS)].reset_index(drop=True),
        duplicates=together([before.duplicates, table.loc[~kept, list(COLUMNS)], *repeated]),
        coverage=covered,
        flaws=tuple(sorted(found, key=lambda f: (-f.severity.rank, f.code, f.about))),
        currencies={
            **before.currencies,
            **{log.name: log.currency for log in merged if log.currency},
        },
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """All files of one shape."""

    name: str
    title: str
    currency: str
    table: pd.DataFrame
    repeated: pd.DataFrame
    coverage: pd.DataFrame
    flaws: tuple[Flaw, ...]
    sized: bool


def _names(logs: Iterable[LogReading]) -> list[str]:
    return list(dict.fromkeys(log.name for log in logs))


def _merge(files: Sequence[LogReading]) -> _Log:
    """Take the files of one shape together, what stands in two of them once."""
    first = files[0]
    table = together([file.table for file in files])
    number = np.repeat(np.arange(len(files)), [len(file.table) for file in files])
    again = _again(table, number) if len(files) > 1 else np.zeros(len(table), np.bool_)
    coverage = log_coverage(files)
    flaws = [*(f for file in files for f in file.flaws), *_days(first, coverage)]
    if again.any():
        flaws.append(_same_rows(first, table[again]))
    kept = table[~again].reset_index(drop=True)
    sized = bool(kept[REQUEST_INPUT[0]].notna().any())
    return _Log(
        first.name, first.title, first.currency, kept, table[again].reset_index(drop=True),
        coverage, tuple(flaws), sized,
    )  # fmt: skip


def _again(table: pd.DataFrame, number: np.ndarray[Any, Any]) -> Bools:
    """Rows with the account, day and figures of a row of an earlier file; chance makes no such pairs."""
    keys = table[["day", *DIMENSIONS, *FIGURES, *REQUEST_INPUT]].astype(object)
    keys = keys.where(keys.notna(), None)
    earliest = keys.assign(file=number).groupby(list(keys.columns), sort=False, dropna=False)
    first: Bools = np.asarray(earliest["file"].transform("min") < number)
    return first & (table[_TOKENS].fillna(0.0).sum(axis=1).to_numpy() > 0)


def log_coverage(files: Sequence[LogReading]) -> pd.DataFrame:
    """Say how much of each day the files of one log know.

    Returns
    -------
    DataFrame
        ``day``, ``profile``, ``coverage``: the share of the day that lies between the first and the
        last moment of a file; 0 for a day without any row, which may have had no usage or no log.
    """
    import pandas as pd

    spans = _union([(file.first, file.last) for file in files])
    rows = pd.concat([file.table["day"] for file in files])
    names = pd.Index([files[0].name], dtype="str")
    if not len(rows):
        dates, share = np.array([], "datetime64[ms]"), np.array([], np.float64)
    else:
        days = CalendarDays.between(rows.min().date(), rows.max().date(), files[0].zone)
        dates, share = days.dates, np.zeros(len(days))
        for begin, end in spans:
            low, high = (
                np.clip(t.timestamp() * 1000, days.start_ms, days.end_ms) for t in (begin, end)
            )
            parts = np.clip(days.bounds_ms, low, high)
            share += np.diff(parts) / np.diff(days.bounds_ms)
        share[~np.isin(dates, rows.to_numpy("datetime64[ms]"))] = 0.0
    profile = pd.Categorical.from_codes(np.zeros(len(dates), np.int8), categories=names)
    return pd.DataFrame({"day": dates, "profile": profile, "coverage": np.minimum(share, 1.0)})


def _union(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    result: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def _days(log: LogReading, coverage: pd.DataFrame) -> Iterable[Flaw]:
    """Days that are not whole, and days between without a row."""
    shares = coverage["coverage"].to_numpy()
    days = coverage["day"].dt.strftime("%Y-%m-%d").to_numpy(object)
    part = np.flatnonzero((shares < WHOLE) & (shares > 0))
    if len(part):
        told = ", ".join(f"{days[n]} ({shares[n] * 100:.0f} %)" for n in part[:3])
        what = f"the {log.title} does not know the whole of {counted(len(part), 'day')}: {told}"
        mend = "read whole days, or leave these out of the period"
        yield Flaw("LLM-LOG-DAYS", Severity.INFO, log.name, what, mend, {"days": float(len(part))})
    empty = np.flatnonzero(shares == 0)
    if len(empty):
        shown = ", ".join([*days[empty[:3]], *["…"] * (len(empty) > 3)])
        what = (
            f"the {log.title} has no row on {counted(len(empty), 'day')} of {len(days)} ({shown}):"
            " nothing was used then, or a file is missing"
        )
        mend = "check whether all files of the log are given"
        yield Flaw(
            "LLM-NO-DATA", Severity.WARNING, log.name, what, mend, {"days": float(len(empty))}
        )


def _same_rows(log: LogReading, again: pd.DataFrame) -> Flaw:
    tokens = float(again[_TOKENS].fillna(0.0).to_numpy().sum())
    return Flaw(
        "LLM-SAME-TRAFFIC",
        Severity.INFO,
        f"{log.name} twice",
        f"two files of the {log.title} tell the same of {counted(len(again), 'account and day', 'accounts and days')}"
        f" ({format_quantity(tokens, 'tokens')}): they are counted once",
        "nothing, if exports overlap",
        {"dropped_tokens": tokens},
    )


def _one_source(
    table: pd.DataFrame, covered: pd.DataFrame, logs: Sequence[_Log]
) -> tuple[Bools, list[Flaw]]:
    """Which rows are kept, and each log and other source of a model that were compared."""
    volumes = Volumes(table, covered)
    kept = np.ones(len(table), np.bool_)
    flaws: list[Flaw] = []
    later = [log.name for log in logs]
    others = [p for p in volumes.profiles if p not in later]
    titles = {log.name: log.title for log in logs}
    while later:
        log, *later = later
        for other in [*others, *later]:
            for model in volumes.shared(log, other):
                same, days = volumes.compare(log, other, model)
                pair = (titles[log], titles.get(other, other))
                if not same:
                    flaws.append(_different(pair, log, model, volumes.both(log, other, model)))
                    continue
                mine = volumes.whole(log) | (volumes.of(log, model) >= volumes.of(other, model))
                gone = volumes.rows(other, model, days & mine)
                gone |= volumes.rows(log, model, days & ~mine)
                flaws.append(
                    _same(
                        pair,
                        f"{log} {other} {model}",
                        table,
                        gone & kept,
                        volumes.rows(log, model, days),
                    )
                )
                kept &= ~gone
    return kept, flaws


def _same(
    pair: tuple[str, str], about: str, table: pd.DataFrame, gone: Bools, log_rows: Bools
) -> Flaw:
    tokens = table[_TOKENS].fillna(0.0).sum(axis=1).to_numpy()
    left, model = float(tokens[gone].sum()), about.split(" ", 2)[2]
    untold = [
        name
        for name in DIMENSIONS
        if (table.loc[gone, name].astype(str) != "").any()
        and not (table.loc[log_rows & ~gone, name].astype(str) != "").any()
    ]
    lost = f"; it does not tell {' and '.join(untold)}, which the other did" if untold else ""
    return Flaw(
        "LLM-SAME-TRAFFIC",
        Severity.WARNING if untold else Severity.INFO,
        about,
        f"the {pair[0]} and {pair[1]} tell the same traffic of {model}: {format_quantity(left, 'tokens')} are"
        f" counted once, from the log where it knows the day, for it knows each request{lost}",
        "nothing, if it is so; else read them one at a time",
        {"dropped_tokens": left, "log_tokens": float(tokens[log_rows].sum())},
    )


def _different(
    pair: tuple[str, str], log: str, model: str, volumes: tuple[float, float, float]
) -> Flaw:
    own, theirs, both = volumes
    return Flaw(
        "LLM-TWO-LAYERS",
        Severity.WARNING,
        f"{log} {pair[1]} {model}",
        f"the {pair[0]} and {pair[1]} both tell of {model}, with different volumes on the same days"
        f" ({format_quantity(own, 'tokens')} and {format_quantity(theirs, 'tokens')}): both are kept, and up to"
        f" {format_quantity(both, 'tokens')} may be counted twice",
        "read one of them only, if the one's traffic goes through the other",
        {"tokens": own, "other_tokens": theirs, "both_at_most": both},
    )


def _sized(table: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """Put bounds beside a table, and sizes of requests that metrics do not know."""
    sizes = {name: table.get(name, np.nan) for name in REQUEST_INPUT}
    return table.assign(**sizes, **{name: bounds[name].to_numpy() for name in BOUNDS})


def _exact(table: pd.DataFrame) -> pd.DataFrame:
    """Bounds of a log: it counts what there was."""
    tokens = table[_TOKENS].fillna(0.0).sum(axis=1)
    return table.assign(low=tokens, high=tokens, moved=0.0)


def _nothing() -> Reading:
    """Give a reading of no metrics."""
    import pandas as pd

    day = pd.Series([], dtype="datetime64[ms]")
    text = pd.Categorical([], categories=pd.Index([], dtype="str"))

    def empty(texts: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
        columns: Mapping[str, Any] = {"day": day, **dict.fromkeys(texts, text)}
        return pd.DataFrame({**columns, **{n: np.array([], np.float64) for n in numbers}})

    table = empty([*DIMENSIONS, "profile"], [*FIGURES, "lost"])[list(COLUMNS)]
    return Reading(
        table=table,
        bounds=empty([], BOUNDS)[list(BOUNDS)],
        duplicates=table,
        extras=empty([*DIMENSIONS, "profile"], EXTRAS),
        kinds=empty(["provider", "model", "team", "application", "profile", "kind"], ["errors"]),
        histograms=empty(["profile", "histogram", "provider", "model"], ["le", "count"]),
        coverage=empty(["profile"], ["coverage"]),
        flaws=(),
        currencies={},
        self_hosted=frozenset(),
    )

"""What servers counted of the models that they serve, by day: tokens, seconds, and idle time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.counting.days import CalendarDays
from workbench.spend.reading.reader import Reading
from workbench.spend.self_hosted.answers import Answers, Line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COUNTS", "EXTRA", "Server", "servers_of"]

COUNTS: Final = {
    "computed": "input",
    "cached": "cache_read",
    "output": "output",
    "requests": "requests",
}
"""Our figures, by the canonical table's columns: input there is what no cache had."""

EXTRA: Final = ("preempted", "prefill_seconds", "decode_seconds")


_COVERED: Final = 0.5
"""A day of which less was seen tells nothing of a day's volume."""


@dataclass(frozen=True, slots=True)
class Server:
    """One model of one server.

    Parameters
    ----------
    profile, model, job
        Who counts, what it calls the model, which job scrapes it.
    figures
        float64, shape (days,), by the names of `COUNTS` and `EXTRA`; NaN where not counted.
    idle, seen
        float64, shape (days,): mean idle share of the time that was seen, NaN where none was; and
        the share of the time that was seen.
    covered
        bool, shape (days,): days of which enough of its counters was seen.
    """

    profile: str
    model: str
    job: str
    figures: dict[str, Floats]
    idle: Floats
    seen: Floats
    covered: Bools

    @property
    def tokens(self) -> Floats:
        """All tokens of each day."""
        return np.asarray(
            sum(np.nan_to_num(self.figures[n]) for n in ("computed", "cached", "output"))
        )

    @property
    def busy(self) -> Floats:
        """How much of a machine's work each day was for it: seconds, else tokens that it computed."""
        seconds = np.nan_to_num(self.figures["prefill_seconds"]) + np.nan_to_num(
            self.figures["decode_seconds"]
        )
        if seconds.any():
            return np.asarray(seconds)
        return np.asarray(
            np.nan_to_num(self.figures["computed"]) + np.nan_to_num(self.figures["output"])
        )


def servers_of(reading: Reading, answers: Answers, days: CalendarDays) -> list[Server]:
    """The servers of a period, in the order of their names.

    A server that was measured but counted no token is one too: it idled.
    """
    import pandas as pd

    rows = pd.concat(
        [_own(table, reading) for table in (reading.table, reading.duplicates)], ignore_index=True
    )
    counted = _by_key(rows, list(COUNTS.values()), days)
    extra = _by_key(_own(reading.extras, reading), list(EXTRA), days)
    idle = {(x.profile, x.model, x.job): x for x in answers.servers("idle")}
    known = {key[0] for key in counted}
    keys = {*counted, *(key for key in idle if key[1] and key[0] in known)}
    blank = np.full(len(days), np.nan)
    result = []
    for key in sorted(keys):
        figures = {ours: counted.get(key, {}).get(name, blank) for ours, name in COUNTS.items()}
        figures |= {name: extra.get(key, {}).get(name, blank) for name in EXTRA}
        shares, seen = _idle(_line_of(idle, key), days)
        result.append(Server(*key, figures, shares, seen, _covered(reading, key[0], days)))
    return result


def _covered(reading: Reading, profile: str, days: CalendarDays) -> Bools:
    """Days of which half of a profile's samples were there at the least; all where nobody tells."""
    told = reading.coverage
    if len(told):
        told = told[told["profile"].astype(str) == profile]
    if not len(told):
        return np.ones(len(days), np.bool_)
    known = (
        told["day"].to_numpy().astype("datetime64[D]")[(told["coverage"] >= _COVERED).to_numpy()]
    )
    return np.isin(days.dates.astype("datetime64[D]"), known)


def _own(table: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """The rows that servers counted; a job stands where their profiles have the application."""
    import pandas as pd

    kept = table[table["profile"].isin(reading.self_hosted)]
    names = {"day": kept["day"].to_numpy()}
    text = {n: kept[n].astype(str).to_numpy() for n in ("profile", "model", "application")}
    figures = {n: kept[n].to_numpy() for n in (*COUNTS.values(), *EXTRA) if n in kept}
    return pd.DataFrame({**names, **text, **figures})


def _by_key(
    rows: pd.DataFrame, columns: Sequence[str], days: CalendarDays
) -> dict[tuple[str, str, str], dict[str, Floats]]:
    """Columns of the period's days, summed by profile, model and job."""
    dates = days.dates.astype("datetime64[D]")
    told = rows["day"].to_numpy().astype("datetime64[D]")
    inside = (told >= dates[0]) & (told <= dates[-1])
    rows = rows[inside].assign(place=(told[inside] - dates[0]).astype(np.int64))
    result: dict[tuple[str, str, str], dict[str, Floats]] = {}
    for key, part in rows.groupby(["profile", "model", "application"], sort=True):
        sums = part.groupby("place")[list(columns)].sum(min_count=1)
        whole = sums.reindex(range(len(days)))
        result[(str(key[0]), str(key[1]), str(key[2]))] = {
            name: whole[name].to_numpy(np.float64) for name in columns
        }
    return result


def _line_of(lines: dict[tuple[str, str, str], Line], key: tuple[str, str, str]) -> Line | None:
    """A server's line; one that names no model, or no job, stands for all of them."""
    profile, model, job = key
    tries = (key, (profile, "", job), (profile, model, ""), (profile, "", ""))
    return next((lines[each] for each in tries if each in lines), None)


def _idle(line: Line | None, days: CalendarDays) -> tuple[Floats, Floats]:
    shares, seen = np.full(len(days), np.nan), np.zeros(len(days))
    if line is None or len(line.times_ms) < 2:
        return shares, seen
    step_ms = int(np.diff(line.times_ms).min())
    expected = np.diff(days.bounds_ms) / step_ms
    for day, values in enumerate(line.by_day(days)):
        there = np.clip(values[np.isfinite(values)], 0.0, 1.0)
        if len(there):
            shares[day] = there.mean()
            seen[day] = min(len(there) / expected[day], 1.0)
    return shares, seen

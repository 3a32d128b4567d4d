"""Hours of machines by calendar day: expected, and the least and the most that gaps leave open."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays
from workbench.spend.prices import NANO
from workbench.spend.self_hosted.answers import Answers
from workbench.spend.self_hosted.machines import MOST, Machine

__all__ = ["Paid", "paid_hours"]

_BRIDGED: Final = 3
"""So many points in a row without an answer are a lost scrape; more, and the machine was off."""

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Paid:
    """What is paid for one kind of machine.

    Parameters
    ----------
    machine
        Of which kind.
    millis
        int64, shape (3, days): milliseconds of single machines; expected, least, most.
    nanos
        int64, shape (3, days): their price in billionths of the currency, each day rounded once.
    """

    machine: Machine
    millis: Ints
    nanos: Ints


def paid_hours(machine: Machine, answers: Answers, days: CalendarDays) -> Paid:
    """Count a machine's hours and price them.

    Parameters
    ----------
    machine
        Its count is constant, or is told by the answer to its question. A point of the grid stands
        for the step before it. Where the grid has no answer, the least is none, and the most is
        what was counted on either side; where only a few points are missing, the lesser of the two
        sides is expected, else none.
    answers
        May lack it: then the least is nothing, and the most the machines' own count.
    days
        The period.

    Raises
    ------
    InputError
        What is counted cannot be machines: there are too many.
    """
    length = np.diff(days.bounds_ms)
    if not machine.counting:
        millis = np.tile(length * machine.count, (3, 1))
    else:
        found = answers.machine(machine.name)
        if found is None:
            millis = np.stack([0 * length, 0 * length, length * machine.count])
        else:
            millis = _integrated(machine, *found, days)
    return Paid(machine, millis, _priced(machine, millis))


def _integrated(machine: Machine, times_ms: Ints, counts: Floats, days: CalendarDays) -> Ints:
    step_ms = int(np.diff(times_ms).min()) if len(times_ms) > 1 else 0
    whole = machine.count if not machine.count_from and "count" in machine.model_fields_set else 1
    if np.nanmax(counts, initial=0.0) > MOST:
        msg = f"count_from of {machine.name!r} counts {np.nanmax(counts):,.0f} machines"
        raise InputError(msg, f"let it count machines, at most {MOST:,}: count(up == 1)")
    counts = np.maximum(counts, 0.0)
    day = days.of(times_ms)
    inside = (day >= 0) & (day < len(days))
    rows = []
    for each in (_expected(counts), np.nan_to_num(counts), _filled(counts, np.maximum)):
        weights = np.rint(each * whole * step_ms)[inside]
        rows.append(np.bincount(day[inside], weights, len(days)))
    # What lies after the last point has not been seen, or has not been yet.
    return np.rint(np.stack(rows)).astype(np.int64)


def _sides(counts: Floats) -> tuple[Floats, Floats, Ints]:
    """What was counted before and after each point, NaN where nothing was, and the gap's length."""
    place = np.arange(len(counts))
    there = np.isfinite(counts)
    before = np.maximum.accumulate(np.where(there, place, -1))
    after = np.minimum.accumulate(np.where(there, place, len(counts))[::-1])[::-1]
    padded = np.append(counts, np.nan)  # both −1 and the length are the NaN behind the last
    return padded[before], padded[after], after - before - 1


def _filled(counts: Floats, choose: np.ufunc) -> Floats:
    before, after, _ = _sides(counts)
    both = choose(
        np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    )
    return np.where(np.isnan(counts), np.nan_to_num(both), counts)


def _expected(counts: Floats) -> Floats:
    *_, gap = _sides(counts)
    return np.where(np.isnan(counts) & (gap > _BRIDGED), 0.0, _filled(counts, np.minimum))


def _priced(machine: Machine, millis: Ints) -> Ints:
    """Billionths of the currency: exact products, rounded once a day."""
    price = machine.price_per_hour / NANO
    flat = [
        int((Decimal(int(each)) * price / _HOUR_MS).to_integral_value()) for each in millis.ravel()
    ]
    return np.array(flat, np.int64).reshape(millis.shape)

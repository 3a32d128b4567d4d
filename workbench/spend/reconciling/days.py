"""Days of an invoice that are not our days: those that are cut at another hour, and those yet to come.

An invoice whose days begin f of a day later than ours bills, on its day, what is left of our day and
the first f of the next. Where the invoice tells hours its days are cut anew; else f is found from the
pattern: what such days would hold is fitted to what was billed, each series with a factor of its own
(traffic past the gateway is a factor), by least absolute errors (a burst on some days does not matter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.spend.invoices import InvoiceLine
from workbench.spend.reconciling.cells import Bills, Seen, cut_bills
from workbench.spend.reconciling.models import Model

__all__ = ["Cut", "delayed_days", "find_cut", "shifted"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_FEWEST_DAYS: Final = 8
_BETTER: Final = 0.6
"""To what part of its errors the fit must come down for another cut to be believed."""
_WORTH: Final = 0.004
"""By how much of all tokens it must become better, too: below, days are equal."""
_LEAST: Final = 0.03
"""Of a day: three quarters of an hour."""
_STEPS: Final = 100
_MISSING: Final = 0.05
"""A day with less than this share of what is usual was not billed yet."""
_PARTLY: Final = 0.7
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Cut:
    """How the invoice's days lie to ours.

    Attributes
    ----------
    part
        Of a day by which the invoice's begin later, −1 to 1; 0 where they agree.
    hours
        The same in hours: exact from hourly lines, else by the shape of our days.
    exact
        Whether the invoice tells hours.
    before, after
        Errors of the fit, as a share of the tokens: with equal days, and so.
    bills
        The invoice cut into our days, where it tells hours.
    """

    part: float = 0.0
    hours: float = 0.0
    exact: bool = False
    before: float = 0.0
    after: float = 0.0
    bills: Bills | None = None


def _groups(tokens: Floats) -> Floats:
    """Sum all input and keep output, which a wrong split does not touch: (…, classes) to (…, 2)."""
    return np.stack([tokens[..., :3].sum(axis=-1), tokens[..., 3]], axis=-1)


def delayed_days(seen: Seen, bills: Bills) -> Bools:
    """Find the last days of the period that are not billed, or not all of them, by provider.

    Returns
    -------
    ndarray of bool, shape (models, days)
    """
    billed = seen.inside(bills.tokens.sum(axis=0)).sum(axis=-1)
    ours = seen.inside(seen.tokens).sum(axis=-1)
    late = np.zeros(billed.shape, bool)
    for provider in {p for p, _ in seen.models}:
        rows = np.array([p == provider for p, _ in seen.models])
        b, s = billed[rows].sum(axis=0), ours[rows].sum(axis=0)
        known = (b > 0) & (s > 0)
        if not known.any():
            continue
        usual = float(np.median(b[known] / s[known]))
        end = len(b)
        while end and s[end - 1] > 0 and b[end - 1] < _MISSING * usual * s[end - 1]:
            end -= 1
        if end == len(b) or not end:
            continue
        if s[end - 1] > 0 and b[end - 1] < _PARTLY * usual * s[end - 1]:
            end -= 1
        late[rows, end:] = True
    return late


def shifted(values: Floats, part: float) -> Floats:
    """What days that begin `part` of a day later would hold, if each day were even.

    Parameters
    ----------
    values
        Shape (models, days + 2, classes).

    Returns
    -------
    ndarray
        Shape (models, days, classes).
    """
    here = values[:, 1:-1]
    near = values[:, 2:] if part > 0 else values[:, :-2]
    empty = near.sum(axis=-1, keepdims=True) == 0
    moved: Floats = (1 - abs(part)) * here + abs(part) * np.where(empty, here, near)
    return moved


def find_cut(
    lines: Sequence[tuple[InvoiceLine, Model]],
    seen: Seen,
    bills: Bills,
    late: Bools,
    shape: Sequence[float] = (),
) -> Cut:
    """Find out at which hour the invoice cuts its days.

    Parameters
    ----------
    lines
        Of usage, with the models that they mean.
    late
        Days to leave out; shape (models, days).
    shape
        Our tokens by hour of our day, 24 values; even where it is empty.
    """
    timed = sum((abs(line.amount) for line, _ in lines if line.at), start=lines[0][0].amount * 0)
    whole = sum((abs(line.amount) for line, _ in lines), start=lines[0][0].amount * 0)
    spans = sum((abs(line.amount) for line, _ in lines if line.days > 1), start=whole * 0)
    if len(seen.days) < _FEWEST_DAYS or spans * 2 > whole:
        return Cut()
    if timed * 10 >= whole * 9:
        return _cut_hours(lines, seen, bills, late)
    cut = _fit_part(seen, bills, late)
    return replace(cut, hours=_hours(cut.part, shape))


def _hours(part: float, shape: Sequence[float]) -> float:
    """Tell how many hours hold a part of a day's tokens: its first, or its last where negative."""
    each = np.asarray(shape if len(shape) and sum(shape) > 0 else [1.0] * 24, np.float64)
    sums = np.concatenate([[0.0], np.cumsum(each) / each.sum()])
    clock = np.linspace(0, 24, len(sums))
    if part >= 0:
        return float(np.interp(part, sums, clock))
    return float(np.interp(1 + part, sums, clock)) - 24


def _usable(seen: Seen, late: Bools) -> Bools:
    """Days that are compared: not late, measured, and not the first or last."""
    use = ~late & seen.measured
    use[:, [0, -1]] = False
    use[:, 1:-1] &= ~late[:, 2:]
    return use


def _error(billed: Floats, ours: Floats, use: Bools) -> float:
    """Sum of absolute errors, each series with its own factor; both of shape (models, days, 2)."""
    total = 0.0
    for m in range(len(billed)):
        b, s = billed[m, use[m]], ours[m, use[m]]
        for g in range(2):
            known = (b[:, g] > 0) & (s[:, g] > 0)
            if known.sum() >= _FEWEST_DAYS - 3:
                factor = np.median(b[known, g] / s[known, g])
                total += float(np.abs(b[:, g] - factor * s[:, g]).sum())
    return total


def _fit_part(seen: Seen, bills: Bills, late: Bools) -> Cut:
    billed = _groups(seen.inside(bills.tokens.sum(axis=0)))
    ours, use = _groups(seen.tokens), _usable(seen, late)
    size = float(billed[use].sum()) or 1.0
    before = _error(billed, ours[:, 1:-1], use) / size
    if before < _WORTH:
        return Cut(before=before, after=before)
    coarse = np.arange(-_STEPS + 5, _STEPS, 5) / _STEPS
    best = min(coarse, key=lambda part: _error(billed, shifted(ours, part), use))
    fine = best + np.arange(-4, 5) / _STEPS
    best = float(min(fine, key=lambda part: _error(billed, shifted(ours, part), use)))
    after = _error(billed, shifted(ours, best), use) / size
    believed = after < _BETTER * before and before - after > _WORTH and _LEAST <= abs(best) < 1
    return Cut(best if believed else 0.0, before=before, after=after)


def _cut_hours(
    lines: Sequence[tuple[InvoiceLine, Model]], seen: Seen, bills: Bills, late: Bools
) -> Cut:
    """Cut hourly lines at each hour (and half hour, where lines tell it) and keep the best."""
    place = {model: n for n, model in enumerate(seen.models)}
    timed = [(line, model) for line, model in lines if line.at is not None]
    ms = np.array([int(line.at.timestamp() * 1000) for line, _ in timed if line.at], np.int64)
    rows = np.array([place[model] for _, model in timed], np.intp)
    group = np.array([int(line.token_class in {"output", "reasoning"}) for line, _ in timed])
    tokens = np.array(
        [float(line.amount if line.tokens is None else line.tokens) for line, _ in timed]
    )
    ours, use = _groups(seen.inside(seen.tokens)), _usable(seen, late)
    start = seen.days[0].astype("datetime64[ms]").astype(np.int64)
    step = _HOUR_MS if not (ms % _HOUR_MS).any() else _HOUR_MS // 4

    def billed(offset: int) -> Floats:
        day = (ms + offset - start) // (24 * _HOUR_MS)
        found = np.zeros(ours.shape)
        inside = (day >= 0) & (day < ours.shape[1])
        np.add.at(found, (rows[inside], day[inside], group[inside]), tokens[inside])
        return found

    own = _groups(seen.inside(bills.tokens.sum(axis=0)))
    size = float(own[use].sum()) or 1.0
    before = _error(own, ours, use) / size
    offsets = range(-12 * _HOUR_MS, 14 * _HOUR_MS + 1, step)
    best = min(offsets, key=lambda offset: (_error(billed(offset), ours, use), abs(offset)))
    after = _error(billed(best), ours, use) / max(float(billed(best)[use].sum()), 1e-9)
    cut = cut_bills(lines, seen, timedelta(milliseconds=best))
    same = np.allclose(cut.tokens, bills.tokens, rtol=1e-9, atol=1.0)
    if same or after >= _BETTER * before or before - after <= _WORTH:
        return Cut(before=before, after=after)
    return Cut(
        best / (24 * _HOUR_MS), best / _HOUR_MS, exact=True, before=before, after=after, bills=cut
    )

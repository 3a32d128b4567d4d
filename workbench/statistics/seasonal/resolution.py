"""Steps finer than an hour: seasons are learnt from means of about an hour, the rest is put back.

A week of five-minute steps has 2,016 phases, each seen four times in a month: too few to learn
from. Means of an hour have 168.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.samples import Floats, Ints
from workbench.units import format_duration

__all__ = ["block_means", "check_horizon", "refined", "steps_per_block"]

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_PROFILE_DAYS: Final = 14
_LONGEST_DAYS: Final = 28


def steps_per_block(step_ms: int) -> int:
    """How many steps are averaged before seasons are learnt; 1 for an hour or more.

    Raises
    ------
    InputError
        The step does not divide a day, and so has no phase in it.

    Examples
    --------
    >>> steps_per_block(3_600_000), steps_per_block(300_000), steps_per_block(540_000)
    (1, 12, 8)
    """
    if step_ms <= 0 or step_ms > _DAY_MS or _DAY_MS % step_ms:
        msg = f"a step of {format_duration(step_ms)} does not divide a day"
        raise InputError(msg, "give 5m, 15m, 1h, 6h, 1d or another that does")
    count = -(-_HOUR_MS // step_ms)
    while _DAY_MS % (count * step_ms):
        count += 1
    return count


def check_horizon(step_ms: int, horizon_ms: int) -> int:
    """How many steps a horizon has.

    Raises
    ------
    InputError
        The step does not divide a day, or the horizon is shorter than a step or longer than four
        weeks.

    Examples
    --------
    >>> check_horizon(3_600_000, 2 * 86_400_000)
    48
    """
    steps_per_block(step_ms)
    if not step_ms <= horizon_ms <= _LONGEST_DAYS * _DAY_MS:
        msg = f"a horizon of {format_duration(horizon_ms)} cannot be forecast"
        raise InputError(
            msg, f"give one step ({format_duration(step_ms)}) to {_LONGEST_DAYS}d, such as 2d"
        )
    return horizon_ms // step_ms


def block_means(values: Floats, count: int) -> Floats:
    """Means of blocks of `count` steps, NaN where less than half of one is known.

    Parameters
    ----------
    values
        Shape (blocks × count, series).

    Returns
    -------
    Floats
        Shape (blocks, series).
    """
    if count == 1:
        return values
    blocks = values.reshape(-1, count, values.shape[1])
    known = ~np.isnan(blocks)
    enough = 2 * known.sum(axis=1) >= count
    total = np.where(known, blocks, 0.0).sum(axis=1)
    return np.where(enough, total / np.maximum(known.sum(axis=1), 1), np.nan)


def refined(paths: Floats, values: Floats, phases: Ints, origins: Ints, count: int) -> Floats:
    """Forecasts of single steps from forecasts of blocks.

    Parameters
    ----------
    paths
        Of blocks, shape (origins, blocks ahead, series).
    values
        Of steps, shape (steps, series).
    phases
        Of steps, those to be forecast included: which step of the day each is.
    origins
        Numbers of steps.
    count
        Steps of a block.

    Returns
    -------
    Floats
        Shape (origins, blocks ahead × count, series): each block's forecast, and by how much its
        steps have usually differed from their mean in the last two weeks.
    """
    if count == 1:
        return paths
    per_day = int(phases.max()) + 1
    means = np.repeat(block_means(values, count), count, axis=0)
    rest = values - means
    fine = np.repeat(paths, count, axis=1)
    for i, origin in enumerate(origins.tolist()):
        begin = max(0, origin - _PROFILE_DAYS * per_day)
        known = ~np.isnan(rest[begin:origin])
        sums, counts = np.zeros((2, per_day, values.shape[1]))
        np.add.at(sums, phases[begin:origin], np.where(known, rest[begin:origin], 0.0))
        np.add.at(counts, phases[begin:origin], known.astype(np.float64))
        profile = sums / np.maximum(counts, 1.0)
        fine[i] += profile[phases[origin : origin + fine.shape[1]]]
    return fine

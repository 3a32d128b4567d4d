"""What one model cost in the whole period, from its days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from workbench.spend.prices import exact
from workbench.spend.self_hosted.answers import Line
from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.servers import COUNTS, Server

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["model_cost"]

_ZERO = Decimal(0)


def model_cost(
    server: Server, part: pd.DataFrame, lines: Mapping[str, Sequence[Line]]
) -> ModelCost:
    """Add a model's days up.

    Parameters
    ----------
    server
        Whose model.
    part
        Its rows of `SelfHosted.days`, in one currency.
    lines
        Its lines by kind of question: ``input`` and ``output`` (tokens a second), ``waiting``,
        ``cache``.
    """
    amount, low, high = (exact(part[name]) for name in ("amount", "low", "high"))
    figures = {name: float(part[name].fillna(0.0).sum()) for name in COUNTS}
    prefill_seconds, decode_seconds = (
        float(part[name].fillna(0.0).sum()) for name in ("prefill_seconds", "decode_seconds")
    )
    told = prefill_seconds > 0 and decode_seconds > 0
    idle, idle_low, idle_high = _idle(part)
    cost = ModelCost(
        server.profile, server.model, server.job, str(part["currency"].iloc[0]),
        int((part["hours"] > 0).sum()), int(part["covered"].sum()),
        float(part["hours"].sum()), float(part["hours_low"].sum()), float(part["hours_high"].sum()),
        amount, low, high,
        figures["computed"], figures["cached"], figures["output"], figures["requests"],
        idle=idle, idle_low=idle_low, idle_high=idle_high,
        prefill=prefill_seconds / (prefill_seconds + decode_seconds) if told else None,
        preempted=float(part["preempted"].sum()) if part["preempted"].notna().any() else None,
        waiting=_mean(lines["waiting"]), cache_peak=_peak([lines["cache"]]),
        peak=_peak([lines["input"], lines["output"]]),
    )  # fmt: skip
    seconds = (prefill_seconds, decode_seconds) if told else None
    return _with_preemptions(cost, seconds)


def _idle(part: pd.DataFrame) -> tuple[float | None, float | None, float | None]:
    """Idle share of the paid time: of what was seen, and if the rest was all busy, or all idle."""
    hours, share = part["hours"].to_numpy(), part["idle"].to_numpy()
    seen = part["seen"].to_numpy() * hours
    there = np.isfinite(share) & (seen > 0)
    if not there.any():
        return None, None, None
    still = float((share[there] * seen[there]).sum())
    known, paid = float(seen[there].sum()), float(hours.sum())
    return still / known, still / paid, min((still + paid - known) / paid, 1.0)


def _with_preemptions(cost: ModelCost, seconds: tuple[float, float] | None) -> ModelCost:
    """Bound what requests cost that were broken off and computed anew.

    At the least the prefix cache still had all of it. At the most each was near its end: prefill
    then reads its input and all of its output, at the pace of prefill. Requests are taken to be of
    mean length; where no seconds are told, each is taken to have been computed twice.
    """
    if cost.preempted is None or not cost.requests:
        return cost
    if seconds is None or not cost.computed:
        share = cost.preempted / cost.requests
    else:
        length = (cost.computed + cost.cached + cost.output) / cost.requests
        pace = seconds[0] / cost.computed
        share = cost.preempted * length * pace / sum(seconds)
    most = cost.busy_amount * Decimal(repr(min(share, 1.0)))
    return replace(cost, recomputed=(_ZERO, most))


def _mean(lines: Sequence[Line]) -> float | None:
    values = np.concatenate([x.values for x in lines]) if lines else np.empty(0)
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else None


def _peak(kinds: Sequence[Sequence[Line]]) -> float | None:
    """The highest sum over kinds at one moment; lines of one grid."""
    lines = [line for each in kinds for line in each]
    if not lines or not all(kinds):
        return None
    grid = np.unique(np.concatenate([x.times_ms for x in lines]))
    total = np.zeros(len(grid))
    for line in lines:
        np.add.at(total, np.searchsorted(grid, line.times_ms), np.nan_to_num(line.values))
    peak = float(total.max())
    return peak if peak > 0 else None

"""Histograms added, subtracted and scaled; and how a counter's reset shows in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from workbench.engine.native.blocks import block_of, zero_widened
from workbench.native import Buckets, Histogram, ResetHint

__all__ = ["added", "common_hint", "divided", "hints_collide", "is_reset", "scaled", "subtracted"]


def common_hint(hints: Iterable[ResetHint]) -> ResetHint:
    """The hint of a sum: gauge where any is one, what all say where they agree, else unknown."""
    kinds = set(hints)
    if len(kinds) == 1:
        return kinds.pop()
    return ResetHint.GAUGE if ResetHint.GAUGE in kinds else ResetHint.UNKNOWN


def hints_collide(hints: Iterable[ResetHint]) -> bool:
    """Whether counters that were reset are added to counters that were not."""
    return {ResetHint.RESET, ResetHint.NOT_RESET} <= set(hints)


def added(left: Histogram, right: Histogram) -> tuple[Histogram, bool]:
    """The sum, and whether custom bounds had to be reconciled.

    Raises
    ------
    IncompatibleError
        One has exponential buckets, the other custom ones.
    """
    block = block_of([left, right])
    hint = common_hint([left.hint, right.hint])
    return block.histogram(block.table[0] + block.table[1], hint).compact(), block.reconciled


def subtracted(left: Histogram, right: Histogram) -> tuple[Histogram, bool]:
    """The difference, which is a gauge, and whether custom bounds had to be reconciled.

    Raises
    ------
    IncompatibleError
        As for `added`.
    """
    block = block_of([left, right])
    row = block.table[0] - block.table[1]
    return block.histogram(row, ResetHint.GAUGE).compact(), block.reconciled


def scaled(histogram: Histogram, factor: float) -> Histogram:
    """Every count and the sum multiplied; a negative factor makes a gauge."""
    return _mapped(histogram, np.multiply, factor)


def divided(histogram: Histogram, divisor: float) -> Histogram:
    """Every count and the sum divided; of a division by zero no buckets are left."""
    result = _mapped(histogram, np.divide, divisor)
    if divisor:
        return result
    none = Buckets(histogram.positive.index[:0], histogram.positive.counts[:0])
    return replace(result, positive=none, negative=none)


def _mapped(histogram: Histogram, operation: np.ufunc, by: float) -> Histogram:
    fixed = np.array([histogram.count, histogram.sum, histogram.zero_count])
    count, total, zero = operation(fixed, by).tolist()
    return replace(
        histogram,
        count=count,
        sum=total,
        zero_count=zero,
        positive=replace(histogram.positive, counts=operation(histogram.positive.counts, by)),
        negative=replace(histogram.negative, counts=operation(histogram.negative.counts, by)),
        hint=ResetHint.GAUGE if by < 0 else histogram.hint,
    )


def is_reset(now: Histogram, before: Histogram) -> bool:
    """Whether a counter was reset between two samples.

    The hint decides where it says something; else any count that fell does, and so does a finer
    resolution, a narrower zero bucket or one that cuts a filled bucket of the sample before.
    """
    if now.hint in (ResetHint.RESET, ResetHint.NOT_RESET):
        return now.hint is ResetHint.RESET
    if now.alike(before):
        return bool(
            now.count < before.count
            or now.zero_count < before.zero_count
            or (now.positive.counts < before.positive.counts).any()
            or (now.negative.counts < before.negative.counts).any()
        )
    if now.count < before.count or now.is_custom != before.is_custom:
        return True
    finer = now.schema > before.schema or now.zero_threshold < before.zero_threshold
    if now.is_custom:
        return _falls(now, before)
    return finer or _falls_exponential(now, before)


def _falls_exponential(now: Histogram, before: Histogram) -> bool:
    """The same for exponential buckets, at the resolution and the zero bucket of the newer one."""
    before = zero_widened(before, now.zero_threshold)
    return before.zero_threshold != now.zero_threshold or _falls(now, before)


def _falls(now: Histogram, before: Histogram) -> bool:
    """Whether the zero bucket or any other fell, where the layouts can be reconciled."""
    block = block_of([before, now])
    return bool((block.table[1, 2:] < block.table[0, 2:]).any())

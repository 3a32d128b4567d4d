"""Token classes that overlap in the source made disjoint, each to be priced by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.findings import Severity
from workbench.samples import Floats
from workbench.spend.profiles.profile import Includes, UsageProfile
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.sums import Sums
from workbench.spend.usage import FIGURES
from workbench.units import format_quantity

__all__ = ["disjoint"]

_PARTS: Final = {"cache_read": "input", "cache_write": "input", "reasoning": "output"}
"""Classes that are counted as parts of another."""


def disjoint(
    profile: UsageProfile, sums: Sums, includes: Includes, *, said: bool
) -> tuple[dict[str, Floats], list[Flaw]]:
    """Take cached tokens out of the input, and put reasoning into the output.

    Parameters
    ----------
    profile
        Whose figures they are.
    sums
        As they were counted.
    includes
        Whether input contains cached tokens; where nobody knows, it is taken to, as with most.
    said
        Whether it was the user who said so.

    Returns
    -------
    figures
        float64, shape (accounts, days), by the names of `workbench.spend.usage.FIGURES`.
    flaws
        What did not add up.
    """
    shape = (len(sums.accounts), sums.lost.shape[1])
    blank = np.full(shape, np.nan)
    figures = {name: sums.figures.get(name, blank) for name in FIGURES}
    flaws: list[Flaw] = []
    for part, whole in _PARTS.items():
        figures[part], shared = _share_out(sums.accounts.keys, figures[part], figures[whole])
        if shared:
            flaws.append(_labels_differ(profile, part, whole, shared))
    cached = np.nan_to_num(figures["cache_read"]) + np.nan_to_num(figures["cache_write"])
    if includes != "no" and cached.any():
        if includes == "unknown" and not said:
            flaws.append(_unknown(profile, float(cached.sum())))
        rest = figures["input"] - cached
        figures["input"] = np.maximum(rest, 0)
        over = np.where(np.isfinite(rest), np.maximum(-rest, 0), cached)
        # A cached counter that is read a moment after the input's may lead by a request.
        if over.sum() > max(1e-4 * cached.sum(), 0.5):
            flaws.append(_above(profile, float(over.sum()), float(cached.sum())))
    reasoning = np.nan_to_num(figures["reasoning"])
    if profile.output_includes_reasoning == "no":
        output = figures["output"]
        counted = np.isfinite(output) | np.isfinite(figures["reasoning"])
        figures["output"] = np.where(counted, np.nan_to_num(output) + reasoning, np.nan)
    elif (reasoning > np.nan_to_num(figures["output"]) + 0.5).any():
        over = np.maximum(reasoning - np.nan_to_num(figures["output"]), 0)
        flaws.append(_reasoning_above(profile, float(over.sum())))
    return figures, flaws


def _share_out(
    keys: Sequence[tuple[str, ...]], part: Floats, whole: Floats
) -> tuple[Floats, float]:
    """Give parts of accounts that have no whole to those that have one and agree with them.

    A counter of a part may have fewer labels than that of the whole. Its tokens belong to all
    accounts that differ from it only by labels that it lacks, in proportion to their wholes.
    """
    has = np.nansum(whole, axis=1) > 0
    lone = np.flatnonzero((np.nansum(part, axis=1) > 0) & ~has)
    if not len(lone) or not has.any():
        return part, 0.0
    names = np.array(keys, dtype=object)
    result = part.copy()
    shared = 0.0
    for account in lone.tolist():
        told = [d for d, value in enumerate(keys[account]) if value]
        same = np.flatnonzero(has & (names[:, told] == names[account, told]).all(axis=1))
        weight = np.nan_to_num(whole[same])
        total = weight.sum(axis=0)
        given = np.where(total > 0, np.nan_to_num(part[account]), 0.0)
        if given.any():
            more = weight / np.where(total > 0, total, 1) * given
            result[same] = np.nan_to_num(result[same]) + more
            result[account] = np.where(total > 0, np.nan, result[account])
            shared += float(given.sum())
    return result, shared


def _labels_differ(profile: UsageProfile, part: str, whole: str, shared: float) -> Flaw:
    return Flaw(
        "LLM-LABELS-DIFFER",
        Severity.INFO,
        f"{profile.name} {part}",
        f"{profile.title} tells {part.replace('_', ' ')} tokens by fewer labels than {whole} tokens:"
        f" {format_quantity(shared, 'tokens')} were shared out in proportion to the {whole}",
        "nothing, if all of them use the cache alike",
        {"tokens": shared},
    )


def _unknown(profile: UsageProfile, cached: float) -> Flaw:
    return Flaw(
        "LLM-CACHED-UNKNOWN",
        Severity.WARNING,
        profile.name,
        f"nobody says whether the input tokens of {profile.title} contain the"
        f" {format_quantity(cached, 'tokens')} of its provider's cache: they are taken to",
        f"say it: includes_cached={{{profile.name!r}: True}} or False; compare with an invoice",
        {"cached_tokens": cached},
    )


def _above(profile: UsageProfile, over: float, cached: float) -> Flaw:
    return Flaw(
        "LLM-CACHED-ABOVE-INPUT",
        Severity.WARNING,
        profile.name,
        f"{profile.title} counts {format_quantity(over, 'tokens')} more from the cache than as input"
        f" (of {format_quantity(cached, 'tokens')}): the input beside them was taken as 0 there",
        "its input may not contain cached tokens, or the two counters have different labels",
        {"over_tokens": over, "cached_tokens": cached},
    )


def _reasoning_above(profile: UsageProfile, over: float) -> Flaw:
    return Flaw(
        "LLM-REASONING-ABOVE-OUTPUT",
        Severity.WARNING,
        profile.name,
        f"{profile.title} counts {format_quantity(over, 'tokens')} more of reasoning than of output",
        "its output may not contain reasoning: say so in a profile of your own",
        {"over_tokens": over},
    )

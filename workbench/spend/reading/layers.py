"""The same traffic counted by client, gateway and server: kept once.

Profiles of different layers that tell of the same model are compared day by day. Where their volumes
agree they saw the same requests, and only one is kept: the gateway, else the client, else the
server. Where they do not, both are kept, since the one may see what goes past the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.findings import Severity
from workbench.samples import Floats
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.reading.flaws import Flaw
from workbench.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["model_key", "one_layer"]

_RANK: Final = {"gateway": 0, "client": 1, "server": 2}
_SAME: Final = 0.2
"""Volumes that differ by no more than this share of the larger, summed over days, are the same."""

_TOKENS: Final = ("input", "cache_read", "cache_write", "output")
_DATED: Final = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


def model_key(model: str) -> str:
    """A model's name without the provider before it and the date behind it.

    Examples
    --------
    >>> model_key("azure/gpt-4o-2024-08-06"), model_key("Qwen/Qwen2.5-7B")
    ('gpt-4o', 'qwen2.5-7b')
    """
    return _DATED.sub("", model.strip().lower().rsplit("/", 1)[-1])


def one_layer(
    table: pd.DataFrame, profiles: Sequence[UsageProfile]
) -> tuple[pd.DataFrame, pd.DataFrame, list[Flaw]]:
    """Take away what another layer counted too.

    Parameters
    ----------
    table
        The table of usage, of all profiles.
    profiles
        The profiles in it.

    Returns
    -------
    kept, dropped : DataFrame
        The rows that count, and those of the same traffic that do not.
    flaws
        Each pair of profiles and model that was found to be the same, or not.
    """
    told = set(table["profile"].cat.categories) if len(table) else set()
    order = sorted((p for p in profiles if p.name in told), key=lambda p: _RANK[p.layer])
    if len(order) < 2:
        return table, table.iloc[:0], []
    keys = table["model"].cat.rename_categories(lambda m: m).astype("str").map(model_key)
    volumes = _volumes(table, keys)
    dropped = np.zeros(len(table), np.bool_)
    flaws: list[Flaw] = []
    for model in sorted({m for _, m in volumes if m}):
        kept: list[UsageProfile] = []
        for profile in order:
            own = volumes.get((profile.name, model))
            if own is None or not own.sum():
                continue
            twin = None
            for other in kept:
                theirs = volumes[other.name, model]
                same = bool(np.abs(own - theirs).sum() <= _SAME * np.maximum(own, theirs).sum())
                if same and other.layer != profile.layer:
                    twin = other
                    flaws.append(_same(model, profile, other, own, theirs))
                    break
                if np.minimum(own, theirs).any():
                    flaws.append(_different(model, profile, other, own, theirs, same=same))
            if twin is None:
                kept.append(profile)
            else:
                dropped |= ((table["profile"] == profile.name) & (keys == model)).to_numpy()
    return (
        table[~dropped].reset_index(drop=True),
        table[dropped].reset_index(drop=True),
        flaws,
    )


def _volumes(table: pd.DataFrame, keys: pd.Series) -> Mapping[tuple[str, str], Floats]:
    """Tokens by day, of each profile and model: float64, shape (days,)."""
    import pandas as pd

    days, day = np.unique(table["day"].to_numpy(), return_inverse=True)
    amounts = np.nan_to_num(table[list(_TOKENS)].to_numpy(np.float64)).sum(axis=1)
    place, profiles = pd.factorize(table["profile"].astype("str"))
    number, models = pd.factorize(keys)
    cells = (place * len(models) + number) * len(days) + day
    sums = np.bincount(cells, amounts, len(profiles) * len(models) * len(days))
    cube = sums.astype(np.float64).reshape(len(profiles), len(models), len(days))
    return {
        (str(profile), str(model)): cube[i, j]
        for i, profile in enumerate(profiles)
        for j, model in enumerate(models)
    }


def _same(
    model: str, profile: UsageProfile, other: UsageProfile, own: Floats, theirs: Floats
) -> Flaw:
    what = (
        f"{profile.title} ({profile.layer}) and {other.title} ({other.layer}) count the same traffic"
        f" of {model}: {format_quantity(own.sum(), 'tokens')} and"
        f" {format_quantity(theirs.sum(), 'tokens')}; the {other.layer}'s are kept"
    )
    return Flaw(
        "LLM-SAME-TRAFFIC",
        Severity.INFO,
        f"{profile.name} {model}",
        what,
        "nothing, if it is so; else name the profiles to read",
        {"dropped_tokens": float(own.sum()), "kept_tokens": float(theirs.sum())},
    )


def _different(
    model: str,
    profile: UsageProfile,
    other: UsageProfile,
    own: Floats,
    theirs: Floats,
    *,
    same: bool,
) -> Flaw:
    both = float(np.minimum(own, theirs).sum())
    why = "by the same volumes, at one layer" if same else "with different volumes"
    what = (
        f"{profile.title} ({profile.layer}) and {other.title} ({other.layer}) both count {model},"
        f" {why}: both are kept, and up to {format_quantity(both, 'tokens')} may be counted twice"
    )
    return Flaw(
        "LLM-TWO-LAYERS",
        Severity.WARNING,
        f"{profile.name} {model}",
        what,
        "name the profiles to read, if the one's traffic goes through the other",
        {"tokens": float(own.sum()), "other_tokens": float(theirs.sum()), "both_at_most": both},
    )

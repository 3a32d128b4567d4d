"""Who tells of the usage of language models at a source, and what each does not tell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.session.audit_names import split_names
from workbench.spend.profiles.detection import Fit, detect
from workbench.spend.profiles.shipped import load_profile, shipped_profiles
from workbench.spend.usage import DIMENSIONS
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.views.listing import Listing

__all__ = ["profile_listings"]

_NONE: Final = "–"


def profile_listings(
    workbench: Asking,
    *,
    last: Duration = "7d",
    profiles: str | Path | Iterable[str | Path] = "",
) -> tuple[Listing, Listing]:
    """Look which profiles fit, and which of their labels the source has.

    Parameters
    ----------
    workbench
        The source.
    last
        Where to look for metrics.
    profiles
        Files that describe gateways of yours.

    Returns
    -------
    tuple of Listing
        What each profile counts and lacks; which label tells which dimension.
    """
    from workbench.views.listing import Listing

    end_ms = workbench.source.now_ms()
    span = end_ms - parse_duration(last), end_ms
    names = workbench.source.label_values("__name__", (), *span)
    own = [load_profile(path) for path in split_names(profiles)]
    fits = detect(names, [*own, *shipped_profiles()])
    there = {fit.profile.name: _labels(workbench, fit, span) for fit in fits}
    known = ", ".join(profile.name for profile in shipped_profiles())
    empty = f"No profile fits the metrics of this source. Known are: {known}."
    counts = Listing(
        ("profile", "title", "counted at", "counts", "lacks", "input contains cached"),
        [_counts(fit) for fit in fits],
        empty=empty,
        note="What several count is told once: the gateway's is kept." if len(fits) > 1 else "",
    )
    labels = Listing(
        ("profile", *DIMENSIONS),
        [[f.profile.name, *(_told(f, d, there[f.profile.name]) for d in DIMENSIONS)] for f in fits],
        empty="",
        note="In brackets: labels that the profile knows and no series has." if fits else "",
    )
    return counts, labels


def _labels(workbench: Asking, fit: Fit, span: tuple[int, int]) -> frozenset[str]:
    """Labels that the profile's series have."""
    matchers = [f'{{__name__="{name}"}}' for name in sorted(fit.metrics)]
    return frozenset(workbench.source.label_names(matchers, *span))


def _counts(fit: Fit) -> list[object]:
    profile = fit.profile
    return [
        profile.name, profile.title, profile.layer, ", ".join(fit.found) or _NONE,
        ", ".join(fit.missing) or _NONE, profile.input_includes_cached,
    ]  # fmt: skip


def _told(fit: Fit, dimension: str, there: frozenset[str]) -> str:
    names = getattr(fit.profile.labels, dimension)
    found = [name for name in names if name in there]
    constant = fit.profile.constants.get(dimension)
    if found:
        return ", ".join(found)
    if constant:
        return f"always {constant}"
    return f"({', '.join(names)})" if names else _NONE

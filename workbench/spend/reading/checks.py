"""What is wrong or uncertain in counts: restarts, gaps, workers, first values, odd numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workbench.findings import Severity
from workbench.samples import Floats
from workbench.spend.counting.counted import Counted
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import Fit
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.sums import Sums
from workbench.units import counted as counting_words
from workbench.units import format_quantity

__all__ = ["check_counts", "check_figures", "check_fit"]

_TOKENS: Final = ("input", "cache_read", "cache_write", "output", "reasoning")
_FEW_TOKENS: Final = 3.0
"""Input tokens a request at or below which a counter is likely to count requests."""

_LEAST_REQUESTS: Final = 100


def check_fit(fit: Fit) -> list[Flaw]:
    """What a profile's source does not count, as far as it matters."""
    profile = fit.profile
    flaws = []
    lacks = [m for m in ("input", "output", "requests") if m in fit.missing]
    if lacks:
        what = f"{profile.title} tells no {' and no '.join(lacks)}"
        severity = Severity.INFO if lacks == ["requests"] else Severity.WARNING
        mend = "switch these metrics on, or read another source beside it"
        flaws.append(Flaw("LLM-NOT-COUNTED", severity, profile.name, what, mend))
    if profile.read_from == "documentation":
        what = f"the profile of {profile.title} was written from its documentation, not its code"
        mend = "compare a day with an invoice before relying on it"
        flaws.append(Flaw("LLM-UNPROVEN-PROFILE", Severity.INFO, profile.name, what, mend))
    return flaws


def check_counts(
    profile: UsageProfile,
    counted: Mapping[str, Sequence[tuple[int, Counted]]],
    covered: Floats,
    days: CalendarDays,
) -> list[Flaw]:
    """What happened to the counters of one profile."""
    tokens = [c for m, each in counted.items() if m in _TOKENS for _, c in each]
    everything = [c for each in counted.values() for _, c in each]
    checks = (
        _workers(profile, everything),
        _restarts(profile, tokens),
        _gaps(profile, tokens),
        _first_values(profile, tokens),
        _odd_numbers(profile, tokens),
        _empty_days(profile, covered, days),
    )
    return [flaw for flaw in checks if flaw is not None]


def _workers(profile: UsageProfile, counted: Sequence[Counted]) -> Flaw | None:
    several = sum(int(c.several.sum()) for c in counted)
    if not several:
        return None
    low = sum(float(np.nansum(c.low[c.several])) for c in counted)
    high = sum(float(np.nansum(c.high[c.several])) for c in counted)
    return Flaw(
        "LLM-SEVERAL-WORKERS",
        Severity.ERROR,
        profile.name,
        f"{counting_words(several, 'counter')} of {profile.title} saw up and down: each scrape shows"
        " the counters of another worker, so their figures lie between"
        f" {format_quantity(low)} and {format_quantity(high)}",
        "set PROMETHEUS_MULTIPROC_DIR to an empty folder that all workers share, and restart them",
        {"series": float(several), "low": low, "high": high},
    )


def _restarts(profile: UsageProfile, counted: Sequence[Counted]) -> Flaw | None:
    resets = sum(int(c.resets.sum()) for c in counted)
    lost = sum(float(c.lost.sum()) for c in counted)
    most = sum(float(c.most_lost[~c.several].sum()) for c in counted)
    total = sum(float(np.nansum(c.increase)) for c in counted)
    if not resets and not lost:
        return None
    what = f"began anew {counting_words(resets, 'time')}" if resets else "ended"
    return Flaw(
        "LLM-RESTARTS",
        Severity.WARNING if lost > 0.01 * total else Severity.INFO,
        profile.name,
        f"counters of {profile.title} {what}; about"
        f" {format_quantity(lost, 'tokens')} were counted where no scrape saw them, at the most"
        f" {format_quantity(most, 'tokens')}; they are in no figure",
        "scrape more often, or read the gateway's usage log, which loses nothing",
        {"resets": float(resets), "lost_tokens": lost, "most_lost_tokens": most},
    )


def _gaps(profile: UsageProfile, counted: Sequence[Counted]) -> Flaw | None:
    bridged = sum(float(c.bridged.sum()) for c in counted)
    moved = sum(float(c.moved.sum()) / 2 for c in counted)
    total = sum(float(np.nansum(c.increase)) for c in counted)
    if not bridged:
        return None
    over = f"; {format_quantity(moved, 'tokens')} of it over midnight" if moved else ""
    return Flaw(
        "LLM-GAPS",
        Severity.WARNING if moved > 0.01 * total else Severity.INFO,
        profile.name,
        f"{format_quantity(bridged, 'tokens')} of {profile.title} were counted between samples more"
        f" than a step apart: their sum is known, and shared out by time{over}",
        "look for failed scrapes: up == 0",
        {"tokens": bridged, "over_midnight_tokens": moved},
    )


def _first_values(profile: UsageProfile, counted: Sequence[Counted]) -> Flaw | None:
    born = sum(float(c.born.sum()) for c in counted)
    unknown = sum(float(c.unknown.sum()) for c in counted)
    total = sum(float(np.nansum(c.increase)) for c in counted)
    if not born and not unknown:
        return None
    return Flaw(
        "LLM-FIRST-VALUES",
        Severity.WARNING if unknown > 0.01 * total else Severity.INFO,
        profile.name,
        f"counters of {profile.title} appeared with {format_quantity(born, 'tokens')} that are"
        " counted, since their page had been read without them or their process had just started,"
        f" and with {format_quantity(unknown, 'tokens')} that are not, since these may be older",
        "let process_start_time_seconds and up of these targets be read too",
        {"counted_tokens": born, "not_counted_tokens": unknown},
    )


def _odd_numbers(profile: UsageProfile, counted: Sequence[Counted]) -> Flaw | None:
    broken = sum(int(c.fractional.sum()) for c in counted)
    left_out = sum(int(c.left_out.sum()) for c in counted)
    if not broken and not left_out:
        return None
    what = " and ".join(
        text
        for number, text in (
            (broken, f"{counting_words(broken, 'token counter')} with fractions"),
            (
                left_out,
                f"{counting_words(left_out, 'sample')} below 0 or beyond 2⁵³, which were left out",
            ),
        )
        if number
    )
    return Flaw(
        "LLM-ODD-COUNTS",
        Severity.WARNING,
        profile.name,
        f"{profile.title} has {what}: tokens are counted in whole numbers and only upwards",
        "check that these metrics count tokens, and that no recording rule made them",
        {"fractional_series": float(broken), "samples_left_out": float(left_out)},
    )


def _empty_days(profile: UsageProfile, covered: Floats, days: CalendarDays) -> Flaw | None:
    empty = np.flatnonzero(covered == 0)
    if not len(empty):
        return None
    shown = ", ".join(np.datetime_as_string(days.dates[empty[:3]], "D").tolist())
    # Before the first sample nothing was lost that anybody had: a new installation is no fault.
    young = bool(covered.any()) and bool((empty < np.flatnonzero(covered)[0]).all())
    return Flaw(
        "LLM-NO-DATA",
        Severity.INFO if young else Severity.WARNING,
        profile.name,
        f"{profile.title} has no sample on {counting_words(len(empty), 'day')} of {len(days)}"
        f" ({shown}{', …' if len(empty) > 3 else ''}): what was used then is not known",
        "check the source's retention and whether the gateway was scraped",
        {"days": float(len(empty))},
    )


def check_figures(profile: UsageProfile, sums: Sums, figures: Mapping[str, Floats]) -> list[Flaw]:
    """What is odd in figures by account: tokens like requests, metrics left out as twins."""
    flaws = []
    if left := sum(n for m, n in sums.twins.items() if m in _TOKENS):
        flaws.append(
            Flaw(
                "LLM-TWIN-COUNTERS",
                Severity.INFO,
                profile.name,
                f"{profile.title} tells {format_quantity(left, 'tokens')} by two metrics on one"
                f" page ({', '.join(sorted(sums.twins))}): each was read once",
                "nothing: adding them would count twice",
                {"tokens": left},
            )
        )
    rows = np.arange(len(sums.accounts))
    models = np.array(sums.accounts.columns(rows)["model"], dtype=object)
    asked = np.nansum(figures["requests"], axis=1)
    given = sum(np.nansum(figures[m], axis=1) for m in ("input", "cache_read", "cache_write"))
    if "input" in sums.figures and "requests" in sums.figures:
        for model in sorted(set(models.tolist())):
            mine = models == model
            requests, tokens = float(asked[mine].sum()), float(np.sum(given[mine]))
            if requests >= _LEAST_REQUESTS and 0 < tokens <= _FEW_TOKENS * requests:
                flaws.append(_like_requests(profile, model, tokens, requests))
    return flaws


def _like_requests(profile: UsageProfile, model: str, tokens: float, requests: float) -> Flaw:
    return Flaw(
        "LLM-TOKENS-LIKE-REQUESTS",
        Severity.ERROR,
        f"{profile.name} {model}",
        f"{profile.title} counts {tokens / requests:.2g} input tokens a request of"
        f" {model or 'no model'}: its token counter is likely to count requests",
        "check the metric; give the right one in a profile of your own",
        {"tokens": tokens, "requests": requests},
    )

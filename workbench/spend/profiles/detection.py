"""Which profiles fit the metrics that are there, and what each of them lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from workbench.promql.matcher import Matcher
from workbench.promql.quote import quote_regex
from workbench.spend.profiles.profile import (
    COUNTED,
    CounterMetric,
    Gauges,
    HistogramMetric,
    Histograms,
    UsageProfile,
)
from workbench.spend.profiles.shipped import shipped_profiles

__all__ = ["Fit", "detect", "detect_by_job"]

_EXPECTED = ("input", "output", "requests", "errors")
"""Measures whose absence is told even where the profile has no metric for them."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile, and what of it is there.

    Parameters
    ----------
    profile
        The profile.
    found
        By measure: the metrics that are there with their place among the profile's alternatives,
        the preferred one first.
    histograms
        By name: the first one that is there.
    missing
        Measures that are not counted: the profile's metrics for them are absent, or it has none.
    where
        Conditions that keep to the series meant, where several products share names.
    taken
        Metrics that fit too but were left to a profile that fits better, with its name.
    gauges
        By name: the first one that is there.
    """

    profile: UsageProfile
    found: Mapping[str, tuple[tuple[int, CounterMetric], ...]]
    histograms: Mapping[str, HistogramMetric]
    missing: tuple[str, ...]
    where: tuple[Matcher, ...] = ()
    taken: Mapping[str, str] | None = None
    gauges: Mapping[str, CounterMetric] = field(default_factory=dict)

    @property
    def metrics(self) -> frozenset[str]:
        """The names of all counters that will be read."""
        return frozenset(m.metric for each in self.found.values() for _, m in each)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that its series are told apart by, sorted."""
        dimensions = self.profile.labels
        names = {n for d in type(dimensions).model_fields for n in getattr(dimensions, d)}
        return tuple(sorted({*names, *self.profile.error_labels}))


def detect(
    names: Collection[str], profiles: Iterable[UsageProfile] | None = None
) -> tuple[Fit, ...]:
    """Find the profiles that fit.

    Parameters
    ----------
    names
        Names of the metrics that are there: of series (``…_total``, ``…_sum``) or of families.
    profiles
        Which may fit, a user's own first: it wins over a shipped one for the metrics it names.
        All that ship where none are given.

    Returns
    -------
    tuple of Fit
        Where two profiles name the same metric, it belongs to the one that asks for more
        (`requires`) and then to the earlier; the other keeps what is its own, and fits no more if
        it has no tokens or cost left.

    Examples
    --------
    >>> fits = detect(["litellm_spend_metric_total", "litellm_input_tokens_metric_total"])
    >>> fits[0].profile.name, "output" in fits[0].missing
    ('litellm', True)
    """
    present = frozenset(names)
    known = list(profiles) if profiles is not None else list(shipped_profiles())
    order = sorted(range(len(known)), key=lambda i: (-len(known[i].requires), i))
    owners: dict[str, str] = {}
    result: list[tuple[int, Fit]] = []
    for i in order:
        profile = known[i]
        if not all(_any_of(r, present) for r in profile.requires):
            continue
        fit = _fit(profile, present, owners)
        if fit is not None:
            owners.update(dict.fromkeys(fit.metrics, profile.name))
            result.append((i, fit))
    return tuple(fit for _, fit in sorted(result, key=lambda pair: pair[0]))


def detect_by_job(
    names: Mapping[str, Collection[str]], profiles: Iterable[UsageProfile] | None = None
) -> tuple[Fit, ...]:
    """Find the profiles that fit each job: where a client and a gateway share names.

    Parameters
    ----------
    names
        Names of metrics by the value of the label ``job``.
    profiles
        As of `detect`.

    Returns
    -------
    tuple of Fit
        One for each profile, kept to its jobs where another profile reads the same metrics in
        other jobs.
    """
    known = tuple(profiles) if profiles is not None else shipped_profiles()
    jobs: dict[str, list[str]] = {}
    for job, present in sorted(names.items()):
        for fit in detect(present, known):
            jobs.setdefault(fit.profile.name, []).append(job)
    result = []
    for profile in known:
        own = jobs.get(profile.name, [])
        present = frozenset(n for job in own for n in names[job])
        for fit in detect(present, [profile]) if own else ():
            shared = any(
                fit.metrics & frozenset(names[job])
                for other, theirs in jobs.items()
                if other != profile.name
                for job in set(theirs) - set(own)
            )
            result.append(replace(fit, where=(_in_jobs(own),)) if shared else fit)
    return tuple(result)


def _in_jobs(jobs: list[str]) -> Matcher:
    if len(jobs) == 1:
        return Matcher("job", "=", jobs[0])
    return Matcher("job", "=~", "|".join(map(quote_regex, jobs)))


def _any_of(alternatives: str, present: frozenset[str]) -> bool:
    return any(name.strip() in present for name in alternatives.split("|"))


def _is_there(name: str, present: frozenset[str]) -> bool:
    """Whether a series' name, or the family it belongs to, is among the names."""
    if name in present:
        return True
    family, _, suffix = name.rpartition("_")
    return suffix in ("sum", "count") and f"{family}_bucket" in present


def _fit(profile: UsageProfile, present: frozenset[str], owners: Mapping[str, str]) -> Fit | None:
    found: dict[str, tuple[tuple[int, CounterMetric], ...]] = {}
    taken: dict[str, str] = {}
    for measure in COUNTED:
        rows = [
            (i, m)
            for i, m in enumerate(profile.alternatives(measure))
            if _is_there(m.metric, present)
        ]
        taken.update({m.metric: owners[m.metric] for _, m in rows if m.metric in owners})
        if free := tuple((i, m) for i, m in rows if m.metric not in owners):
            found[measure] = free
    if not found.keys() & {"input", "output", "cost"}:
        return None
    histograms = {}
    for name in Histograms.model_fields:
        alternatives: tuple[HistogramMetric, ...] = getattr(profile.histograms, name)
        there = [h for h in alternatives if f"{h.metric}_bucket" in present or h.metric in present]
        if there:
            histograms[name] = there[0]
    gauges = {}
    for name in Gauges.model_fields:
        measured: tuple[CounterMetric, ...] = getattr(profile.gauges, name)
        if here := [g for g in measured if g.metric in present]:
            gauges[name] = here[0]
    missing = tuple(
        m for m in COUNTED if m not in found and (m in _EXPECTED or profile.alternatives(m))
    )
    return Fit(profile, found, histograms, missing, taken=taken, gauges=gauges)

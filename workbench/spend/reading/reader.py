"""From answers to the one table of usage, with what is wrong or uncertain in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError, did_you_mean
from workbench.frame import Bools, Frame
from workbench.samples import Floats
from workbench.spend.counting.counted import Counted
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.increase import Counting
from workbench.spend.counting.targets import Targets
from workbench.spend.planning import UsagePlan
from workbench.spend.profiles.profile import Includes, UsageProfile
from workbench.spend.reading.accounts import first_label
from workbench.spend.reading.checks import check_counts, check_figures, check_fit
from workbench.spend.reading.classes import disjoint
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.layers import one_layer
from workbench.spend.reading.sums import INPUTS, Sums, sum_up
from workbench.spend.usage import COLUMNS, FIGURES, REQUEST_INPUT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BOUNDS", "EXTRAS", "Reading", "UsageReader", "together"]

BOUNDS: Final = ("low", "high", "moved")
"""Columns of `Reading.bounds`."""

EXTRAS: Final = (
    "response_cache_hits",
    "response_cache_misses",
    "cut_by_length",
    "retried",
    "preempted",
    "prefill_seconds",
    "decode_seconds",
    "idle_seconds",
)
"""What is counted beside the figures of the table."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Usage as it was read.

    Parameters
    ----------
    table
        The canonical table (`workbench.spend.usage`), one row per account and day on which there
        was any usage. A day without a row had none, or nobody looked: see `coverage`. Besides,
        `REQUEST_INPUT`, of which only the most is known: no step of a counter rose by more.
    bounds
        One row for each of the table: `low` and `high`, the least and the most tokens there were
        (reasoning is a part of the output), to be summed like figures; `moved`, how many of them
        may belong to a neighbouring day, which cancels out over days.
    duplicates
        Rows of the same traffic that another layer's profile counted, of the table's form.
    extras
        Day, dimensions, profile and the measures `EXTRAS`; rows that have any.
    kinds
        Errors by kind: day, provider, model, team, application, profile, kind, errors.
    histograms
        Day, profile, histogram, provider, model, le (tokens or seconds), count (cumulative).
    coverage
        Share of each day's grid on which a profile had samples: day, profile, coverage.
    flaws
        What to know of the figures, the worst first.
    currencies
        Of `cost`, by profile.
    self_hosted
        Profiles of servers: their tokens are made by one's own machines.
    """

    table: pd.DataFrame
    bounds: pd.DataFrame
    duplicates: pd.DataFrame
    extras: pd.DataFrame
    kinds: pd.DataFrame
    histograms: pd.DataFrame
    coverage: pd.DataFrame
    flaws: tuple[Flaw, ...]
    currencies: Mapping[str, str]
    self_hosted: frozenset[str]


class UsageReader:
    """Takes the answers to a plan, piece by piece, and reads them.

    Parameters
    ----------
    plan
        What was asked.
    includes_cached
        By profile: whether input contains cached tokens, where the profile does not know.

    Raises
    ------
    InputError
        `includes_cached` names a profile that is not read.
    """

    def __init__(
        self, plan: UsagePlan, *, includes_cached: Mapping[str, bool] | None = None
    ) -> None:
        self._plan = plan
        self._said = dict(includes_cached or {})
        names = [fit.profile.name for fit in plan.fits]
        if unknown := sorted(set(self._said) - set(names)):
            msg = f"{unknown[0]!r} is none of the LLM profiles that are read"
            raise InputError(
                msg, did_you_mean(unknown[0], names) or f"they are: {', '.join(names)}"
            )
        self._targets = Targets()
        self._counting: dict[tuple[str, str, int], Counting] = {}
        self._covered = {name: np.zeros(len(plan.days)) for name in names}
        self._histograms: list[tuple[str, str, Frame]] = []

    def take(self, frames: Mapping[str, Frame]) -> None:
        """Take the answers of one piece, by their questions' keys; pieces in the plan's order."""
        asked = {key: self._plan.asked[key] for key in frames if key in self._plan.asked}
        for key, what in asked.items():
            if what.measure == "up":
                self._targets.add_up(frames[key])
            elif what.measure == "start":
                self._targets.add_starts(frames[key])
        there: dict[str, tuple[Frame, Bools]] = {}
        for key, what in asked.items():
            frame = frames[key]
            if not what.profile or what.piece < 0 or not len(frame):
                continue
            place = (what.profile, what.measure, what.alternative)
            if place not in self._counting:
                plan = self._plan
                sized = what.measure in INPUTS
                self._counting[place] = Counting(plan.days, plan.step_ms, self._targets, sized)
            self._counting[place].add(frame)
            some = _any_series(frame)
            before = there.get(what.profile)
            there[what.profile] = (frame, some | before[1] if before else some)
        for profile, (frame, some) in there.items():
            self._cover(profile, frame, some)

    def take_histograms(self, frames: Mapping[str, Frame]) -> None:
        """Take the answers about distributions, by their questions' keys."""
        for key, frame in frames.items():
            what = self._plan.asked.get(key)
            if what is not None and what.piece < 0:
                self._histograms.append((what.profile, what.measure, frame))

    def finish(self) -> Reading:
        """Read all that was taken."""
        import pandas as pd

        days = self._plan.days
        flaws: list[Flaw] = []
        tables, bounds, extras, kinds = [], [], [], []
        for fit in self._plan.fits:
            profile = fit.profile
            counted = self._counted(profile)
            includes = self._includes(profile)
            flaws += check_fit(fit)
            flaws += check_counts(profile, counted, self._covered[profile.name], days)
            sums = sum_up(profile, counted, len(days), 2 * self._plan.step_ms, includes)
            kinds.append(_kinds(profile, counted.get("errors", []), days))
            figures, notes = disjoint(profile, sums, includes, said=profile.name in self._said)
            flaws += [*notes, *check_figures(profile, sums, figures)]
            table, bound, extra = _tables(profile, sums, figures, days)
            tables.append(table)
            bounds.append(bound)
            extras.append(extra)
        table = together(tables)
        table[list(BOUNDS)] = pd.concat(bounds, ignore_index=True)
        kept, dropped, notes = one_layer(table, [fit.profile for fit in self._plan.fits])
        flaws += notes
        return Reading(
            table=kept[[*COLUMNS, *REQUEST_INPUT]],
            bounds=kept[list(BOUNDS)],
            duplicates=dropped[list(COLUMNS)],
            extras=together(extras),
            kinds=together(kinds),
            histograms=_histogram_table(self._histograms, self._plan),
            coverage=self._coverage(),
            flaws=tuple(sorted(flaws, key=lambda f: (-f.severity.rank, f.code, f.about))),
            currencies={
                f.profile.name: f.profile.currency for f in self._plan.fits if "cost" in f.found
            },
            self_hosted=frozenset(
                f.profile.name for f in self._plan.fits if f.profile.layer == "server"
            ),
        )

    def _includes(self, profile: UsageProfile) -> Includes:
        if profile.name in self._said:
            return "yes" if self._said[profile.name] else "no"
        return profile.input_includes_cached

    def _counted(self, profile: UsageProfile) -> dict[str, list[tuple[int, Counted]]]:
        result: dict[str, list[tuple[int, Counted]]] = {}
        for (name, measure, place), counting in sorted(self._counting.items()):
            if name == profile.name:
                result.setdefault(measure, []).append((place, counting.finish()))
        return result

    def _cover(self, profile: str, frame: Frame, some: Bools) -> None:
        times = frame.times_ms[some]
        if len(times):
            self._targets.reached(int(times[-1]))
        day = self._plan.days.of(times)
        inside = day[(day >= 0) & (day < len(self._plan.days))]
        self._covered[profile] += np.bincount(inside, minlength=len(self._plan.days))

    def _coverage(self) -> pd.DataFrame:
        import pandas as pd

        days = self._plan.days
        points = np.maximum(np.diff(days.bounds_ms) / self._plan.step_ms, 1)
        parts = [
            pd.DataFrame(
                {"day": days.dates, "profile": name, "coverage": np.minimum(n / points, 1.0)}
            )
            for name, n in self._covered.items()
        ]
        return pd.concat(parts, ignore_index=True)


def _any_series(frame: Frame) -> Bools:
    """At which points any series has a sample: a few are asked first, which mostly will do."""
    some: Bools = np.any(frame.present[:64], axis=0)
    whole: Bools = some if some.all() else np.any(frame.present, axis=0)
    return whole


def _tables(
    profile: UsageProfile, sums: Sums, figures: Mapping[str, Floats], days: CalendarDays
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The table's rows, their bounds, and the extras of one profile."""
    import pandas as pd

    shape = (len(sums.accounts), len(days))
    used = sums.lost > 0
    for name in FIGURES:
        used = used | (np.nan_to_num(figures[name]) != 0)
    row, day = np.nonzero(used)
    head = _head(profile, sums, row, day, days)
    columns = {name: figures[name][row, day] for name in FIGURES}
    sizes = dict(zip(REQUEST_INPUT, (np.nan, sums.longest[row, day]), strict=True))
    table = pd.DataFrame({**head, **columns, "lost": sums.lost[row, day], **sizes})
    bounds = pd.DataFrame({name: getattr(sums, name)[row, day] for name in BOUNDS})
    more = {name: sums.figures.get(name, np.full(shape, np.nan)) for name in EXTRAS}
    any_more = np.any([np.nan_to_num(v) != 0 for v in more.values()], axis=0)
    row, day = np.nonzero(any_more)
    head = _head(profile, sums, row, day, days)
    extras = pd.DataFrame({**head, **{name: v[row, day] for name, v in more.items()}})
    return table[[*COLUMNS, *REQUEST_INPUT]], bounds, extras


def _head(
    profile: UsageProfile, sums: Sums, row: Any, day: Any, days: CalendarDays
) -> dict[str, Any]:
    import pandas as pd

    name = pd.Categorical.from_codes(
        np.zeros(len(row), np.int8), categories=pd.Index([profile.name], dtype="str")
    )
    return {"day": days.dates[day], **sums.accounts.columns(row), "profile": name}


def together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several profiles as one, text columns staying categorical."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    # The categories of an empty table have no type of their own.
    parts = [p for p in parts if len(p)] or parts[:1]
    if len(parts) == 1:
        return parts[0].copy()
    columns: dict[str, Any] = {}
    for name in parts[0].columns:
        each = [p[name] for p in parts]
        if isinstance(each[0].dtype, pd.CategoricalDtype):
            columns[name] = union_categoricals([e.cat.as_unordered() for e in each])
        else:
            columns[name] = pd.concat(each, ignore_index=True)
    return pd.DataFrame(columns)


_KIND_COLUMNS: Final = ("provider", "model", "team", "application")


def _kinds(
    profile: UsageProfile, counted: list[tuple[int, Counted]], days: CalendarDays
) -> pd.DataFrame:
    """Errors by kind and day."""
    import pandas as pd

    rows: dict[tuple[str, ...], Floats] = {}
    for place, each in counted[:1]:
        scale = profile.alternatives("errors")[place].scale
        for labels, values in zip(each.labels, each.increase, strict=True):
            told = [
                first_label(labels, getattr(profile.labels, d), profile.nobody)
                or profile.constants.get(d, "")
                for d in _KIND_COLUMNS
            ]
            kind = " ".join(labels[n] for n in profile.error_labels if labels.get(n))
            key = (*told, profile.name, kind)
            rows[key] = rows.get(key, np.zeros(len(days))) + np.nan_to_num(values) * scale
    keys = [(key, day, v[day]) for key, v in rows.items() for day in np.flatnonzero(v)]
    names = (*_KIND_COLUMNS, "profile", "kind")
    columns: dict[str, Any] = {"day": days.dates[np.array([d for _, d, _ in keys], np.int64)]}
    for place, name in enumerate(names):
        columns[name] = pd.Categorical(np.array([k[place] for k, _, _ in keys], dtype=object))
    return pd.DataFrame({**columns, "errors": np.array([n for _, _, n in keys], np.float64)})


def _histogram_table(found: list[tuple[str, str, Frame]], plan: UsagePlan) -> pd.DataFrame:
    """Buckets by day, profile, provider and model; the moment of an answer ends its day."""
    import pandas as pd

    fits = {fit.profile.name: fit for fit in plan.fits}
    dates = plan.days.dates
    rows: list[tuple[Any, ...]] = []
    for name, histogram, frame in found:
        days = plan.days.of(frame.times_ms).tolist()
        profile = fits[name].profile
        factor = fits[name].histograms[histogram].factor
        for labels, values in zip(frame.labels, frame.values, strict=True):
            provider = first_label(labels, profile.labels.provider, profile.nobody)
            provider = provider or profile.constants.get("provider", "")
            model = first_label(labels, profile.labels.model, profile.nobody)
            try:
                bound = float(labels.get("le", "")) * factor
            except ValueError:
                continue
            rows += [
                (dates[day], name, histogram, provider, model, bound, value)
                for day, value in zip(days, values.tolist(), strict=True)
                if 0 <= day < len(dates) and np.isfinite(value)
            ]
    names = ["day", "profile", "histogram", "provider", "model", "le", "count"]
    table = pd.DataFrame(rows, columns=names)
    table["day"] = table["day"].astype("datetime64[ms]")
    table[["le", "count"]] = table[["le", "count"]].astype(np.float64)
    by = names[:-1]
    return table.groupby(by, sort=True, observed=True)["count"].sum().reset_index()

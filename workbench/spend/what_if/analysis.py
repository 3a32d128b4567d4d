"""What if the work had been done by another model: its cost between bounds, beside what it did cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError, did_you_mean
from workbench.spend.prices import Priced, Prices, Reason, RequestSizes
from workbench.spend.prices.identity import provider_id
from workbench.spend.reading.layers import model_key
from workbench.spend.reading.request_sizes import request_sizes
from workbench.spend.usage import DIMENSIONS, TokenClass
from workbench.spend.what_if.latency import latency_of
from workbench.spend.what_if.lengths import may_reason, output_factor
from workbench.spend.what_if.moving import Factors, Label, cost_range
from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.result import Move, SwitchResult, Target
from workbench.spend.what_if.switch import Switch
from workbench.spend.what_if.tokenizers import tokenizer_factor
from workbench.spend.what_if.totals import Part, add_up
from workbench.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["what_if"]

_TOKENS: Final = [
    c.value
    for c in (TokenClass.INPUT, TokenClass.CACHE_READ, TokenClass.CACHE_WRITE, TokenClass.OUTPUT)
]

_WARM: Final = Range(0.0, 1.0, 1.0, "the same provider: as now, at worst cold")
_ELSEWHERE: Final = Range(0.0, 0.5, 1.0, "another provider's cache: from cold to as now")


def what_if(
    priced: Priced,
    reading: Reading,
    prices: Prices,
    switch: Switch,
    *,
    first: date,
    last: date,
    by: Sequence[str] = ("team", "application"),
) -> SwitchResult:
    """Tell what the usage of a period would have cost with other models.

    What the counters missed is in neither figure: it moves both alike.

    Parameters
    ----------
    priced
        Usage with its prices, of the period or of more.
    reading
        Where it was read from: lengths of requests, durations, and which models are in use.
    prices
        Those that `priced` was priced with.
    switch
        What is supposed.
    first, last
        The period, both days included.
    by
        Dimensions by which accounts are told apart.

    Raises
    ------
    InputError
        The period ends before it begins, a dimension is unknown, or the switch takes no usage.

    Examples
    --------
    ``what_if(priced, reading, Prices(), parse_switch("gpt-4o", "gpt-4o-mini"), first=a, last=b)``
    """
    if last < first:
        msg = f"the period ends on {last}, before it begins on {first}"
        raise InputError(msg, "give a period of one day or more")
    for name in by:
        if name not in DIMENSIONS:
            msg = f"{name!r} is no dimension of spend"
            raise InputError(msg, did_you_mean(name, DIMENSIONS) or f"use {', '.join(DIMENSIONS)}")
    days = priced.usage["day"].to_numpy("datetime64[D]")
    inside = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
    chosen = np.flatnonzero(inside & switch.takes(priced.usage))
    if not len(chosen):
        models = priced.usage.loc[inside, "model"].astype(str).unique()
        msg = f"no usage from {first} to {last} is of {switch.describe().partition(' to ')[0]}"
        near = did_you_mean(switch.from_[0], [m for m in models if m not in switch.from_])
        there = ", ".join(repr(m[:80]) for m in sorted(models)[:10]) or "none"
        raise InputError(msg, near or f"models in use: {there}")
    used = reading.table[["provider", "model"]].drop_duplicates().astype(str)
    pairs = frozenset((str(p), str(m)) for p, m in used.itertuples(index=False))
    sizes = request_sizes(reading)
    case = _Case(priced, reading, prices, switch, first, last, tuple(by), chosen, pairs, sizes)
    targets = tuple(case.target(name) for name in switch.to)
    return SwitchResult(switch, first, last, tuple(by), targets, prices.version)


@dataclass(frozen=True, eq=False)
class _Case:
    """One question: usage, prices, and what moves."""

    priced: Priced
    reading: Reading
    prices: Prices
    switch: Switch
    first: date
    last: date
    by: tuple[str, ...]
    chosen: npt.NDArray[np.intp]
    pairs: frozenset[tuple[str, str]]
    sizes: Mapping[tuple[str, str], RequestSizes]

    def target(self, name: str) -> Target:
        """Say what one model would have cost."""
        parts = [
            self._part(rows, old, new, self.sizes.get((old.provider, old.model)))
            for old, rows in self._by_model()
            if not self._same(new := self._label(name, old), old)
        ]
        moves = tuple(p.move for p in parts)
        if not parts:
            note = "all of the chosen usage is of this model already"
            return Target(name, (), (), notes=(note,))
        missing = [p for p in parts if not np.isfinite(p.costs.expected).any()]
        if len(missing) == len(parts):
            found = missing[0].costs.priced.unpriced
            reason = found[0].reason if found else Reason.UNKNOWN_MODEL
            return Target(name, (), moves, reason, found[0].near if found else ())
        new = moves[0].new
        return Target(
            name,
            tuple(add_up(self.priced, parts, self.switch.share, self.by)),
            moves,
            latency=latency_of(self.reading, new.provider, new.model, self.first, self.last),
            notes=tuple(dict.fromkeys(self._notes(parts))),
        )

    def _by_model(self) -> Iterator[tuple[Label, npt.NDArray[np.intp]]]:
        """Give the rows of each model that was used; errors may name what was only asked for."""
        labels = self.priced.usage[["provider", "model"]].iloc[self.chosen].astype(str)
        number = labels.groupby(["provider", "model"], sort=True).ngroup().to_numpy()
        used = self.priced.usage[[*_TOKENS, "requests"]].iloc[self.chosen].to_numpy(np.float64)
        for n, at in enumerate(np.unique(number, return_index=True)[1]):
            if np.nansum(used[number == n]) > 0:
                provider, model = labels.iloc[at]
                yield Label(provider, model), self.chosen[number == n]

    def _label(self, name: str, old: Label) -> Label:
        """Say how the usage table would label the new model: who sells it."""
        head, slash, rest = name.partition("/")
        if slash and ((head, rest) in self.pairs or provider_id(head, self.prices.catalogue)):
            return Label(head, rest)
        if self.prices.quote(old.provider, name, "", "", self.last).rates is not None:
            return Label(old.provider, name)
        selling = sorted(p for p, m in self.pairs if m == name)
        return Label(selling[0] if len(selling) == 1 else "", name)

    def _same(self, new: Label, old: Label) -> bool:
        """Whether both name one model: its name with a date is listed as that without."""
        if new == old:
            return True
        named = [(label.provider, label.model) for label in (new, old)]
        one, other = (self.prices.identity(*each) for each in named)
        listed, found = (self.prices.catalogue.find(i.provider, i.model) for i in (one, other))
        if listed is None or found is None or model_key(new.model) != model_key(old.model):
            return False
        if (listed.provider, listed.model) != (found.provider, found.model):
            return False
        here, there = (self.prices.quote(*each, "", "", self.last) for each in named)
        return here.rates == there.rates

    def _part(
        self, rows: npt.NDArray[np.intp], old: Label, new: Label, sizes: RequestSizes | None
    ) -> Part:
        usage = self.priced.usage.iloc[rows]
        factors = self._factors(usage, old, new)
        same = old.provider == new.provider
        costs = cost_range(usage, self.prices, new, factors, sizes=sizes, region=same)
        move = Move(
            old,
            new,
            factors,
            float(np.nansum(usage[_TOKENS].to_numpy(np.float64))),
            float(np.nansum(usage["requests"].to_numpy(np.float64))),
            latency_of(self.reading, old.provider, old.model, self.first, self.last),
            tuple(self._about(usage, old, new, factors, sizes)),
        )
        return Part(rows, move, costs)

    def _factors(self, usage: pd.DataFrame, old: Label, new: Label) -> Factors:
        """Take what is given, and what is public for the rest."""
        reasoning = usage[TokenClass.REASONING.value].to_numpy(np.float64)
        counted = bool(np.isfinite(reasoning).all() and reasoning.sum() > 0)
        falls_away = counted and not may_reason(new.model)
        given = self.switch
        length = output_factor(old.model, new.model, without_reasoning=falls_away)
        return Factors(
            given.tokenizer or tokenizer_factor(old.model, new.model),
            given.output or length,
            given.cached or (_WARM if old.provider == new.provider else _ELSEWHERE),
            without_reasoning=falls_away,
            reasons=may_reason(new.model) and not counted,
        )

    def _about(
        self, usage: pd.DataFrame, old: Label, new: Label, factors: Factors,
        sizes: RequestSizes | None,
    ) -> Iterator[str]:  # fmt: skip
        """Say what a reader must know of a pair of models."""
        quote = self.prices.quote(new.provider, new.model, "", "", self.last)
        if quote.rates is None:
            return
        if factors.reasons and not may_reason(old.model):
            yield f"{new.model} may reason before it answers: that is billed as output"
        read = np.nansum(usage[TokenClass.CACHE_READ.value].to_numpy(np.float64))
        if read and TokenClass.CACHE_READ not in quote.rates.prices:
            yield f"{new.name} has no price for cached tokens: they cost what all input costs"
        if any(price < p.base for p in quote.rates.prices.values() for _, price in p.tiers):
            yield f"prices of {new.name} fall with length: the range holds for its ends only"
        yield from self._fits(usage, new, factors, sizes)

    def _fits(
        self, usage: pd.DataFrame, new: Label, factors: Factors, sizes: RequestSizes | None
    ) -> Iterator[str]:
        """Say where requests are longer than the new model takes."""
        identity = self.prices.identity(new.provider, new.model)
        listed = self.prices.catalogue.find(identity.provider, identity.model)
        window = listed.context_window if listed else None
        if not window:
            return
        if sizes is not None:
            share = sizes.above(window / factors.tokenizer.high)
            if share.requests_high > 0:
                yield (
                    f"up to {format_quantity(share.requests_high, 'ratio')} of the requests may be "
                    f"longer than the {window:,} tokens that {new.model} takes"
                )
            return
        read = usage[_TOKENS[:3]].fillna(0.0).sum(axis=1).to_numpy(np.float64)
        requests = usage["requests"].to_numpy(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = read / requests
        if np.any(mean[np.isfinite(mean)] * factors.tokenizer.expected > window):
            yield f"the mean request of a day is longer than the {window:,} tokens of {new.model}"

    def _notes(self, parts: Sequence[Part]) -> Iterator[str]:
        for part in parts:
            yield from part.move.notes
            lost = part.costs.priced.unpriced
            if lost and np.isfinite(part.costs.expected).any():
                tokens = format_quantity(sum(each.tokens for each in lost))
                yield f"{tokens} tokens of {part.move.new.name} have no price and are in no sum"
            elif lost:
                yield f"{part.move.old.name} is left out: {lost[0].reason.value}"
            # Whether the book's models are used is told of the usage, not of what is supposed here.
            said = part.costs.priced.notes
            yield from [note for note in said if not note.startswith(self.prices.book.name)][:3]

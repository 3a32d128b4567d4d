"""What a switch of models would have cost: plain data, with its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from workbench.spend.prices import Reason
from workbench.spend.what_if.moving import Doubt, Factors, Label
from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.switch import Switch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GROUP_FIGURES", "Move", "Outcome", "Sign", "SwitchResult", "Target"]

GROUP_FIGURES: Final = (
    "now", "now_low", "now_high", "then", "then_low", "then_high",
    "saving", "saving_low", "saving_high",
)  # fmt: skip
"""Columns of `Outcome.groups` beside the dimensions: float, in its currency."""

_MANIFOLD: Final = 20.0
"""Answers do not grow that much."""


def _times(factor: float) -> str:
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.2g}"


class Sign(StrEnum):
    """Whether the switch saves anything, for all that is not known."""

    CHEAPER = "cheaper"
    DEARER = "dearer"
    OPEN = "not certain"

    @classmethod
    def of(cls, saving: Range) -> Sign:
        """Read it from the bounds of a saving."""
        if saving.low > 0:
            return cls.CHEAPER
        return cls.DEARER if saving.high < 0 else cls.OPEN


@dataclass(frozen=True, slots=True)
class Move:
    """One model that is left for another.

    Parameters
    ----------
    old, new
        The models.
    factors
        What is supposed.
    tokens, requests
        That the old one had, before any share is taken.
    latency
        Median and 95 % of the old one's requests in seconds; None where no histogram tells.
    notes
        What to know of this pair.
    """

    old: Label
    new: Label
    factors: Factors
    tokens: float
    requests: float
    latency: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        f = self.factors
        return {
            "from": self.old.name,
            "to": self.new.name,
            "tokens": self.tokens,
            "requests": self.requests,
            "tokenizer": f.tokenizer.to_dict(),
            "output": f.output.to_dict(),
            "cached": f.cached.to_dict(),
            "latency_seconds": self.latency and {"p50": self.latency[0], "p95": self.latency[1]},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one target would have cost in one currency.

    Parameters
    ----------
    currency
        Of all money here.
    now
        What the accounts cost; None where that is not known here, as of machines of one's own, or
        is in another currency.
    then
        What they would have cost, with the traffic that does not move; where `now` is None, what
        the traffic that moves would have cost.
    saving
        Now less then; bounds take both at their ends. None where `now` is.
    doubts
        How far each moves the bounds of `then` down and up.
    break_even
        The length of answers, as multiples of those now, at which both cost the same: with tokenizer
        and cache at their worst, as expected, and at their best. 0 where the rest alone costs more;
        None where nothing is paid for output, or `now` is not known.
    length
        The expected length of answers.
    groups
        The accounts by the dimensions asked for, and `GROUP_FIGURES`, the greatest saving first.
    """

    currency: str
    now: Range | None
    then: Range
    saving: Range | None
    doubts: Mapping[Doubt, tuple[float, float]]
    break_even: Range | None
    length: float
    groups: pd.DataFrame

    @property
    def sign(self) -> Sign:
        """Whether it saves anything."""
        return Sign.of(self.saving) if self.saving else Sign.OPEN

    @property
    def statement(self) -> str:
        """When the switch pays, in a sentence, with prices as expected."""
        at = self.break_even
        if at is None:
            known = "what it costs now is not known here" if self.now is None else ""
            return f"no break-even: {known or 'nothing is paid for output'}"
        if at.expected <= 0:
            return "expected to be dearer however short the answers"
        if at.low >= _MANIFOLD:
            return f"cheaper even if answers grow {_MANIFOLD:.0f} times as long"
        span = "" if at.is_sure else f" ({_times(at.low)} to {_times(at.high)})"
        if at.expected >= 1:
            return (
                f"cheaper unless answers grow to more than {_times(at.expected)}{span} times now's"
            )
        return f"dearer unless answers shrink to less than {_times(at.expected)}{span} times now's"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "currency": self.currency,
            "now": self.now and self.now.to_dict(),
            "then": self.then.to_dict(),
            "saving": self.saving and self.saving.to_dict(),
            "sign": self.sign.value,
            "doubts": {d.value: [round(v, 6) for v in both] for d, both in self.doubts.items()},
            "break_even": self.break_even and self.break_even.to_dict(),
            "statement": self.statement,
            "groups": self.groups.astype(object)
            .where(self.groups.notna(), None)
            .to_dict("records"),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One model that others are left for.

    Parameters
    ----------
    name
        As it was asked for.
    outcomes
        By currency; none where it has no price.
    moves
        The models that are left for it.
    reason, near
        Why it has no price, and models of a like name that have one.
    latency
        Median and 95 % of its requests in seconds where it is in use already, for the work it does
        there; else None.
    notes
        What to know.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    moves: tuple[Move, ...]
    reason: Reason | None = None
    near: tuple[str, ...] = ()
    latency: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "to": self.name,
            "outcomes": [o.to_dict() for o in self.outcomes],
            "moves": [m.to_dict() for m in self.moves],
            "no_price": self.reason and self.reason.value,
            "near": list(self.near),
            "latency_seconds": self.latency and {"p50": self.latency[0], "p95": self.latency[1]},
            "rate_limits": "not known here: see the headroom of the provider's limits",
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class SwitchResult:
    """What the same work would have cost with other models.

    Parameters
    ----------
    switch
        What was supposed.
    first, last
        The period, both days included.
    by
        The dimensions of the groups.
    targets
        In the order in which they were asked for.
    version
        Price data and book.
    """

    switch: Switch
    first: date
    last: date
    by: tuple[str, ...]
    targets: tuple[Target, ...]
    version: str

    @property
    def outcomes(self) -> Sequence[tuple[Target, Outcome]]:
        """All targets that have a price, with their outcomes, the greatest saving first."""
        pairs = [(t, o) for t in self.targets for o in t.outcomes]
        return sorted(pairs, key=lambda p: -p[1].saving.expected if p[1].saving else float("inf"))

    def to_table(self) -> pd.DataFrame:
        """A row for each target, currency and group of accounts, with `GROUP_FIGURES`."""
        import pandas as pd

        parts = [
            o.groups.assign(to=t.name, currency=o.currency)[["to", "currency", *o.groups.columns]]
            for t, o in self.outcomes
        ]
        columns = ["to", "currency", *self.by, *GROUP_FIGURES]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "switch": self.switch.describe(),
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "price_data": self.version,
            "targets": [t.to_dict() for t in self.targets],
        }

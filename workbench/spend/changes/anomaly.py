"""An anomaly of spend: when, how much, who, and why, as data and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from workbench.spend.changes.causes import Cause, Factor
from workbench.spend.changes.culprits import Culprit
from workbench.spend.changes.ordinary import Course
from workbench.spend.prices import cents
from workbench.units import counted

__all__ = ["Anomaly", "Kind", "accounts_text", "day_text", "signed_money"]

_NOTED: Final = 0.1
"""A cause is worth words from this share of the excess on."""

_SAID: Final = 3
"""So many causes are said."""


class Kind(StrEnum):
    """How spend departed from what was to be expected."""

    SPIKE = "spike"
    SHIFT = "shift"


@dataclass(frozen=True, slots=True, eq=False)
class Anomaly:
    """Spend that departed from what weekdays, growth and level let expect.

    Parameters
    ----------
    kind
        A spike is one or a few days, a shift a new level; `excess` below 0 makes it a drop.
    currency
        Of all money here.
    first, last
        Its days, both included; `last` is None where it lasts.
    through
        Its last day that was seen.
    days
        How many of its days were seen.
    level
        Of what it is told: ``group``, ``application``, ``several groups``, ``all``.
    actual
        What these days cost.
    expected, low, high
        What they were expected to, and the 80 % interval of that.
    who
        The accounts that make the excess.
    spread
        The excess is spread over so many groups that those named make less than four fifths of it.
    causes
        Why; their money adds up to the excess.
    share
        The excess as a share of all that was spent in the currency on these days, with what is
        missing where it is a drop.
    score
        How many standard errors it is from nothing.
    course
        Every day of the series with what was to be expected.
    """

    kind: Kind
    currency: str
    first: date
    last: date | None
    through: date
    days: int
    level: str
    actual: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    who: tuple[Culprit, ...]
    spread: bool
    causes: tuple[Cause, ...]
    share: float
    score: float
    course: Course = field(repr=False)

    @property
    def excess(self) -> Decimal:
        """What it cost more than expected; below 0 where less."""
        return self.actual - self.expected

    @property
    def excess_a_day(self) -> Decimal:
        """The excess by day that was seen."""
        return self.excess / self.days

    @property
    def subject(self) -> str:
        """The accounts, as text."""
        named = [accounts_text(c) for c in self.who]
        if self.spread or not named:
            return "many accounts" + (f", foremost {named[0]}" if named else "")
        rest = f" and {counted(len(named) - 2, 'other')}" if len(named) > 2 else ""
        return "; ".join(named[:2]) + rest

    @property
    def when(self) -> str:
        """Its days, as text."""
        if self.last is None:
            return f"since {day_text(self.first)}"
        if self.first == self.last:
            return f"on {day_text(self.first)}"
        return f"from {day_text(self.first)} to {day_text(self.last)}"

    @property
    def why(self) -> str:
        """The causes that matter, as text."""
        replaced = [
            f"{name.replace('_', ' ')} {who.values.get(name, '')} in place of {old or 'none'}"
            for who in self.who
            for name, old in who.instead_of.items()
        ]
        least = Decimal(str(_NOTED)) * abs(self.excess)
        told = [c for c in self.causes if Decimal(repr(c.money)).copy_abs() >= least][:_SAID]
        return "; ".join([*replaced, *(_cause_text(c, self.currency) for c in told)])

    @property
    def sentence(self) -> str:
        """All of it, for who pays the bill."""
        more = "more" if self.excess > 0 else "less"
        span = f" in {counted(self.days, 'day')}" if self.days > 1 else ""
        a_day = f" ({_money(abs(self.excess_a_day))} a day)" if self.days > 1 else ""
        return (
            f"{self.subject} cost {_money(abs(self.excess))} {self.currency} {more} than expected"
            f"{span} {self.when}{a_day}: {_money(self.actual)} instead of {_money(self.expected)} "
            f"(80 % interval {_money(self.low)} to {_money(self.high)}). Why: {self.why}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text, so that no cent is lost."""
        money = ("actual", "expected", "low", "high", "excess", "excess_a_day")
        return {
            "kind": self.kind.value,
            "currency": self.currency,
            "first": self.first.isoformat(),
            "last": self.last and self.last.isoformat(),
            "through": self.through.isoformat(),
            "days": self.days,
            "level": self.level,
            **{name: str(cents(getattr(self, name))) for name in money},
            "who": [c.to_dict() for c in self.who],
            "spread": self.spread,
            "causes": [c.to_dict() for c in self.causes],
            "share": round(self.share, 4),
            "score": round(self.score, 2),
            "what": self.sentence,
        }


def accounts_text(culprit: Culprit) -> str:
    """The accounts of a culprit, the widest dimension first.

    Examples
    --------
    >>> accounts_text(Culprit({"provider": "openai", "model": "gpt-4o", "team": "support"}, 1.0, 1.0))
    'support on openai gpt-4o'
    """
    values = culprit.values
    own = [values[n] for n in ("team", "application") if n in values]
    own += [f"{n} {values[n]}" for n in ("user",) if n in values]
    model = " ".join(values[n] for n in ("provider", "model") if n in values)
    text = " on ".join(t for t in (" / ".join(own), model) if t)
    extra = [
        f"{n.replace('_', ' ')} {values[n]}"
        for n in ("prompt_version", "region", "tier")
        if n in values and n not in culprit.instead_of
    ]
    return ", ".join([text or "all usage", *extra])


def day_text(day: date) -> str:
    """A day for people.

    Examples
    --------
    >>> day_text(date(2026, 6, 2))
    '2 Jun 2026'
    """
    return f"{day.day} {day:%b %Y}"


def signed_money(amount: Decimal | float) -> str:
    """Money with its sign.

    Examples
    --------
    >>> signed_money(-1234.5), signed_money(3.0)
    ('−1,234.50', '+3.00')
    """
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(float(amount)))
    return f"{cents(exact):+,}".replace("-", "−")


def _money(amount: Decimal) -> str:
    return f"{cents(amount):,}"


def _cause_text(cause: Cause, currency: str) -> str:
    """One cause with its figures and its money."""
    money = f"{signed_money(cause.money)} {currency}"
    known = cause.before == cause.before and cause.after == cause.after
    if cause.factor is Factor.MODEL:
        return f"another choice of models ({money})"
    if cause.factor is Factor.OTHERS:
        return f"other accounts ({money})"
    if not known:
        return f"{cause.factor.value} ({money})"
    before, after = (_figure(cause.factor, v) for v in (cause.before, cause.after))
    return f"{_NAMES[cause.factor]} {before} → {after}{_UNITS.get(cause.factor, '')} ({money})"


_NAMES: Final = {
    Factor.REQUESTS: "requests a day",
    Factor.TOKENS: "tokens a day",
    Factor.INPUT: "input per request",
    Factor.OUTPUT: "output per request",
    Factor.SHARE: "share of output",
    Factor.CACHE: "input read from the cache",
    Factor.PRICE: "price of a million tokens",
}

_UNITS: Final = {Factor.INPUT: " tokens", Factor.OUTPUT: " tokens"}


def _figure(factor: Factor, value: float) -> str:
    if factor in (Factor.CACHE, Factor.SHARE):
        return f"{value * 100:.0f} %"
    if factor is Factor.PRICE:
        return f"{value:,.2f}"
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 10 else f"{value:.2g}"

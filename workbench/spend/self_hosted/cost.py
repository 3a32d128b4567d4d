"""What one model of one server cost, by kind of token, and how much of it idled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

__all__ = ["ModelCost", "plain"]

_MILLION: Final = Decimal(1_000_000)
Range = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What one model of one server cost in the period, in one currency.

    Parameters
    ----------
    profile, model, job
        Who counts its tokens, what it calls the model, and which job scrapes it.
    currency
        ISO 4217.
    paid_days, seen_days
        On how many days there were machines, and of how many days enough was seen to tell a day's
        volume.
    hours, hours_low, hours_high
        Hours of machines; of a machine that serves several models its part.
    amount, low, high
        Money for them, whether they worked or not.
    computed, cached, output
        Tokens by the server's own counters: input that was computed, input that its prefix cache
        had, output.
    requests
        Requests that finished.
    idle, idle_low, idle_high
        Share of the time in which no request ran: of the time that was seen, and where all that was
        not seen was busy, or idle. None where nothing tells.
    prefill
        Share of the seconds in prefill, among those in prefill and decode; None where not told.
    preempted
        How often a request was broken off and computed anew; None where not counted.
    recomputed
        The least and the most that this cost, of the money of busy time.
    waiting
        Requests that waited, on average; None where not told.
    cache_peak
        The highest share of the KV cache in use.
    peak
        The most tokens a second that were served for five minutes, input and output.
    """

    profile: str
    model: str
    job: str
    currency: str
    paid_days: int
    seen_days: int
    hours: float
    hours_low: float
    hours_high: float
    amount: Decimal
    low: Decimal
    high: Decimal
    computed: float
    cached: float
    output: float
    requests: float
    idle: float | None = None
    idle_low: float | None = None
    idle_high: float | None = None
    prefill: float | None = None
    preempted: float | None = None
    recomputed: Range | None = None
    waiting: float | None = None
    cache_peak: float | None = None
    peak: float | None = None

    @property
    def name(self) -> str:
        """The model, and the job where it has one."""
        return f"{self.model or 'an unnamed model'} ({self.job})" if self.job else self.model

    @property
    def tokens(self) -> float:
        """All tokens, cached ones included."""
        return self.computed + self.cached + self.output

    @property
    def idle_amount(self) -> Decimal | None:
        """Money for time in which nothing ran."""
        return None if self.idle is None else self.amount * Decimal(repr(self.idle))

    @property
    def busy_amount(self) -> Decimal:
        """Money for time in which something ran; all of it where nothing tells."""
        return self.amount - (self.idle_amount or Decimal(0))

    @property
    def per_million(self) -> Decimal | None:
        """The full cost of a million tokens of any kind; None without tokens."""
        return _each(self.amount, self.tokens)

    @property
    def busy_per_million(self) -> Decimal | None:
        """What a million tokens would cost if idle time were not paid: the marginal cost."""
        return None if self.idle is None else _each(self.busy_amount, self.tokens)

    @property
    def input_per_million(self) -> Range | None:
        """The least and the most that a million computed input tokens cost, in full.

        Where prefill and decode are told apart both are the same. Where they are not, input costs
        no more by the token than output does, since prefill works on many tokens at once.
        """
        if not self.computed:
            return None
        if self.prefill is not None:
            each = _each(self.amount * Decimal(repr(self.prefill)), self.computed)
            return (each, each) if each is not None else None
        most = _each(self.amount, self.computed + self.output)
        return (Decimal(0), most) if most is not None else None

    @property
    def output_per_million(self) -> Range | None:
        """The least and the most that a million output tokens cost, in full."""
        if not self.output:
            return None
        if self.prefill is not None:
            each = _each(self.amount * (1 - Decimal(repr(self.prefill))), self.output)
            return (each, each) if each is not None else None
        least, most = (
            _each(self.amount, self.computed + self.output),
            _each(self.amount, self.output),
        )
        return (least, most) if least is not None and most is not None else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; money as text, exact."""
        return {
            **{name: plain(getattr(self, name)) for name in self.__slots__},
            **{
                name: plain(getattr(self, name))
                for name in (
                    "tokens", "idle_amount", "busy_amount", "per_million", "busy_per_million",
                    "input_per_million", "output_per_million",
                )
            },
        }  # fmt: skip


def _each(amount: Decimal, tokens: float) -> Decimal | None:
    return amount / Decimal(repr(tokens)) * _MILLION if tokens else None


def plain(value: Any) -> Any:
    """A figure as JSON has it: money as text, exact."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return [plain(each) for each in value] if isinstance(value, tuple) else value

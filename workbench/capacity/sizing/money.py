"""What requests cost: prices of a core and of a GiB for an hour, in exact decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from workbench.errors import InputError

__all__ = ["HOURS_A_MONTH", "Prices", "read_prices"]

HOURS_A_MONTH: Final = 730
"""Hours of a month of 365 / 12 days."""

_GIB: Final = Decimal(1024**3)
_CURRENCY_LETTERS: Final = 3


@dataclass(frozen=True, slots=True)
class Prices:
    """What an hour costs.

    Parameters
    ----------
    core_hour, gib_hour
        Of one core, and of one GiB; None where it is not given.
    currency
        ISO 4217.
    """

    core_hour: Decimal | None
    gib_hour: Decimal | None
    currency: str

    def cpu_month(self, cores: float) -> Decimal:
        """What so many cores cost a month."""
        return (self.core_hour or Decimal(0)) * Decimal(repr(float(cores))) * HOURS_A_MONTH

    def memory_month(self, size: float) -> Decimal:
        """What so many bytes cost a month."""
        return (self.gib_hour or Decimal(0)) * Decimal(repr(float(size))) / _GIB * HOURS_A_MONTH

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "core_hour": None if self.core_hour is None else str(self.core_hour),
            "gib_hour": None if self.gib_hour is None else str(self.gib_hour),
            "currency": self.currency,
        }


def read_prices(
    core_hour: str | Decimal, gib_hour: str | Decimal, currency: str = "USD"
) -> Prices | None:
    """Read prices as they are given; None where neither is.

    Parameters
    ----------
    core_hour, gib_hour
        Text such as ``"0.0316"``; ``""`` where it is not known.
    currency
        Three capital letters.

    Raises
    ------
    InputError
        A price is no amount of money, or the currency no code.

    Examples
    --------
    >>> read_prices("0.03", "").cpu_month(2)
    Decimal('43.800')
    """
    if not isinstance(currency, str) or not (
        len(currency) == _CURRENCY_LETTERS and currency.isascii() and currency.isupper()
    ):
        msg = f"currency is {currency!r}"
        raise InputError(msg, "give a code of three capital letters, such as USD or EUR")
    core, gib = _price(core_hour, "core_hour_price"), _price(gib_hour, "gib_hour_price")
    return None if core is None and gib is None else Prices(core, gib, currency)


def _price(value: object, name: str) -> Decimal | None:
    if isinstance(value, str) and not value.strip():
        return None
    mend = 'give text such as "0.0316": money is not read from floats, which round it'
    if isinstance(value, (float, bool)):
        msg = f"{name} is the float {value!r}"
        raise InputError(msg, mend)
    try:
        price = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        msg = f"{name} is {value!r}, which is no amount of money"
        raise InputError(msg, mend) from None
    if not price.is_finite() or price < 0:
        msg = f"{name} is {value!r}"
        raise InputError(msg, "give 0 or more, and a finite amount")
    return price

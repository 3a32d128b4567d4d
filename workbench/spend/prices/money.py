"""Money as integers: nano-units of a currency, whose sums lose nothing, and their reading as amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.frame import Bools
from workbench.samples import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NANO", "as_floats", "cents", "exact", "exact_by", "exact_or_none"]

NANO: Final = Decimal(1).scaleb(-9)
"""The unit of integer money."""

_UNIT: Final = 10**9


def cents(money: Decimal) -> Decimal:
    """Round to the cent, half to even.

    Examples
    --------
    >>> cents(Decimal("57.865")), cents(Decimal("57.8651"))
    (Decimal('57.86'), Decimal('57.87'))
    """
    return money.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


def as_floats(column: pd.Series) -> Floats:
    """Give a column of `Priced.rows` in whole units of its currency, 0 where it has nothing.

    For shares and statistics; sums that are shown to the cent are `Priced.sums`.
    """
    found: Floats = column.to_numpy(np.float64, na_value=0.0) * float(NANO)
    return found


def exact(nano: npt.ArrayLike) -> Decimal:
    """Add integers of `NANO` up; 0 of none.

    Examples
    --------
    >>> exact([9 * 10**18, 9 * 10**18, 1])
    Decimal('18000000000.000000001')
    """
    # Whole units and nano-units apart: 64 bits hold the sums of both.
    whole, rest = np.divmod(np.asarray(nano, np.int64), _UNIT)
    return _money(int(whole.sum()), int(rest.sum()))


def exact_or_none(column: pd.Series) -> Decimal | None:
    """Add a nullable column of integer money up; None where nothing of it is known."""
    known = column.dropna()
    return exact(known.to_numpy(np.int64)) if len(known) else None


def exact_by(
    nano: Ints, group: Ints, groups: int, known: Bools | None = None
) -> list[Decimal | None]:
    """Add integers of `NANO` up by group.

    Parameters
    ----------
    nano, group
        Money and the number of its group, shape (rows,).
    groups
        How many there are.
    known
        Which rows tell anything; a group of which none does has None.
    """
    sums = np.zeros((2, groups), np.int64)
    for n, part in enumerate(np.divmod(nano, _UNIT)):
        np.add.at(sums[n], group, part)
    told = np.ones(groups) if known is None else np.bincount(group, known, groups)
    return [
        _money(int(whole), int(rest)) if some else None
        for whole, rest, some in zip(*sums, told, strict=True)
    ]


def _money(whole: int, rest: int) -> Decimal:
    return (whole * _UNIT + rest) * NANO

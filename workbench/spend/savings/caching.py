"""What the provider's prompt cache saved, what it cost, and what it could have saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices import Priced, RequestSizes, cents
from workbench.spend.savings.answers import answers_saved
from workbench.spend.savings.best_days import ACCOUNT, DAYS, best_shares
from workbench.spend.savings.margins import Margins
from workbench.spend.savings.sums import Groups
from workbench.spend.usage import TokenClass

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["BY", "SHORTEST", "CacheSavings", "Unclaimed", "caching"]

Floats = npt.NDArray[np.float64]

BY: Final = (*ACCOUNT, "prompt_version", "currency")
"""What the rows of `CacheSavings.table` are told apart by."""

SHORTEST: Final = 1024.0
"""Tokens from which providers cache a prompt; some of their models begin at 2,048 or 4,096."""

_TENTH: Final = 0.1
_UNIT: Final = 1e9
"""Nano-units; a quotient of whole numbers is the nearest that there is, a product is not."""


class Unclaimed(StrEnum):
    """Why nothing is said to have been missed."""

    NO_PRICE = "the model has no price for cached tokens"
    NOT_COUNTED = "the source does not count cached tokens"
    SHORT = "prompts are shorter than providers cache"
    NEVER = "nothing was ever read from the cache"
    FEW_DAYS = f"fewer than {DAYS} days with enough input"


@dataclass(frozen=True, slots=True, eq=False)
class CacheSavings:
    """What caches saved in a period, and what they could have saved.

    Parameters
    ----------
    first, last
        The period, both days included.
    table
        The provider's prompt cache: one row for each of `BY`, the most missed first. ``input``
        (tokens, cached ones included), ``read``, ``written``, ``requests``, ``spend`` (Decimal);
        ``saved``: read tokens at the price of input less that of cached input; ``premium``: what
        writing cost more than input; ``net`` of both (Decimal), between ``net_low`` and
        ``net_high`` (float: prices, tiers and counts at their least and most). ``unseen``: what
        writing may have cost besides, at the most, where the source does not count it (float).
        ``best``: the share of input that the application read on its best days; ``missed``: what
        that share would have saved besides, at the prices expected, and ``missed_high`` at the
        dearest they may be (float); NaN where nothing is claimed, and ``unclaimed`` says why. The
        least that was missed is always 0. ``ten_points``: what each ten points more of the share
        would save in such a period: arithmetic, no claim.
    answers
        The gateway's own cache of answers, of `workbench.spend.savings.answers.answers_saved`.
    spend
        Of everything with a price, by currency.
    notes
        What to know of the figures.
    """

    first: date
    last: date
    table: pd.DataFrame
    answers: pd.DataFrame
    spend: Mapping[str, Decimal]
    notes: tuple[str, ...]

    def unseen(self, currency: str) -> float:
        """What writing to caches may have cost besides, at the most: it is in no sum or bound."""
        return float(self.table.loc[self.table["currency"] == currency, "unseen"].sum())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text, nothing as null."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "prompt_cache": _records(self.table),
            "answer_cache": _records(self.answers),
            "notes": list(self.notes),
        }


def caching(
    priced: Priced,
    history: Priced,
    reading: Reading,
    *,
    first: date,
    last: date,
    sizes: Mapping[tuple[str, str], RequestSizes] | None = None,
) -> CacheSavings:
    """Tell what caches saved, and what they could have.

    Parameters
    ----------
    priced
        The period's usage with its prices.
    history
        All days that were read, with their prices: the best days are found in it.
    reading
        All usage that was read.
    first, last
        The period, both days included.
    sizes
        How long requests are, as `priced` was priced with.
    """
    margins = Margins(priced, sizes)
    usage = priced.usage
    keys = usage[list(BY[:-1])].assign(currency=priced.rows["currency"])
    used = (margins.total > 0) & (keys["currency"] != "").to_numpy(bool)
    best = best_shares(history.usage, last)
    shares = _shares(usage, best)
    figures = _figures(priced, margins, _multiples(usage, reading), shares)
    figures = {name: values[used] for name, values in figures.items()}
    table = _table(Groups(keys[used]), figures, best)
    spend = {c: a for c, a in priced.total().items() if c}
    answers = answers_saved(priced, reading, first=first, last=last)
    return CacheSavings(first, last, table, answers, spend, _notes(table))


def _shares(usage: pd.DataFrame, best: pd.DataFrame) -> Floats:
    """The best share of each row's account; NaN where it has none."""
    accounts = Groups(usage[list(ACCOUNT)])
    names = accounts.names.astype(object).merge(best, on=list(ACCOUNT), how="left")
    return names["best"].to_numpy(np.float64)[accounts.number]


def _multiples(usage: pd.DataFrame, reading: Reading) -> tuple[Floats, Floats]:
    """Least and most tokens of each row as multiples of those counted."""
    bounds = reading.bounds.reindex(usage.index)
    columns = ["input", "cache_read", "cache_write", "output"]
    tokens = np.nansum(usage[columns].to_numpy(np.float64), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (bounds[name].to_numpy(np.float64) / tokens for name in ("low", "high"))
    known = (tokens > 0) & np.isfinite(low) & np.isfinite(high)
    return (
        np.where(known, np.clip(low, 0.0, 1.0), 1.0),
        np.where(known, np.maximum(high, 1.0), 1.0),
    )


def _figures(
    priced: Priced, margins: Margins, multiples: tuple[Floats, Floats], best: Floats
) -> dict[str, Floats]:
    """All that is to be added up, by row; money in nano-units."""
    usage = priced.usage
    plain, read, written = (
        np.nan_to_num(usage[name].to_numpy(np.float64))
        for name in ("input", "cache_read", "cache_write")
    )
    counted = usage["cache_read"].notna().to_numpy(bool)
    margin = margins.expected(TokenClass.CACHE_READ)
    saved = np.rint(read * margin)
    premium = np.rint(-written * margins.expected(TokenClass.CACHE_WRITE))
    low, high = _net_bounds(margins, read, written)
    likely = saved - premium
    low, high = np.minimum(low, likely), np.maximum(high, likely)
    fewer, more = multiples
    more_read = np.clip(np.nan_to_num(best) * margins.total - read, None, plain)
    least, most = margins.bounds(TokenClass.CACHE_READ, np.abs(more_read))
    return {
        "input": margins.total,
        "read": read,
        "written": written,
        "requests": np.nan_to_num(usage["requests"].to_numpy(np.float64)),
        "spend": priced.rows["amount"].to_numpy(np.float64, na_value=0.0),
        "saved": saved,
        "premium": premium,
        "low": np.where(low < 0, low * more, low * fewer),
        "high": np.where(high > 0, high * more, high * fewer),
        "unseen": _unseen(usage, margins, plain, read) * more,
        "missed": more_read * margin,
        "missed_high": np.where(more_read > 0, more_read * most, more_read * least),
        "tenth": _TENTH * margins.total * margin,
        "cacheable": np.where(margins.cacheable & (margin > 0), margins.total, 0.0),
        "counted": np.where(counted, margins.total, 0.0),
    }


def _net_bounds(margins: Margins, read: Floats, written: Floats) -> tuple[Floats, Floats]:
    """Least and most of what reading saved less what writing cost, in nano-units by row."""
    of_read = margins.bounds(TokenClass.CACHE_READ, read)
    of_write = margins.bounds(TokenClass.CACHE_WRITE, written)
    return (
        read * of_read[0] + written * of_write[0],
        read * of_read[1] + written * of_write[1],
    )


def _unseen(usage: pd.DataFrame, margins: Margins, plain: Floats, read: Floats) -> Floats:
    """Bound what writes cost that nobody counts, in nano-units by row.

    Nothing is read that was not written: at the most all other input was.
    """
    hidden = np.isnan(usage["cache_write"].to_numpy(np.float64)) & (read > 0)
    dearest = -margins.bounds(TokenClass.CACHE_WRITE, plain)[0]
    return np.where(hidden, plain * np.maximum(dearest, 0.0), 0.0)


def _table(groups: Groups, figures: dict[str, Floats], best: pd.DataFrame) -> pd.DataFrame:
    """The rows of `CacheSavings.table`."""
    sums = {name: groups.add(values) for name, values in figures.items()}
    table = groups.names.astype(object)
    found = table.merge(best, on=list(ACCOUNT), how="left")["best"].to_numpy(np.float64)
    reason = _unclaimed(sums, found)
    claimed = np.array([not r for r in reason], bool)
    for name in ("input", "read", "written", "requests"):
        table[name] = sums[name]
    for name in ("spend", "saved", "premium"):
        money = np.empty(len(groups), object)
        money[:] = groups.add_money(figures[name])
        table[name] = money
    table["net"] = table["saved"] - table["premium"]
    table["net_low"], table["net_high"] = sums["low"] / _UNIT, sums["high"] / _UNIT
    table["unseen"] = sums["unseen"] / _UNIT
    table["best"] = found
    for name in ("missed", "missed_high"):
        table[name] = np.where(claimed, np.maximum(sums[name], 0.0) / _UNIT, np.nan)
    table["ten_points"] = np.where(sums["cacheable"] > 0, sums["tenth"] / _UNIT, np.nan)
    table["unclaimed"] = reason
    order = np.lexsort((-sums["low"], -sums["spend"], -np.nan_to_num(table["missed"])))
    return table.iloc[order].reset_index(drop=True)


def _unclaimed(sums: dict[str, Floats], best: Floats) -> list[str]:
    """Why nothing is claimed to have been missed, by group; "" where something is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(sums["requests"] > 0, sums["input"] / sums["requests"], np.inf)
    found: list[str] = np.select(
        [
            sums["cacheable"] == 0,
            sums["counted"] == 0,
            mean < SHORTEST,
            np.isnan(best),
            best == 0,
        ],
        [
            Unclaimed.NO_PRICE.value,
            Unclaimed.NOT_COUNTED.value,
            Unclaimed.SHORT.value,
            Unclaimed.FEW_DAYS.value,
            Unclaimed.NEVER.value,
        ],
        default="",
    ).tolist()
    return found


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    missed = (
        "missed: from nothing to what the application's own best days would have saved, the share "
        "of input that it read from the cache on one day in ten of the history; it takes the "
        "prompts to be as alike now as then, and nothing more to be written to the cache"
    )
    notes = [missed]
    if (table["unseen"] > 0).any():
        notes.append(
            "not every source counts writes to the cache, which cost more than input: what they "
            "cost at the most, if all other input was written, is told beside what was saved"
        )
    if (table["unclaimed"] == Unclaimed.SHORT.value).any():
        notes.append(
            f"providers cache prompts from about {SHORTEST:,.0f} tokens on: where the mean prompt "
            "is shorter, nothing is said to have been missed"
        )
    return tuple(notes)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(cents(value))
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value

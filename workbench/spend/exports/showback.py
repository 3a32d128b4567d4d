"""Spend in files for others: CSV that no spreadsheet runs, JSON, and a table for showing it back.

A model or team may be called ``=HYPERLINK(…)``: labels come from whoever sends requests. Text that a
spreadsheet would take for a formula is written with an apostrophe before it; numbers never are.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import OutputError
from workbench.spend.prices import Priced

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "csv_text",
    "guarded",
    "json_text",
    "number_text",
    "showback",
    "spend_data",
    "write_csv",
    "write_json",
]

_STARTS: Final = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the start of a formula; the wide ones where its language is Chinese,
Japanese or Korean."""

_TOKENS: Final = ("input", "cache_read", "cache_write", "output", "requests")


def guarded(text: str) -> str:
    """Make text safe for a cell.

    Examples
    --------
    >>> guarded("=1+2"), guarded("-5"), guarded("gpt-4o")
    ("'=1+2", "'-5", 'gpt-4o')
    """
    # Before Python 3.13 a lone carriage return is not put in quotes, and would begin a row.
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) else text


def number_text(value: Decimal | float) -> str:
    """Write a number plainly: no exponent, no zeros at the end; ``""`` for NaN.

    Examples
    --------
    >>> number_text(Decimal("0.0000025")), number_text(1e6), number_text(float("nan"))
    ('0.0000025', '1000000', '')
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not exact.is_finite():
        return ""
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def csv_text(table: pd.DataFrame) -> str:
    """Give a table as CSV, numbers as they are and text guarded; what is absent is empty."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([guarded(str(name)) for name in table.columns])
    for row in zip(*(table[name].tolist() for name in table.columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, (Decimal, float, int)):
        return number_text(Decimal(value) if isinstance(value, int) else value)
    if hasattr(value, "isoformat"):
        return "" if value != value else str(value.isoformat())  # noqa: PLR0124 - NaT is not itself
    return guarded(str(value)) if str(value) != "<NA>" else ""


def write_csv(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV in UTF-8, whole or not at all.

    Raises
    ------
    OutputError
        It cannot be written; what was there stays, and nothing else is left behind.
    """
    _write_whole(Path(path), csv_text(table))


def write_json(data: Mapping[str, Any], path: Path | str) -> None:
    """Write plain data as JSON, whole or not at all; money is text, what is no number is null.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    _write_whole(Path(path), json_text(data))


def json_text(data: Mapping[str, Any]) -> str:
    """Give plain data as JSON; money is text, what is no number is null."""
    return json.dumps(_plain(data), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _write_whole(path: Path, text: str) -> None:
    draft: Path | None = None
    try:
        target = path.resolve()  # what a link points to is written, not the link
        draft = target.with_name(f".{target.name[:40]}-{secrets.token_hex(6)}")
        with draft.open("x", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a NUL in the path
        if draft is not None:
            with suppress(OSError):
                draft.unlink()
        why = getattr(error, "strerror", None) or error
        msg = f"{path} cannot be written ({why})"
        raise OutputError(msg, "check the folder, its permissions and its free space") from None


def showback(priced: Priced) -> pd.DataFrame:
    """Say what each team cost in each month.

    Returns
    -------
    DataFrame
        ``month`` (its first day), ``team``, ``currency``, tokens by class and ``requests`` (float),
        ``cost``, ``low``, ``high`` (`Decimal`; None where nothing has a price), ``share`` of the
        month's cost in that currency, ``previous`` (the cost of the month before, None without one),
        ``unpriced_tokens``. The dearest first in each month; what has no price stands in rows of its
        own with the currency ``""``.

    Examples
    --------
    ``write_csv(showback(priced), "showback.csv")``
    """
    import pandas as pd

    days = priced.sums(["day", "team"])
    cost: dict[tuple[date, str, str], list[Any]] = {}
    columns = ["day", "team", "currency", "amount", "low", "high", "unpriced"]
    for day, team, currency, *money, unpriced in days[columns].astype(object).to_numpy().tolist():
        key = (pd.Timestamp(day).date().replace(day=1), str(team), str(currency))
        held = cost.setdefault(key, [None, None, None, 0.0])
        for n, each in enumerate(money):
            if each is not None:
                held[n] = each if held[n] is None else held[n] + each
        held[3] += float(unpriced)
    tokens = _tokens(priced)
    rows = []
    for (month, team, currency), (amount, low, high, unpriced) in cost.items():
        known = [v[0] for (m, _, c), v in cost.items() if (m, c) == (month, currency) and v[0]]
        share = float(amount / sum(known, Decimal(0))) if amount and known else None
        before = (month - timedelta(days=1)).replace(day=1)
        previous = cost.get((before, team, currency), [None])[0]
        used = tokens.get((month, team, currency), [0.0] * len(_TOKENS))
        if amount or any(used):  # errors that name nobody are no use by anybody
            rows.append(
                [month, team, currency, *used, amount, low, high, share, previous, unpriced]
            )
    rows.sort(key=lambda row: (row[0], row[2], -(row[8] or 0), row[1]))
    names = ["month", "team", "currency", *_TOKENS]
    return pd.DataFrame(
        rows, columns=[*names, "cost", "low", "high", "share", "previous", "unpriced_tokens"]
    )


def _tokens(priced: Priced) -> dict[tuple[date, str, str], list[float]]:
    import pandas as pd

    months = pd.DatetimeIndex(priced.usage["day"]).to_period("M").to_timestamp()
    keys: dict[str, Any] = {
        "month": months,
        "team": priced.usage["team"].astype(str).to_numpy(),
        "currency": priced.rows["currency"].astype(str).to_numpy(),
    }
    counts = pd.DataFrame({name: priced.usage[name].to_numpy(np.float64) for name in _TOKENS})
    sums = counts.assign(**keys).groupby(list(keys), sort=False)[list(_TOKENS)].sum()
    return {
        (month.date(), str(team), str(currency)): [float(x) for x in values]
        for (month, team, currency), values in zip(sums.index, sums.to_numpy(), strict=True)
    }


def spend_data(priced: Priced, queries: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give spend as plain data for JSON, each figure with its price data and its PromQL.

    Parameters
    ----------
    queries
        PromQL by profile: what the tokens of its rows were asked with.
    """
    usage = priced.usage
    table = showback(priced)
    unpriced = [
        {name: getattr(each, name) for name in each.__dataclass_fields__} for each in priced.unpriced
    ]  # fmt: skip
    days = usage["day"]
    return {
        "version": 1,
        "first": days.min().date() if len(usage) else None,
        "last": days.max().date() if len(usage) else None,
        "prices": priced.version,
        "queries": dict(queries or {}),
        "unpriced": unpriced,
        "totals": priced.total(),
        "causes": priced.causes().to_dict("records"),
        "showback": table.astype(object).where(table.notna(), None).to_dict("records"),
        "notes": list(priced.notes),
    }

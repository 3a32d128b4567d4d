"""Price books from files: CSV as spreadsheets write it, and TOML.

A wrong price is worse than none. Whatever can be read in two ways is refused with its line: "1,234"
may be one and a bit or a thousand, and the book's author knows which.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn

from workbench.errors import BadRowsError, InputError, did_you_mean
from workbench.spend.prices.book import ANY, Entry, Exchange, PriceBook
from workbench.spend.prices.numerals import read_number

__all__ = ["COLUMNS", "load_price_book", "read_price_book"]

COLUMNS: Final = (
    "provider",
    "model",
    "region",
    "unit",
    "token_class",
    "price",
    "currency",
    "valid_from",
    "valid_to",
    "tier_start",
)
"""Columns of a CSV and keys of a ``[[price]]`` table; `provider`, `model`, `unit` and `price` must be
there. A line of unit ``per USD`` is an exchange rate: its `price` is what a dollar costs in `currency`
from `valid_from` on."""

_NEEDED: Final = ("provider", "model", "unit", "price")
_MOST_BYTES: Final = 16 * 2**20

_EXCHANGE_KEYS: Final = {"per_usd": "price", "since": "valid_from"}

_CLASSES: Final = {
    "input": "input",
    "prompt": "input",
    "output": "output",
    "completion": "output",
    "reasoning": "reasoning",
    "cache_read": "cache_read",
    "cached": "cache_read",
    "cached_input": "cache_read",
    "cache_write": "cache_write",
    "cache_creation": "cache_write",
}
_UNIT: Final = re.compile(
    r"(?:per )?(1k|1m|1000|1000000|1,000|1,000,000|k|m|thousand|million)? ?([a-z_ ]*?) ?(tokens?|requests?|hours?)"
)
_TIMES: Final = {"1k": 1000, "k": 1000, "1000": 1000, "thousand": 1000}

_STRONG: Final = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "SGD", "USD"})
_DEAREST: Final = Decimal(10_000)
"""Dearer than any published price per million tokens by a factor of ten: such a line has its unit
wrong. In a currency of small units the bound is 30,000 times that."""


class _Refused(Exception):  # noqa: N818 - a signal between reader and caller, never raised to users
    """A cell that cannot be taken, before its line is known."""


def load_price_book(path: Path | str) -> PriceBook:
    """Read a price book from a ``.csv`` or ``.toml`` file.

    Raises
    ------
    BadRowsError
        A line is wrong: the message names it, what is wrong, and the mend.
    InputError
        The file cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        what = f"the price book {path.name!r} cannot be read ({error.strerror})"
        raise InputError(what, "check the path and its permissions") from error
    return read_price_book(data, name=path.name, toml=path.suffix.lower() == ".toml")


def read_price_book(data: bytes, *, name: str = "price book", toml: bool = False) -> PriceBook:
    r"""Read a price book from bytes.

    Parameters
    ----------
    data
        UTF-8 with or without a byte order mark, or UTF-16 with one; other encodings are refused with
        the first line that shows them.
    name
        For messages and sources.
    toml
        ``[[price]]`` tables with the keys of `COLUMNS`, and ``[[exchange]]`` tables with `currency`,
        `per_usd` and `since`, instead of CSV.

    Examples
    --------
    >>> book = read_price_book(b"provider;model;unit;price\nopenai;gpt-4o;1M input tokens;2,10\n")
    >>> book.entries[0].price
    Decimal('2.10')
    """
    if len(data) > _MOST_BYTES:
        what = f"{name} is larger than 16 MiB"
        raise BadRowsError(what, "leave out what is no price")
    text = _decode(data, name)
    rows = _toml_rows(text, name) if toml else _csv_rows(text, name)
    entries: list[Entry] = []
    exchange: list[Exchange] = []
    for line, row, point in rows:
        try:
            read = _exchange if _unit_text(row) == "per usd" else _entries
            for each in read(line, row, point):
                (exchange if isinstance(each, Exchange) else entries).append(each)  # type: ignore[arg-type]
        except _Refused as error:
            _refuse(name, line, *error.args)
    if not entries:
        what = f"{name} has no prices"
        raise BadRowsError(what, f"give columns {', '.join(COLUMNS)}")
    try:
        return PriceBook(tuple(entries), tuple(exchange), name)
    except BadRowsError as error:
        what = f"{name}: {error.what}"
        raise BadRowsError(what, error.mend) from None


def _decode(data: bytes, name: str) -> str:
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"is no {'UTF-16' if utf16 else 'UTF-8'} (byte 0x{data[error.start]:02x})"
        _refuse(name, line, what, "save the file as UTF-8")
    if "\0" in text:
        _refuse(name, text.count("\n", 0, text.index("\0")) + 1, "has a NUL", "save it as UTF-8")
    return text


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str], str]]:
    """Give the line, the cells by column, and what the file uses as decimal point."""
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns([cell.strip().lower() for cell in cells], name, start)
            elif len(cells) > len(columns):
                what = f"has {len(cells)} cells for {len(columns)} columns"
                _refuse(name, start, what, "quote cells that contain the delimiter")
            else:
                found = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
                yield start, found, "." if delimiter == "," else ""
    except csv.Error as error:
        _refuse(name, reader.line_num, f"is no CSV ({error})", "check the quotes")


def _columns(header: list[str], name: str, line: int) -> list[str]:
    names = [{"class": "token_class", "token_type": "token_class"}.get(n, n) for n in header]
    for each in names:
        if each not in COLUMNS:
            mend = did_you_mean(each, COLUMNS) or f"known are {', '.join(COLUMNS)}"
            _refuse(name, line, f"has an unknown column {each!r}", mend)
        if names.count(each) > 1:
            _refuse(name, line, f"has the column {each!r} twice", "leave one out")
    if missing := [each for each in _NEEDED if each not in names]:
        _refuse(name, line, f"lacks the column {missing[0]!r}", f"give {', '.join(_NEEDED)}")
    return names


def _toml_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str], str]]:
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        what = f"{name} is no TOML: {error}"
        raise BadRowsError(what, "mend that place") from error
    for kind, rows in tables.items():
        if kind not in ("price", "exchange") or not isinstance(rows, list):
            what = f"{name} has an unknown table {kind!r}"
            raise BadRowsError(what, "give [[price]] and [[exchange]] tables")
        lines = [
            n for n, each in enumerate(text.splitlines(), 1)
            if re.match(rf"\s*\[\[\s*{kind}\s*\]\]", each)
        ]  # fmt: skip
        for n, row in enumerate(rows):
            line = lines[n] if n < len(lines) else 0
            if not isinstance(row, dict):
                _refuse(name, line, "is no table", "give key = value lines")
            renamed: Mapping[str, str] = _EXCHANGE_KEYS if kind == "exchange" else {}
            cells = {renamed.get(key, key): str(value).strip() for key, value in row.items()}
            if kind == "exchange":
                cells["unit"] = "per USD"
            for key in cells:
                if key not in COLUMNS:
                    _refuse(name, line, f"has an unknown key {key!r}", did_you_mean(key, COLUMNS))
            yield line, cells, "."


def _unit_text(row: Mapping[str, str]) -> str:
    return " ".join(row.get("unit", "").lower().replace("/", " ").split())


def _exchange(line: int, row: Mapping[str, str], point: str) -> Iterator[Exchange]:
    since = _day(row, "valid_from")
    if since is None:
        _stop("is an exchange rate without a day", "give valid_from")
    rate = _number(row, point)
    if rate == 0:
        _stop("is an exchange rate of 0", "give what a dollar costs in the currency")
    yield Exchange(line, _currency(row), rate, since)


def _entries(line: int, row: Mapping[str, str], point: str) -> Iterator[Entry]:
    what, factor = _what(row)
    price, currency = _number(row, point) * factor, _currency(row)
    dearest = _DEAREST * (1 if currency in _STRONG else 30_000)
    if price > dearest:
        shown = f"prices {what} at {price:,f} {currency}" + (" per 1M tokens" * (factor > 0))
        _stop(f"{shown}, more than any known model", "check the unit and the price")
    start, end = _day(row, "valid_from"), _day(row, "valid_to")
    if start and end and end < start:
        _stop(f"ends on {end}, before it begins on {start}", "swap the two days")
    names = {}
    for key in ("provider", "model"):
        names[key] = row.get(key, "")
        if not names[key]:
            _stop(f"has no {key}", f"name the {key}" + " or give *" * (key == "provider"))
    if "*" in names["model"]:
        _stop(f"has the model {names['model']!r}", "name one model: * is for regions and providers")
    tier = row.get("tier_start", "") or "0"
    if not tier.isascii() or not tier.isdigit() or len(tier) > 9:
        _stop(f"has the tier start {tier!r}", "give a number of tokens such as 200000")
    yield Entry(
        line, names["provider"], names["model"], what, price, currency,
        row.get("region", "") or ANY, start, end, int(tier),
    )  # fmt: skip


def _what(row: Mapping[str, str]) -> tuple[str, Decimal]:
    """Read unit and token class: what is priced, and by what the price is multiplied."""
    match = _UNIT.fullmatch(_unit_text(row))
    if match is None:
        mend = "write 1M tokens, 1K tokens, 1M input tokens, request, 1K requests, hour or per USD"
        _stop(f"has the unit {row.get('unit', '')!r}", mend)
    scale, between, unit = match[1] or "", match[2].strip().replace(" ", "_"), match[3].rstrip("s")
    per = 1 if not scale else _TIMES.get(scale.replace(",", ""), 1_000_000)
    if unit != "token":
        if between or (unit == "hour" and scale):
            _stop(f"has the unit {row['unit']!r}", f"write {unit}")
        return unit, Decimal(1) / per
    asked = row.get("token_class", "").lower().replace(" ", "_").replace("-", "_")
    asked = asked.removesuffix("_tokens").removesuffix("_token") or between
    known = _CLASSES.get(asked)
    if known is None or (between and _CLASSES.get(between) != known):
        mend = (
            did_you_mean(asked, _CLASSES)
            or "give input, cache_read, cache_write, output or reasoning"
        )
        _stop(f"has the token class {asked!r}", mend)
    return known, Decimal(1_000_000) / per


def _number(row: Mapping[str, str], point: str) -> Decimal:
    try:
        return read_number(row.get("price", ""), point=point)
    except InputError as error:
        _stop(f"has the price {row.get('price', '')[:40]!r}: {error.what}", error.mend)


def _currency(row: Mapping[str, str]) -> str:
    text = (row.get("currency", "") or "USD").upper()
    if not re.fullmatch(r"[A-Z]{3}", text):
        _stop(f"has the currency {text[:20]!r}", "give three letters such as USD or EUR")
    return text


def _day(row: Mapping[str, str], key: str) -> date | None:
    text = row.get(key, "")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        _stop(f"has {key} {text[:40]!r}", "write days as 2026-01-31")


def _stop(what: str, mend: str) -> NoReturn:
    raise _Refused(what, mend)


def _refuse(name: str, line: int, what: str, mend: str) -> NoReturn:
    message = f"{name}, line {line} {what}"
    raise BadRowsError(message, mend)

"""Reads an invoice: a provider's CSV and its mapping into lines of one form.

Money is never guessed at: a number, day or currency that can be read in two ways is refused with its
line. What is left out (totals, repeated lines) is told with its money.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from workbench.errors import BadRowsError, InputError
from workbench.spend.invoices.decoding import Sheet, read_sheet
from workbench.spend.invoices.lines import Invoice, InvoiceLine, LineKind
from workbench.spend.invoices.mapping import FIELDS, InvoiceMapping
from workbench.spend.invoices.numbers import decimal_mark, read_signed, unguarded
from workbench.spend.usage import TokenClass

__all__ = ["load_invoice", "read_invoice"]

_TOTAL: Final = re.compile(
    r"\s*(?:(?:sub|grand|invoice|overall)[ -]?)?totals?\b|\s*(?:amount|balance) due\b|"
    r"\s*(?:gesamt|summe)", re.IGNORECASE
)  # fmt: skip
_TAX: Final = re.compile(r"\b(?:tax|vat|gst|mwst|umsatzsteuer)\b", re.IGNORECASE)
_REFUND: Final = re.compile(r"\brefund", re.IGNORECASE)
_LONGEST: Final = 2_000
"""Of a text that rules look at: expressions may be slow on long ones."""
_CLASSES: Final = frozenset(c.value for c in TokenClass)
_OF_A_LINE: Final = frozenset({"start", "end", "amount", "quantity", "id"})
"""Fields that differ from line to line and tell nothing of what a line is for."""
_DAY: Final = timedelta(days=1)


class _Refused(Exception):  # noqa: N818 - a signal between reader and caller, never raised to users
    """A cell that cannot be taken, before its line is known."""


def load_invoice(path: Path | str, mapping: InvoiceMapping) -> Invoice:
    """Read an invoice from a file.

    Raises
    ------
    InputError
        The file cannot be read.
    BadRowsError
        Its content cannot: the message names the line and the mend.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"the invoice {path.name!r} cannot be read ({error.strerror})"
        raise InputError(what, "check the path and its permissions") from error
    return read_invoice(data, mapping, name=path.name)


def read_invoice(data: bytes, mapping: InvoiceMapping, *, name: str = "invoice") -> Invoice:
    r"""Read an invoice from bytes.

    Parameters
    ----------
    data
        CSV in UTF-8 or UTF-16, with a byte order mark or without, or the encoding of the mapping.
        What is no UTF-8 is read as Windows-1252, with a note.
    mapping
        Which column is what.
    name
        For messages.

    Examples
    --------
    >>> from workbench.spend.invoices import shipped_mapping
    >>> head = b"start_time_iso,amount_value,amount_currency,line_item,quantity\n"
    >>> row = b'2026-11-01T00:00:00+00:00,2.5,usd,"gpt-4o-2024-08-06, input",1000000\n'
    >>> read_invoice(head + row, shipped_mapping("openai")).lines[0].token_class
    'input'
    """
    sheet = read_sheet(data, mapping, name)
    reader = _Reader(mapping, sheet, name)
    for line, cells in sheet.rows:
        try:
            reader.take(line, cells)
        except _Refused as error:
            _refuse(name, line, *error.args)
    if not reader.lines:
        what = f"{name} has a header, but no lines with money"
        raise BadRowsError(what, "export a time in which something was used")
    return Invoice(_dated(reader, mapping), (name,), (*sheet.notes, *reader.remarks()))


def _dated(reader: _Reader, mapping: InvoiceMapping) -> tuple[InvoiceLine, ...]:
    """Take lines that all begin at midnight, and have no end, to be of whole days."""
    zone = ZoneInfo(mapping.time_zone)
    moments = {line.at.astimezone(zone).time() for line in reader.lines if line.at}
    if "end" in reader.sheet.columns or moments != {time(0)}:
        return tuple(reader.lines)
    return tuple(replace(line, at=None) for line in reader.lines)


@dataclass(slots=True)
class _Reader:
    """Reads rows one after the other and remembers which it has seen."""

    mapping: InvoiceMapping
    sheet: Sheet
    name: str
    mark: str = ""
    lines: list[InvoiceLine] = field(default_factory=list)
    totals: list[tuple[int, str, Decimal]] = field(default_factory=list)
    repeated: list[tuple[int, str, Decimal]] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    moments: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    tellings: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places = [self.sheet.columns[f] for f in ("amount", "quantity") if f in self.sheet.columns]
        numbers = [c[n] for _, c in self.sheet.rows for n in places if n < len(c) and c[n].strip()]
        if self.mapping.decimal != "auto":
            self.mark = self.mapping.decimal
            return
        try:
            self.mark = decimal_mark(numbers)
        except InputError as error:
            what = f"{self.name}: {error.what}"
            raise BadRowsError(what, error.mend) from None

    def cell(self, cells: list[str], name: str) -> str:
        place = self.sheet.columns.get(name, len(cells))
        return unguarded(cells[place])[:_LONGEST] if place < len(cells) else ""

    def take(self, line: int, cells: list[str]) -> None:
        texts = {name: self.cell(cells, name) for name in self.sheet.columns}
        if not texts["amount"]:
            return  # days without usage, headings, signatures
        amount, symbol = self.number(texts["amount"], "amount")
        key = tuple(text for name, text in texts.items() if name not in _OF_A_LINE)
        if key not in self.tellings:
            self.tellings[key] = self.tell(texts)
        told = self.tellings[key]
        currency = self.currency(texts, symbol)
        if told["kind"] == LineKind.TOTAL or (not told["kind"] and _is_total(texts, cells)):
            self.totals.append((line, currency, amount))
            return
        whole = tuple(cell.strip() for cell in cells)
        if whole in self.seen and amount:
            self.repeated.append((line, currency, amount))
            return
        self.seen.add(whole)
        self.lines.append(self.line(line, texts, told, amount, currency))

    def line(
        self,
        line: int,
        texts: Mapping[str, str],
        told: Mapping[str, str],
        amount: Decimal,
        currency: str,
    ) -> InvoiceLine:
        start, days, at = self.span(texts)
        tokens = self.tokens(texts, told)
        kind = self.kind(texts, told, amount, tokens)
        if kind not in {LineKind.USAGE, LineKind.REFUND}:
            tokens = None
        named = {f: told[f] for f in ("provider", "model", "region", "tier", "account")}
        token_class = told["token_class"] if told["token_class"] in _CLASSES else ""
        return InvoiceLine(
            start, days, at, **named, token_class=token_class, tokens=tokens, amount=amount,
            currency=currency, kind=kind, description=texts.get("description", ""),
            id=texts.get("id", ""), line=line,
        )  # fmt: skip

    def tell(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Read the fields from columns, then rules; translate what has a translation."""
        told = {name: texts.get(name, "") for name in FIELDS}
        told["provider"] = told["provider"] or self.mapping.provider
        for name, values in self.mapping.values.items():
            told[name] = values.get(told[name].casefold(), told[name])
        for rule in self.mapping.rule:
            match = re.search(rule.match, texts.get(rule.text, ""), re.IGNORECASE)
            if match is None:
                continue
            for name, value in {**rule.set, **match.groupdict()}.items():
                if value and not told[name]:
                    told[name] = self.mapping.values.get(name, {}).get(value.casefold(), value)
        return told

    def kind(
        self,
        texts: Mapping[str, str],
        told: Mapping[str, str],
        amount: Decimal,
        tokens: Decimal | None,
    ) -> LineKind:
        stated = told["kind"].casefold()
        if stated in set(LineKind):
            kind = LineKind(stated)
            return LineKind.REFUND if kind is LineKind.USAGE and amount < 0 else kind
        text = f"{told['kind']} {texts.get('description', '')}"
        if _TAX.search(text):
            return LineKind.TAX
        if amount < 0:
            return LineKind.REFUND if tokens or _REFUND.search(text) else LineKind.CREDIT
        counted = told["model"] and (told["token_class"] in _CLASSES or tokens is not None)
        return LineKind.USAGE if counted else LineKind.OTHER

    def tokens(self, texts: Mapping[str, str], told: Mapping[str, str]) -> Decimal | None:
        if not texts.get("quantity"):
            return None
        quantity, _ = self.number(texts["quantity"], "quantity")
        unit = told["unit"].casefold()
        factor = self.mapping.units.get(unit) if unit else self.mapping.tokens_per_quantity
        return quantity * factor if factor else None

    def number(self, text: str, column: str) -> tuple[Decimal, str]:
        try:
            digits = re.sub(r"[^\d.,]", "", text)
            if not self.mark and re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits):
                _stop(f"has the {column} {text[:40]!r}, which can be read in two ways",
                      'say decimal = "." or decimal = "," in the mapping')  # fmt: skip
            return read_signed(text, self.mark)
        except InputError as error:
            _stop(f"has the {column} {text[:40]!r}: {error.what}", error.mend)

    def currency(self, texts: Mapping[str, str], symbol: str) -> str:
        named = (texts.get("currency") or symbol or self.mapping.currency).upper()
        if not re.fullmatch("[A-Z]{3}", named):
            _stop(f"has the currency {named[:20]!r}", "give three letters such as USD or EUR")
        if symbol and texts.get("currency") and symbol != named:
            _stop(f"has an amount in {symbol}, but the currency {named}", "mend one of them")
        return named

    def span(self, texts: Mapping[str, str]) -> tuple[date, int, datetime | None]:
        start, timed = self.moment(texts["start"], "start")
        if not texts.get("end"):
            return start.date(), 1, start.astimezone(UTC) if timed else None
        end, end_timed = self.moment(texts["end"], "end")
        if not end_timed and end == start:
            end += _DAY
        if end < start:
            _stop(f"ends on {end.date()}, before it begins on {start.date()}", "swap the two")
        if end - start < timedelta(hours=22.5):  # a day with a change of the clock has 23 hours
            return start.date(), 1, start.astimezone(UTC)
        days = max(1, round((end.replace(tzinfo=None) - start.replace(tzinfo=None)) / _DAY))
        return start.date(), days, None

    def moment(self, text: str, column: str) -> tuple[datetime, bool]:
        """Read a day or a moment in the zone of the mapping, and whether it tells a time."""
        if text in self.moments:
            return self.moments[text]
        zone = ZoneInfo(self.mapping.time_zone)
        for pattern in self.mapping.date_formats:
            try:
                read = _read_moment(text, pattern)
            except (ValueError, OverflowError, OSError):
                continue
            local = read.astimezone(zone) if read.tzinfo else read.replace(tzinfo=zone)
            if not 2015 <= local.year <= 2100:
                _stop(f"has the {column} {text[:40]!r}, in the year {local.year}", "mend the day")
            self.moments[text] = (local, ":" in text or pattern == "unix")
            return self.moments[text]
        formats = ", ".join(self.mapping.date_formats)
        what = f"has the {column} {text[:40]!r}, which is none of {formats}"
        raise _Refused(what, "add its date format to the mapping")

    def remarks(self) -> list[str]:
        """Say what was left out, and totals that do not add up."""
        notes = []
        if self.repeated:
            money = _by_currency(self.repeated)
            shown = ", ".join(str(line) for line, _, _ in self.repeated[:10])
            notes.append(f"{self.name}: {len(self.repeated)} lines repeat an earlier one cell by cell and are counted once ({money}): lines {shown}")  # fmt: skip
        for line, currency, amount in self.totals:
            parts = [each.amount for each in self.lines if each.currency == currency]
            tax = sum((e.amount for e in self.lines if e.kind is LineKind.TAX and e.currency == currency), Decimal(0))  # fmt: skip
            total = sum(parts, Decimal(0))
            if min(abs(amount - total), abs(amount - total + tax)) > Decimal("0.01"):
                notes.append(f"{self.name}, line {line}: a total of {amount:,} {currency}, but the lines add up to {total:,}")  # fmt: skip
        if len(currencies := sorted({each.currency for each in self.lines})) > 1:
            notes.append(f"{self.name} is in {' and '.join(currencies)}, which are kept apart")
        return notes


def _is_total(texts: Mapping[str, str], cells: list[str]) -> bool:
    """Tell a row of sums: some cell says so, and no day or model stands in it."""
    says = any(_TOTAL.match(cell) for cell in cells)
    return says and not (texts.get("model") or texts.get("quantity"))


def _read_moment(text: str, pattern: str) -> datetime:
    text = text.strip()
    if pattern == "unix":
        return datetime.fromtimestamp(float(text), UTC)
    if pattern != "iso":
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is the mapping's
    text = text.split("/", 1)[0] if text.count("/") == 1 else text  # CUR: an interval
    return datetime.fromisoformat(text.removesuffix(" UTC") + ("+00:00" * text.endswith(" UTC")))


def _by_currency(left_out: list[tuple[int, str, Decimal]]) -> str:
    sums: dict[str, Decimal] = {}
    for _, currency, amount in left_out:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return ", ".join(f"{amount:,} {currency}" for currency, amount in sorted(sums.items()))


def _stop(what: str, mend: str) -> NoReturn:
    raise _Refused(what, mend)


def _refuse(name: str, line: int, what: str, mend: str) -> NoReturn:
    message = f"{name}, line {line} {what}"
    raise BadRowsError(message, mend)

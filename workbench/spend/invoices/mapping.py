"""How a provider's CSV is read: which column is what, and what the texts of its line items mean."""

from __future__ import annotations

import re
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workbench.spend.naming import Names

__all__ = ["FIELDS", "InvoiceColumns", "InvoiceMapping", "InvoiceRule"]

FIELDS: Final = ("provider", "model", "region", "tier", "token_class", "kind", "unit", "account")
"""What a rule may tell of a line; a column of the same name tells it first."""

_NO_TEXTS: Final = ("start", "end", "amount", "quantity", "id")

_MODEL: Final = ConfigDict(frozen=True, extra="forbid")


class InvoiceColumns(BaseModel):
    """The header's name of each field; of several, the first that the file has.

    Case and punctuation do not matter: ``lineItem/UsageAmount`` is ``line_item_usage_amount``.
    """

    model_config = _MODEL

    start: Names = Field(min_length=1, description="first day or hour of a line")
    amount: Names = Field(min_length=1, description="money of a line")
    end: Names = Field((), description="where a line ends, the moment itself not in it")
    description: Names = Field((), description="the line item's text, for the rules")
    quantity: Names = Field((), description="how much was used")
    unit: Names = Field((), description="of what the quantity counts")
    currency: Names = Field((), description="as in ISO 4217")
    id: Names = Field((), description="what tells a line from all others")
    kind: Names = Field((), description="usage, tax, credit and so on")
    provider: Names = ()
    model: Names = ()
    region: Names = ()
    tier: Names = ()
    token_class: Names = ()
    account: Names = Field((), description="whose invoice: tells lines of two accounts apart")


class InvoiceRule(BaseModel):
    """What it means that a text looks like something.

    Named groups of the expression, and then `set`, tell fields; what a column or an earlier rule
    has told stays.
    """

    model_config = _MODEL

    match: str = Field(min_length=1, description="regular expression, found anywhere, any case")
    text: str = Field("description", description="the field whose text it is")
    set: dict[str, str] = Field({}, description="fields and what they are")

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        try:
            names = re.compile(match).groupindex
        except re.error as error:
            msg = f"{match!r} is no regular expression ({error})"
            raise ValueError(msg) from None
        if unknown := sorted(set(names) - set(FIELDS)):
            msg = f"the group {unknown[0]!r} is no field (they are {', '.join(FIELDS)})"
            raise ValueError(msg)
        return match

    @field_validator("text")
    @classmethod
    def _is_column(cls, text: str) -> str:
        texts = [name for name in InvoiceColumns.model_fields if name not in _NO_TEXTS]
        if text not in texts:
            msg = f"{text!r} is no column of texts (they are {', '.join(texts)})"
            raise ValueError(msg)
        return text

    @field_validator("set")
    @classmethod
    def _known(cls, told: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(told) - set(FIELDS)):
            msg = f"{unknown[0]!r} is no field (they are {', '.join(FIELDS)})"
            raise ValueError(msg)
        return told


class InvoiceMapping(BaseModel):
    """How one provider's export is read.

    Parameters
    ----------
    date_formats
        Tried in turn: ``iso`` (with or without a time), ``unix`` (seconds), or a pattern of
        `strptime`. A file whose days fit none is refused.
    time_zone
        In which the provider cuts its days; times with an offset are brought to it.
    decimal
        ``auto`` goes by all numbers of the file and refuses those that can be read in two ways.
    units
        Tokens in one of each unit, by the text of the unit's column or of a rule; a unit that is not
        named is not counted in tokens. Without a unit, `tokens_per_quantity` holds.
    values
        Translations of what was read, by field: ``values.token_class."completion" = "output"``.
    """

    model_config = _MODEL

    version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    provider: str = Field("", description="whose invoice, where no column tells")
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="where no column tells")
    encoding: str = Field("auto", description="auto, or a name such as utf-16 or latin-1")
    delimiter: str = Field("auto", description="auto, or one character")
    decimal: Literal["auto", ".", ","] = "auto"
    date_formats: Names = ("iso",)
    time_zone: str = "UTC"
    tokens_per_quantity: int = Field(1, ge=1)
    columns: InvoiceColumns
    units: dict[str, int] = {}
    values: dict[str, dict[str, str]] = {}
    rule: tuple[InvoiceRule, ...] = ()

    @field_validator("values")
    @classmethod
    def _fields(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if unknown := sorted(set(values) - set(FIELDS)):
            msg = f"{unknown[0]!r} is no field (they are {', '.join(FIELDS)})"
            raise ValueError(msg)
        return {f: {k.casefold(): v for k, v in told.items()} for f, told in values.items()}

    @field_validator("units")
    @classmethod
    def _counted(cls, units: dict[str, int]) -> dict[str, int]:
        if any(tokens < 1 for tokens in units.values()):
            msg = "a unit holds at least one token; leave out what is no token"
            raise ValueError(msg)
        return {name.casefold(): tokens for name, tokens in units.items()}

    @field_validator("encoding")
    @classmethod
    def _encodes(cls, encoding: str) -> str:
        if encoding != "auto":
            try:
                "a".encode(encoding)  # of no text at all any name would do
            except (LookupError, ValueError):
                msg = f"{encoding!r} is no encoding that is known; give auto or utf-16"
                raise ValueError(msg) from None
        return encoding

    @field_validator("time_zone")
    @classmethod
    def _zoned(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            msg = f"{name!r} is no time zone such as Europe/Berlin"
            raise ValueError(msg) from None
        return name

"""Spend in the FinOps Open Cost and Usage Specification (FOCUS) 1.2, with real tokens and unit prices.

FOCUS 1.2 has no columns for models: a row is what one account used of one token class on one day, the
quantity is its tokens, and the price is per million of them. Bounds, the source of the price and the
PromQL of the tokens stand in columns of our own (``x_``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.spend.prices import NANO, Catalogue, Priced, Prices, Quote, Unpriced, bundled
from workbench.spend.usage import TokenClass

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "MANDATORY", "OWN_COLUMNS", "FocusAccount", "FocusExport", "focus_table"]

COLUMNS: Final = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName",
    "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory",
    "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName",
    "SubAccountType", "Tags",
)  # fmt: skip
"""All columns of FOCUS 1.2, in its order, which is the alphabet's."""

MANDATORY: Final = frozenset(
    {
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
        "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
        "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
        "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
        "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
    }
)  # fmt: skip
"""Those of feature level *Mandatory*. All but `ChargeClass`, which is null for what is no correction,
have a value in each row here."""

OWN_COLUMNS: Final = (
    "x_CostHigh", "x_CostLow", "x_Model", "x_PriceSource", "x_PriceVersion", "x_Profile",
    "x_Query", "x_TokenClass",
)  # fmt: skip
"""Of ours: bounds of the cost, and where price and tokens come from."""

_METERS: Final = {
    "input": "Input Tokens",
    "cache_read": "Cache Read Input Tokens",
    "cache_write": "Cache Write Input Tokens",
    "output": "Output Tokens",
    "request": "Requests",
}
_NAMES: Final = {
    "anthropic": ("Anthropic", "Claude API"),
    "aws": ("AWS", "Amazon Bedrock"),
    "azure": ("Microsoft", "Azure OpenAI"),
    "google": ("Google Cloud", "Vertex AI"),
    "openai": ("OpenAI", "OpenAI API"),
}
"""Names of provider and service for people; others are called as the price data calls them."""

_MILLION: Final = 1_000_000
_PRICE_DIGITS: Final = Decimal(1).scaleb(-12)
_TAGGED: Final = ("team", "application", "user", "prompt_version", "tier")


@dataclass(frozen=True, slots=True)
class FocusAccount:
    """Whose bill it is.

    Attributes
    ----------
    id, name, type
        Of the account that receives the invoices.
    zone
        In which the days of the table are cut; FOCUS has UTC.
    """

    id: str
    name: str
    type: str = "Organization"
    zone: str = "UTC"


@dataclass(frozen=True, eq=False)
class FocusExport:
    """A table for `workbench.spend.exports.showback.write_csv`, and what is not in it.

    Attributes
    ----------
    table
        Columns `COLUMNS`, then `OWN_COLUMNS`; money as `Decimal`, None where there is no value.
    left_out
        Tokens without a price: FOCUS wants a cost in each row, and they are not free.
    """

    table: pd.DataFrame
    left_out: tuple[Unpriced, ...] = field(default=())


def focus_table(
    priced: Priced,
    account: FocusAccount,
    *,
    queries: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
) -> FocusExport:
    """Lay spend out as FOCUS 1.2.

    Costs are ours, not an invoice's: `InvoiceId` is null. `ListUnitPrice` is the published price,
    `ContractedUnitPrice` that of the price book where it has one; where requests fell into several
    tiers both are the mean of what the tokens cost. Bounds of a row are shared out over its
    token classes as its cost is.

    Parameters
    ----------
    account
        Who pays.
    queries
        PromQL by profile, for ``x_Query``.
    catalogue
        For list prices beside contract prices; the bundled one by default.

    Examples
    --------
    ``write_csv(focus_table(priced, FocusAccount("acme", "Acme")).table, "focus.csv")``
    """
    import pandas as pd

    lists = Prices(catalogue=catalogue or bundled())
    writer = _Writer(priced, account, queries or {}, lists)
    found = [row for meter in _METERS for row in writer.rows(meter)]
    found.sort(key=lambda row: (row["ChargePeriodStart"], row["SkuId"]))
    table = pd.DataFrame(found, columns=[*COLUMNS, *OWN_COLUMNS], dtype=object)
    return FocusExport(table.where(table.notna(), None), priced.unpriced)


@dataclass(frozen=True, slots=True)
class _Writer:
    priced: Priced
    account: FocusAccount
    queries: Mapping[str, str]
    lists: Prices

    def rows(self, meter: str) -> list[dict[str, Any]]:
        usage, rows = self.priced.usage, self.priced.rows
        money = rows[meter].astype(object).to_numpy()
        counted = usage["requests" if meter == "request" else meter].to_numpy(np.float64)
        known = rows[meter].notna().to_numpy(bool)
        chosen = [n for n in range(len(rows)) if known[n] and counted[n] > 0]
        dimensions = usage[[*_TAGGED, "profile", "day"]].astype(object).to_numpy()
        bounds = rows[["amount", "low", "high"]].astype(object).to_numpy()
        found = []
        for n in chosen:
            number = self.priced.quoted.number[n]
            told = dict(zip((*_TAGGED, "profile", "day"), dimensions[n], strict=True))
            quote, label = self.priced.quoted.quotes[number], self.priced.quoted.labels[number]
            quantity = Decimal(repr(float(counted[n])))
            row = self.common(told["day"].date()) | self.sku(quote, label, meter)
            row |= self.costs(
                quote, label, meter, quantity, int(money[n]) * NANO, told["day"].date()
            )
            row |= self.tags(told)
            row |= _bounds(int(money[n]), bounds[n])
            row |= {"x_PriceVersion": self.priced.version, "x_TokenClass": meter}
            found.append(row)
        return found

    def common(self, day: date) -> dict[str, Any]:
        """What all rows of a day share."""
        first = day.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
        zone = self.account.zone
        return {
            "BillingAccountId": self.account.id, "BillingAccountName": self.account.name,
            "BillingAccountType": self.account.type, "BillingPeriodStart": _moment(first, zone),
            "BillingPeriodEnd": _moment(after, zone), "ChargePeriodStart": _moment(day, zone),
            "ChargePeriodEnd": _moment(day + timedelta(days=1), zone), "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based", "PricingCategory": "Standard",
            "ServiceCategory": "AI and Machine Learning", "ServiceSubcategory": "Generative AI",
        }  # fmt: skip

    def sku(self, quote: Quote, label: tuple[str, str, str, str], meter: str) -> dict[str, Any]:
        identity, tier = quote.identity, label[3] or "standard"
        provider, service = _NAMES.get(identity.provider, (identity.provider, identity.provider))
        sku = f"{identity.provider}/{identity.model}/{meter}"
        details = {"Model": identity.model, "TokenClass": meter, "ServiceTier": tier}
        if identity.region:
            details["Region"] = identity.region
        return {
            "ProviderName": provider, "PublisherName": provider, "InvoiceIssuerName": provider,
            "ServiceName": service, "SkuId": sku, "SkuMeter": _METERS[meter],
            "SkuPriceId": f"{sku}/{tier}" + (f"/{identity.region}" if identity.region else ""),
            "SkuPriceDetails": _json(details), "RegionId": identity.region or None,
            "RegionName": identity.region or None, "x_Model": label[1] or identity.model,
            "ChargeDescription": f"{_METERS[meter]} of {identity.model} at {provider}",
            "x_PriceSource": quote.rates.source if quote.rates else None,
        }  # fmt: skip

    def costs(  # noqa: PLR0917 - what of whom, how much, when
        self, quote: Quote, label: tuple[str, str, str, str], meter: str, quantity: Decimal,
        cost: Decimal, day: date,
    ) -> dict[str, Any]:  # fmt: skip
        currency = quote.rates.currency if quote.rates else "USD"
        each = meter == "request"
        priced = quantity if each else quantity / _MILLION
        paid = _unit(quote, meter, cost, priced)
        listed = paid
        if quote.rates is not None and quote.rates.contract:
            published = self.lists.quote(*label, day)
            if published.rates is not None and published.rates.currency == currency:
                listed = _published(published, meter) or paid
        return {
            "BilledCost": cost, "EffectiveCost": cost, "ContractedCost": paid * priced,
            "ContractedUnitPrice": paid, "ListCost": listed * priced, "ListUnitPrice": listed,
            "BillingCurrency": currency, "PricingCurrency": currency,
            "PricingCurrencyContractedUnitPrice": paid, "PricingCurrencyEffectiveCost": cost,
            "PricingCurrencyListUnitPrice": listed, "ConsumedQuantity": quantity,
            "ConsumedUnit": "Requests" if each else "Tokens", "PricingQuantity": priced,
            "PricingUnit": "Requests" if each else f"{_MILLION} Tokens",
        }  # fmt: skip

    def tags(self, told: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: _text(told[name]) for name in _TAGGED}
        team = named["team"] or None
        return {
            "Tags": _json({name: value for name, value in named.items() if value}),
            "SubAccountId": team, "SubAccountName": team, "SubAccountType": "Team" if team else None,
            "x_Profile": _text(told["profile"]) or None,
            "x_Query": self.queries.get(_text(told["profile"])),
        }  # fmt: skip


def _unit(quote: Quote, meter: str, cost: Decimal, quantity: Decimal) -> Decimal:
    """Give the price that was paid: the quoted one where it makes the cost, else the mean."""
    base = _published(quote, meter)
    if base is not None and abs(base * quantity - cost) <= NANO:
        return base
    return (cost / quantity).quantize(_PRICE_DIGITS)


def _published(quote: Quote, meter: str) -> Decimal | None:
    if quote.rates is None:
        return None
    if meter == "request":
        return quote.rates.per_request
    found = quote.rates.price(TokenClass(meter))
    return found.base if found else None


def _bounds(money: int, bounds: Any) -> dict[str, Any]:
    amount, low, high = bounds
    if not amount:
        return {"x_CostLow": None, "x_CostHigh": None}
    return {
        name: (Decimal(money) * Decimal(int(bound)) / Decimal(int(amount))).to_integral_value()
        * NANO
        for name, bound in (("x_CostLow", low), ("x_CostHigh", high))
    }


@cache
def _moment(day: date, zone: str) -> str:
    """Give the midnight that begins a day, in UTC, as ISO 8601."""
    local = datetime.combine(day, time(0), ZoneInfo(zone))
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(told: Mapping[str, str]) -> str:
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

"""Prices of tokens: list prices by the day, contract prices, and what a table of usage costs."""

from workbench.spend.prices.book import Entry, Exchange, PriceBook
from workbench.spend.prices.book_reading import load_price_book, read_price_book
from workbench.spend.prices.catalogue import Catalogue, Listed, bundled
from workbench.spend.prices.identity import ModelId, Reading, identify
from workbench.spend.prices.money import NANO, as_floats, cents, exact, exact_by, exact_or_none
from workbench.spend.prices.priced import MONEY, Explanation, Priced, Unpriced
from workbench.spend.prices.pricing import price
from workbench.spend.prices.quoting import Cause, Prices, Quote, Reason, Step
from workbench.spend.prices.rates import Price, Rates
from workbench.spend.prices.sizes import RequestSizes

__all__ = [
    "MONEY",
    "NANO",
    "Catalogue",
    "Cause",
    "Entry",
    "Exchange",
    "Explanation",
    "Listed",
    "ModelId",
    "Price",
    "PriceBook",
    "Priced",
    "Prices",
    "Quote",
    "Rates",
    "Reading",
    "Reason",
    "RequestSizes",
    "Step",
    "Unpriced",
    "as_floats",
    "bundled",
    "cents",
    "exact",
    "exact_by",
    "exact_or_none",
    "identify",
    "load_price_book",
    "price",
    "read_price_book",
]

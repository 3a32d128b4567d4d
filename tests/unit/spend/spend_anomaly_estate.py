"""A simulated estate whose anomalies are planted, by its own arithmetic: requests × tokens × price."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from workbench.spend.prices import Prices, price, read_price_book
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

START = date(2026, 5, 25)
WEEK = np.array([1.0, 1.05, 1.1, 1.05, 0.95, 0.4, 0.3])
CLASSES = ("input", "cache_read", "cache_write", "output")
PRICES = {
    "gpt": (2.5, 1.25, 0.0, 10.0),
    "claude": (3.0, 0.3, 3.75, 15.0),
    "mini": (0.15, 0.075, 0.0, 0.6),
}
HEAD = "provider,model,unit,token_class,price,currency,valid_from,valid_to\n"


@dataclass
class Account:
    """One account and how it is used: requests on a Monday, tokens a request, share cached."""

    team: str = "team"
    application: str = "app"
    model: str = "gpt"
    provider: str = "acme"
    user: str = ""
    prompt_version: str = "v1"
    requests: float = 20_000.0
    input: float = 2000.0
    cached: float = 0.4
    output: float = 300.0
    changes: list = field(default_factory=list)

    def change(self, start, stop=None, **factors):
        """Multiply figures from one day to before another."""
        self.changes += [(start, stop, name, factor) for name, factor in factors.items()]
        return self

    def figure(self, name, days):
        values = np.full(days, float(getattr(self, name)))
        for start, stop, which, factor in self.changes:
            if which == name:
                values[start:stop] *= factor
        return values


def estate(
    accounts, days=35, *, seed=0, noise=0.05, growth=0.003, start=START, ends=0.0, dearer=None
):
    """The usage of some accounts at the prices of a book, and the days.

    An account's noise is log-normal; weekdays and growth are common to all. `ends` is how much more
    the last two days of a month have, as a logarithm; `dearer` a model, a day and a factor.
    """
    rng = np.random.default_rng(seed)
    dates = [start + timedelta(days=n) for n in range(days)]
    usual = WEEK[[d.weekday() for d in dates]] * np.exp(growth * np.arange(days))
    last = np.array([(d + timedelta(days=2)).month != d.month for d in dates])
    usual *= np.exp(ends * last)
    parts = [_rows(each, usual * np.exp(rng.normal(0, noise, days)), dates) for each in accounts]
    table = pd.concat(parts, ignore_index=True)
    return price(
        table[table["requests"] > 0].reset_index(drop=True), Prices(_book(dates, dearer))
    ), dates


def _rows(account, usual, dates):
    days = len(dates)
    requests = (account.figure("requests", days) * usual).round()
    cached, sent = account.figure("cached", days), requests * account.figure("input", days)
    figures = dict.fromkeys(FIGURES, np.zeros(days)) | {
        "input": (sent * (1 - cached)).round(),
        "cache_read": (sent * cached).round(),
        "output": (requests * account.figure("output", days)).round(),
        "requests": requests,
    }
    names = {name: getattr(account, name, "") for name in DIMENSIONS}
    made = pd.DataFrame({**figures, **names, "lost": 0.0, "profile": "p"})
    return made.assign(day=np.array(dates, "datetime64[ms]"))[[*COLUMNS]]


def _book(dates, dearer):
    lines = []
    for model, prices in PRICES.items():
        spans = [("", "", 1.0)]
        if dearer and dearer[0] == model:
            day = dates[dearer[1]]
            spans = [("", str(day - timedelta(days=1)), 1.0), (str(day), "", dearer[2])]
        lines += [
            f"acme,{model},1M tokens,{name},{value * factor:.4f},USD,{begin},{end}"
            for begin, end, factor in spans
            for name, value in zip(CLASSES, prices, strict=True)
        ]
    return read_price_book((HEAD + "\n".join(lines)).encode())


def company(teams=6, **changes):
    """Teams of unequal size, each with an application of its own."""
    models = list(PRICES)
    return [
        Account(
            team=f"team-{n}",
            application=f"app-{n}",
            model=models[n % 3],
            requests=60_000 / (n + 1),
            **changes,
        )
        for n in range(teams)
    ]

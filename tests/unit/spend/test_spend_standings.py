"""What was spent in each budget's period, against a loop over single days in whole cents."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from workbench.spend.budgeting.budgets import Budget
from workbench.spend.budgeting.standings import Ledger
from workbench.spend.prices import Prices, price
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

FIRST, LAST = date(2026, 2, 10), date(2026, 4, 9)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
MILLION = Decimal("0.15")
"""Dollars that gpt-4o-mini costs a million input tokens."""


def ledger(seen=DAYS, empty=(), last=LAST):
    """Two teams, each day other tokens; and what each day of the first cost."""
    rng = np.random.default_rng(8)
    rows, truth = [], {}
    for day in DAYS:
        for team in ("a", "b"):
            tokens = int(rng.integers(1, 1000)) * 100_000
            if team == "a" and day not in empty:
                truth[day] = tokens * MILLION / 1_000_000
            row = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
            row |= {"day": day, "profile": "p", "lost": 0.0, "requests": tokens / 1000}
            row |= {"provider": "openai", "model": "gpt-4o-mini", "team": team, "input": tokens}
            if day not in empty:
                rows.append(row)
    usage = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"day": "datetime64[ms]"})
    return Ledger(price(usage, Prices()), seen, last), truth


PERIODS = {
    "7d": (date(2026, 4, 3), LAST),
    "30d": (date(2026, 3, 11), LAST),
    "month": (date(2026, 4, 1), date(2026, 4, 30)),
    "quarter": (date(2026, 4, 1), date(2026, 6, 30)),
}


@pytest.mark.parametrize("period", PERIODS)
def test_a_budget_spent_what_the_days_of_its_period_cost(period):
    """Rolling and by the calendar."""
    books, truth = ledger()
    budget = Budget(name="a", amount="50", period=period, team="a")
    _, standing = books.standings([budget])
    begin, end = PERIODS[period]
    assert (standing.first, standing.last) == (begin, end)
    assert standing.known == begin
    assert standing.spent == sum(cost for day, cost in truth.items() if begin <= day)
    assert standing.course[LAST] == pytest.approx(float(standing.spent))
    assert standing.outlook.totals.shape[1] == (end - LAST).days


def test_a_period_that_ends_today_has_nothing_to_come():
    """Of the quarter the data know less than all, and that is told."""
    books, truth = ledger(last=date(2026, 3, 31))
    month, _ = books.standings([Budget(name="a", amount="1", period="quarter", team="a")])
    assert month.first == date(2026, 3, 1)
    assert month.chance is None
    _, quarter = books.standings([Budget(name="a", amount="1", period="quarter", team="a")])
    assert (quarter.first, quarter.known) == (date(2026, 1, 1), FIRST)
    assert quarter.spent == sum(c for d, c in truth.items() if d <= date(2026, 3, 31))


def test_what_was_counted_on_a_day_of_which_little_was_seen_was_spent_too():
    """A night without scrapes: the day tells no forecast, but its money is in the bill."""
    gap = date(2026, 4, 4)
    books, truth = ledger(seen=[d for d in DAYS if d != gap])
    _, standing = books.standings([Budget(name="a", amount="50", team="a")])
    assert standing.spent == sum(cost for day, cost in truth.items() if day >= date(2026, 4, 1))


def test_days_without_usage_cost_nothing_and_belong_to_the_period():
    quiet = [date(2026, 4, 1), date(2026, 4, 2)]
    books, truth = ledger(empty=quiet)
    _, standing = books.standings([Budget(name="a", amount="50", team="a")])
    assert standing.known == quiet[0]
    assert standing.spent == sum(cost for day, cost in truth.items() if day > quiet[1])
    assert standing.course[quiet[1]] == 0

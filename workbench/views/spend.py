"""Spend as pictures: each day's money by model, and where each month and budget is going."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.spend.result import SpendResult, Standing
from workbench.units import counted, format_chance
from workbench.views.axis import plain_text
from workbench.views.fan import fan_marks
from workbench.views.spend_text import no_chart
from workbench.views.theme import COLOURS, themed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["outlook_chart", "spend_chart"]

_MOST: Final = 7
"""So many models have a colour; the others are one."""

_OTHERS: Final = "others"
_PANELS: Final = 6
"""So many budgets are drawn, those most likely to be broken first."""

_ACROSS: Final = 2
_QUANTILES: Final = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
_DAY: Final = "%-d %b"


def spend_chart(result: SpendResult) -> Any:
    """Draw what each day of the history cost, by model; the days before the period are pale.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.

    Returns
    -------
    altair.VConcatChart
        A panel a currency. Names stand in it as data only, never in an expression.
    """
    import altair as alt

    sums = result.history.sums(["day", "model"])
    priced = sums[sums["amount"].notna()]
    panels = [
        _days(priced[priced["currency"] == currency], str(currency), result)
        for currency in priced["currency"].unique()
    ]
    if not panels:
        panels = [no_chart("Nothing with a price was spent.")]
    title = alt.Title(
        "Spend a day", subtitle=f"by model; {result.first} to {result.last} in full colour"
    )
    return themed(alt.vconcat(*panels, title=title))


def _days(table: pd.DataFrame, currency: str, result: SpendResult) -> Any:
    import altair as alt

    sums = table.groupby(table["model"].astype(str))["amount"].sum().sort_values(ascending=False)
    named = list(sums.index[:_MOST])
    names = [*(plain_text(n) for n in named), *([_OTHERS] if len(sums) > _MOST else [])]
    rows: dict[tuple[date, str], float] = {}
    days, models = table["day"].dt.date, table["model"].astype(str)
    for day, model, amount in zip(days, models, table["amount"], strict=True):
        key = (day, plain_text(model) if model in named else _OTHERS)
        rows[key] = rows.get(key, 0.0) + float(amount)
    values = [
        {
            "day": day.isoformat(), "model": name, "amount": round(amount, 4),
            "rank": names.index(name), "period": result.first <= day <= result.last,
        }
        for (day, name), amount in rows.items()
    ]  # fmt: skip
    return (
        alt.Chart(alt.Data(values=values), width=680, height=240)
        .mark_bar()
        .encode(
            x=alt.X("utcyearmonthdate(day):T", axis=alt.Axis(title=None, format=_DAY)),
            y=alt.Y("amount:Q", stack="zero", axis=alt.Axis(title=currency)),
            color=alt.Color("model:N", sort=names, legend=alt.Legend(title=None)),
            opacity=alt.condition("datum.period", alt.value(1.0), alt.value(0.45)),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("utcyearmonthdate(day):T", title="day", format="%a %-d %b %Y"),
                alt.Tooltip("model:N"),
                alt.Tooltip("amount:Q", title=currency, format=",.2f"),
            ],
        )
    )


def outlook_chart(result: SpendResult) -> Any:
    """Draw the course of the month and of each budget, and its coming days as a fan.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.

    Returns
    -------
    altair.ConcatChart
        A panel a budget, those most likely to be broken first; bands hold 50, 80 and 95 % of the
        futures, and the line across is the budget.
    """
    import altair as alt

    found = [s for s in result.standings if s.course]
    found.sort(key=lambda s: -_urgency(s))
    if not found:
        return themed(alt.vconcat(no_chart("No day of the period is known.")))
    panels = [_course(standing, result.last) for standing in found[:_PANELS]]
    left = len(found) - len(panels)
    more = f"; {counted(left, 'budget')} more stand in the table" if left else ""
    title = alt.Title("Spend so far, and the days to come", subtitle=f"summed up{more}")
    return themed(alt.concat(*panels, columns=_ACROSS, title=title))


def _urgency(standing: Standing) -> float:
    if standing.budget is None:
        return 0.005  # after those that may well be broken, before the others
    share = float(standing.spent / standing.budget.amount)
    return max(standing.chance or 0.0, min(share, 1.0) * 0.004)


def _course(standing: Standing, last: date) -> Any:
    import altair as alt

    base = alt.Chart(width=310, height=170)
    past = [{"day": day.isoformat(), "spent": round(v, 4)} for day, v in standing.course.items()]
    axis = alt.Axis(title=None, format=_DAY, tickCount=5)
    scale = alt.Scale(domain=[standing.first.isoformat(), standing.last.isoformat()], type="utc")
    x = alt.X("day:T", axis=axis, scale=scale)

    def y(column: str) -> Any:
        return alt.Y(
            f"{column}:Q", axis=alt.Axis(title=standing.currency), scale=alt.Scale(zero=True)
        )

    told = [
        alt.Tooltip("day:T", format="%a %-d %b %Y"),
        alt.Tooltip("spent:Q", title=standing.currency, format=",.2f"),
    ]
    layers = [
        base.properties(data=alt.Data(values=past))
        .mark_line(color=COLOURS["usage"], point=len(past) == 1)
        .encode(x=x, y=y("spent"), tooltip=told)
    ]
    if standing.outlook is not None and standing.outlook.totals.shape[1]:
        fan = base.properties(data=alt.Data(values=_futures(standing, last))).encode(
            x=x,
            tooltip=[
                alt.Tooltip("day:T", format="%a %-d %b %Y"),
                alt.Tooltip("q3:Q", title="median", format=",.2f"),
                alt.Tooltip("q1:Q", title="10 %", format=",.2f"),
                alt.Tooltip("q5:Q", title="90 %", format=",.2f"),
            ],
        )
        layers += fan_marks(fan, y)
    if standing.budget is not None:
        rule = [{"amount": float(standing.budget.amount), "text": "budget"}]
        limit = base.properties(data=alt.Data(values=rule))
        layers += [
            limit.mark_rule(color=COLOURS["limit"], strokeDash=[6, 3]).encode(y=y("amount")),
            limit.mark_text(align="left", baseline="bottom", dx=2, dy=-2, color=COLOURS["limit"])
            .encode(y=y("amount"), x=alt.value(0), text="text:N"),
        ]  # fmt: skip
    ahead = standing.outlook is not None and standing.outlook.totals.shape[1]
    chance = standing.chance if ahead else None
    note = f"broken with a chance of {format_chance(chance)}" if chance is not None else ""
    return alt.layer(*layers).properties(
        title=alt.Title(plain_text(standing.name, most=60), subtitle=note or " ")
    )


def _futures(standing: Standing, last: date) -> list[dict[str, Any]]:
    """Quantiles of the total by day; the first is the last day that is known, where all agree."""
    assert standing.outlook is not None
    totals = standing.outlook.totals
    known = np.full((len(_QUANTILES), 1), float(standing.spent))
    ahead = np.hstack([known, np.quantile(totals, _QUANTILES, axis=0)])
    return [
        {
            "day": (last + timedelta(days=d)).isoformat(),
            **{f"q{n}": round(float(v), 4) for n, v in enumerate(ahead[:, d])},
        }
        for d in range(ahead.shape[1])
    ]

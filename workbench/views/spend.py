"""Spend as a picture: each day's money by model, with its bounds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.spend.result import SpendResult
from workbench.views.axis import plain_text
from workbench.views.theme import themed

__all__ = ["spend_chart"]

_MOST: Final = 7
"""So many models have a colour; the others are one."""

_OTHERS: Final = "others"


def spend_chart(result: SpendResult) -> Any:
    """Draw what each day of the period cost, by model.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.

    Returns
    -------
    altair.HConcatChart
        A panel a currency. Names stand in it as data only, never in an expression.
    """
    import altair as alt

    table = result.by("day", "model")
    priced = table[table["amount"].notna()]
    panels = [_panel(priced[priced["currency"] == c], str(c)) for c in priced["currency"].unique()]
    if not panels:
        empty = alt.Chart(alt.Data(values=[{"text": "Nothing with a price was spent."}]))
        panels = [empty.mark_text(align="left").encode(text="text:N")]
    title = alt.Title("Spend a day", subtitle=f"{result.first} to {result.last}, by model")
    return themed(alt.hconcat(*panels, title=title))


def _panel(table: Any, currency: str) -> Any:
    import altair as alt

    sums = table.groupby(table["model"].astype(str))["amount"].sum().sort_values(ascending=False)
    named = list(sums.index[:_MOST])
    names = [*(plain_text(n) for n in named), *([_OTHERS] if len(sums) > _MOST else [])]
    rows: dict[tuple[str, str], float] = {}
    for row in table.to_dict("records"):
        name = plain_text(str(row["model"])) if row["model"] in named else _OTHERS
        key = (str(np.datetime64(row["day"], "D")), name)
        rows[key] = rows.get(key, 0.0) + float(row["amount"])
    values = [
        {"day": day, "model": name, "amount": round(amount, 4), "rank": names.index(name)}
        for (day, name), amount in rows.items()
    ]
    return (
        alt.Chart(alt.Data(values=values), width=560, height=240)
        .mark_bar()
        .encode(
            x=alt.X("day:O", axis=alt.Axis(title=None, labelAngle=-45, labelOverlap="greedy")),
            y=alt.Y("amount:Q", axis=alt.Axis(title=currency)),
            color=alt.Color("model:N", sort=names, legend=alt.Legend(title=None)),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("day:O"),
                alt.Tooltip("model:N"),
                alt.Tooltip("amount:Q", title=currency, format=",.2f"),
            ],
        )
    )

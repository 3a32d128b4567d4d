"""What caches saved and could have saved, and what was wasted, as tables and a picture."""

from __future__ import annotations

from typing import Any, Final

from workbench.spend.savings.caching import CacheSavings
from workbench.spend.savings.failures import TERMS, WasteKind
from workbench.spend.savings.waste import Waste
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, no_chart, sentences, share_text
from workbench.views.theme import COLOURS, themed

__all__ = ["answers_listing", "cache_listing", "savings_chart", "waste_listing"]

_NAMES: Final = ("provider", "model", "team", "application")
_MOST: Final = 12
"""So many applications are drawn."""

_SAVED: Final = "saved"
_MISSED: Final = "missed, at most"
_LOST: Final = "lost"


def cache_listing(savings: CacheSavings) -> Listing:
    """The provider's prompt cache, by account and prompt version, the most missed first."""
    return Listing(
        (
            "who", "prompt version", "model", "input", "cached", "best days", "missed", "saved",
            "writes uncounted", "each ten points",
        ),
        [_cached(row) for row in savings.table.to_dict("records")],
        empty="No usage with a price in this period.",
        note=sentences(savings.notes) if len(savings.table) else "",
    )  # fmt: skip


def _cached(row: dict[Any, Any]) -> list[object]:
    currency = row["currency"]
    share = row["read"] / row["input"]
    unseen = f"− {money_text(row['unseen'], currency)} at most" if row["unseen"] > 0 else NONE
    return [
        " / ".join(filter(None, (plain_text(str(row[n])) for n in ("team", "application"))))
        or NONE,
        plain_text(str(row["prompt_version"])) or NONE,
        plain_text(str(row["model"])) or NONE,
        format_quantity(row["input"]),
        share_text(share),
        share_text(row["best"]),
        _missed(row),
        _saved(row),
        unseen,
        money_text(row["ten_points"], currency),
    ]


def _saved(row: dict[Any, Any]) -> str:
    """What was saved, with its bounds where they are apart by more than a hundredth."""
    currency, low, high = row["currency"], float(row["net_low"]), float(row["net_high"])
    text = money_text(row["net"], currency)
    if high - low <= max(0.01 * abs(float(row["net"])), 0.02):
        return text
    return f"{text} ({money_text(low)} – {money_text(high)})"


def _missed(row: dict[Any, Any]) -> str:
    if row["unclaimed"]:
        return f"not claimed: {row['unclaimed']}"
    currency, likely, dearest = row["currency"], row["missed"], row["missed_high"]
    text = f"0 – {money_text(likely, currency)}"
    if dearest - likely >= 0.005:
        text += f" (at the dearest prices {money_text(dearest, currency)})"
    return text


def answers_listing(savings: CacheSavings) -> Listing:
    """The gateway's own cache of answers, the most saved first."""
    rows = []
    for row in savings.answers.to_dict("records"):
        currency = row["currency"]
        known = row["high"] == row["high"]
        rows.append(
            [
                *_names(row),
                round(row["hits"]),
                share_text(row["share"]),
                money_text(row["low"], currency)
                if known
                else "not known"
                if currency
                else "no price",
                money_text(row["high"], currency),
            ]
        )
    note = (
        "A hit has no tokens: it is taken to be like the mean request of some day, between the "
        "cheapest day's and the dearest's. What repeats may be shorter or longer than that."
    )
    if rows and bool(savings.answers["shared"].any()):
        note += " Hits told by fewer labels than accounts have are shared out by their requests."
    return Listing(
        (*_NAMES, "hits", "of requests", "saved at least", "at most"),
        rows,
        empty="No gateway counts hits of a cache of its own.",
        note=note if rows else "",
    )


def waste_listing(waste: Waste) -> Listing:
    """What may have served nobody, by kind, the dearest first."""
    table = waste.by("kind")
    rows = [_wasted(row, waste) for row in table.to_dict("records")]
    notes = [
        f"{high:,.2f} {currency} at the most in all, {low:,.2f} at the least"
        for currency, (low, high) in waste.total().items()
    ]
    if len(table) and bool(table["shared"].any()):
        notes.append("*: told by fewer labels than accounts have, so shared out by their requests")
    notes.append(f"no metric shows {'; '.join(waste.invisible)}")
    return Listing(
        ("what", "requests", "at least", "at most", "of spend", "its tokens are", "range"),
        rows,
        empty="No request is known to have failed, or to have been cut or sent again.",
        note=sentences(notes),
    )


def _wasted(row: dict[Any, Any], waste: Waste) -> list[object]:
    currency = row["currency"]
    total = float(waste.spend.get(currency, 0))
    priced = row["high"] == row["high"]
    return [
        f"{row['kind']}{'' if currency else ', no price'}{' *' if row['shared'] else ''}",
        round(row["requests"]),
        money_text(row["low"], currency),
        money_text(row["high"], currency),
        f"{row['high'] / total * 100:.2f} %" if priced and total else NONE,
        row["bill"],
        TERMS[WasteKind(row["kind"])].assumption,
    ]


def savings_chart(savings: CacheSavings) -> Any:
    """Draw what the prompt cache saved, and the most that it missed, by application.

    Parameters
    ----------
    savings
        Of `workbench.spend.savings.caching.caching`.

    Returns
    -------
    altair.HConcatChart
        A panel a currency: a bar of what was saved (to the left of 0: lost), and behind it one of
        what the application's best days would have saved besides, at the most.
    """
    import altair as alt

    bars = _bars(savings)
    panels = [
        _panel([b for b in bars if b["currency"] == c], c)
        for c in dict.fromkeys(b["currency"] for b in bars)
    ]
    if not panels:
        panels = [no_chart("No cache saved anything, or could have.")]
    title = alt.Title("Prompt cache", subtitle=f"{savings.first} to {savings.last}")
    return themed(alt.hconcat(*panels, title=title))


def _bars(savings: CacheSavings) -> list[dict[str, Any]]:
    """Bars of the applications with the most at stake, prompt versions together."""
    sums: dict[tuple[str, str], list[float]] = {}
    for row in savings.table.to_dict("records"):
        name = " · ".join(plain_text(str(row[n])) for n in ("application", "model") if row[n])
        each = sums.setdefault((row["currency"], name or NONE), [0.0, 0.0])
        each[0] += float(row["net"])
        each[1] += row["missed"] if row["missed"] == row["missed"] else 0.0
    at_stake = sorted(sums.items(), key=lambda item: -(abs(item[1][0]) + item[1][1]))
    count: dict[str, int] = {}
    bars = []
    for (currency, name), (net, missed) in at_stake:
        count[currency] = count.get(currency, 0) + 1
        if count[currency] > _MOST or abs(net) + missed < 0.005:
            continue
        kind, start = (_SAVED if net >= 0 else _LOST), max(net, 0.0)
        for what, left, right in ((kind, 0.0, net), (_MISSED, start, start + missed)):
            bars.append(
                {
                    "name": name, "currency": currency, "what": what, "from": round(left, 4),
                    "to": round(right, 4), "money": round(right - left, 4),
                    "rank": count[currency],
                }
            )  # fmt: skip
    return bars


def _panel(bars: list[dict[str, Any]], currency: str) -> Any:
    import altair as alt

    colours = {_SAVED: COLOURS["good"], _MISSED: COLOURS["forecast"], _LOST: COLOURS["error"]}
    shown = [what for what in colours if any(b["what"] == what and b["money"] for b in bars)]
    return (
        alt.Chart(alt.Data(values=bars), width=520, height=alt.Step(24))
        .mark_bar()
        .encode(
            x=alt.X("from:Q", axis=alt.Axis(title=currency)),
            x2=alt.X2("to:Q"),
            y=alt.Y(
                "name:N",
                sort=alt.EncodingSortField("rank", op="min"),
                axis=alt.Axis(title=None, labelLimit=320),
            ),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=shown, range=[colours[w] for w in shown]),
                legend=alt.Legend(title=None),
            ),
            tooltip=[
                alt.Tooltip("name:N"),
                alt.Tooltip("what:N"),
                alt.Tooltip("money:Q", title=currency, format=",.2f"),
            ],
        )
    )


def _names(row: dict[Any, Any]) -> list[str]:
    return [plain_text(str(row[name])) or NONE for name in _NAMES]

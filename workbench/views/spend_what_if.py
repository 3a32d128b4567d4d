"""A switch of models as tables and a picture: what it did cost, what it would, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.result import Outcome, Sign, SwitchResult, Target
from workbench.units import format_quantity
from workbench.views import bar_rows
from workbench.views.axis import plain_text
from workbench.views.bar_rows import BAR, BELOW, NAME, SHORT, Rows
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, sentences
from workbench.views.theme import COLOURS, themed

__all__ = [
    "what_if_assumptions_listing",
    "what_if_chart",
    "what_if_groups_listing",
    "what_if_listing",
]


_HEADINGS: Final = (
    "to", "cost now", "would cost", "range", "saving, range", "verdict", "until answers are",
    "widest doubt", "p50 / p95 now", "there",
)  # fmt: skip

_LIMITS: Final = (
    "Rate limits of the new model are not known here: see the headroom. Quality is in no figure."
)

_COLOUR: Final = {
    Sign.CHEAPER: COLOURS["good"],
    Sign.DEARER: COLOURS["limit"],
    Sign.OPEN: COLOURS["neutral"],
}
_ALONE: Final = (
    "Fewer than two models with a price are in use: name what to exchange for what, such as "
    "gpt-4o for gpt-4o-mini."
)
_MOST: Final = 20
_FAR: Final = 20.0
"""So many times as long no answer becomes."""


def what_if_listing(result: SwitchResult) -> Listing:
    """Each target beside what the usage did cost, the greatest saving first.

    Parameters
    ----------
    result
        Of `workbench.spend.what_if.analysis.what_if`.
    """
    if not result.targets:
        return Listing(_HEADINGS, (), empty=_ALONE)
    rows: list[list[object]] = [_without_price(t) for t in result.targets if not t.outcomes]
    rows += [_outcome(t, o) for t, o in result.outcomes]
    remarks = [_LIMITS, *_remarks(result.targets)]
    return Listing(
        _HEADINGS,
        rows,
        empty="No usage would move.",
        note=f"{plain_text(result.switch.describe())}, {result.first} to {result.last}; prices: "
        f"{result.version}. The bounds take tokenizer, cache, length of answers and prices at their "
        f"ends together. Until answers are: so many times as long, at the expected prices, the sign of "
        f"the saving holds. {' '.join(remarks)}",
    )


def _without_price(target: Target) -> list[object]:
    verdict = "no price" if target.reason else "nothing moves"
    row = dict.fromkeys(_HEADINGS, NONE)
    row |= {"to": plain_text(target.name), "verdict": verdict}
    return list(row.values())


def _remarks(targets: Sequence[Target]) -> list[str]:
    """What is to be known of the targets, as sentences; what holds for all of them is said once."""
    of_all = [n for n in targets[0].notes if all(n in t.notes for t in targets)] if targets else []
    said = [
        f"{plain_text(f'{each.name}: {about}', most=400)}."
        for each in targets
        if (about := _about(each, set(of_all) if len(targets) > 1 else set()))
    ]
    return [*said, *([sentences(map(plain_text, of_all))] if of_all and len(targets) > 1 else [])]


def _about(target: Target, left_out: set[str]) -> str:
    """What is to be known of one target; nothing where there is nothing."""
    near = f"near names: {', '.join(target.near)}" if target.near else ""
    reason = target.reason.value if target.reason and not target.outcomes else ""
    notes = (note for note in target.notes if note not in left_out)
    return "; ".join(filter(None, [reason, near, *notes]))


def _outcome(target: Target, outcome: Outcome) -> list[object]:
    money, then, saving = outcome.currency, outcome.then, outcome.saving
    before = next((m.latency for m in target.moves if m.latency), None)
    widest = max(outcome.doubts, key=lambda d: sum(outcome.doubts[d]))
    sure = not sum(outcome.doubts[widest])
    return [
        plain_text(target.name),
        _money(outcome.now.expected, money) if outcome.now else "not known here",
        _money(then.expected, money),
        _span(then, money),
        _span(saving, money) if saving else NONE,
        outcome.sign.value if saving else NONE,
        _until(outcome),
        NONE if sure else widest.value,
        _latency(before if len(target.moves) == 1 else None),
        _latency(target.latency),
    ]  # fmt: skip


def _until(outcome: Outcome) -> str:
    """How long answers may be, as multiples of now's, before the sign of the saving turns."""
    at = outcome.break_even
    if at is None or at.expected <= 0:
        return NONE
    if at.low >= _FAR:
        return f"> × {_FAR:.0f}"
    span = "" if at.is_sure else f" ({at.low:.2g} – {at.high:.2g})"
    return f"× {at.expected:.2g}{span}"


def _latency(found: tuple[float, float] | None) -> str:
    if found is None:
        return "not known"
    return " / ".join(format_quantity(v, "seconds") for v in found)


def what_if_groups_listing(result: SwitchResult) -> Listing:
    """Each group of accounts with each target, the greatest saving first."""
    rows = []
    for target, outcome in result.outcomes:
        money = outcome.currency
        for row in outcome.groups.to_dict("records"):
            names = [plain_text(str(row[d])) or NONE for d in result.by]
            then = Range(
                min(row["then_low"], row["then"]), row["then"], max(row["then_high"], row["then"])
            )
            known = outcome.saving is not None
            bounds = [row["saving_low"], row["saving"], row["saving_high"]]
            saving = Range(min(bounds), row["saving"], max(bounds)) if known else None
            rows.append(
                [
                    *names,
                    plain_text(target.name),
                    _money(row["now"], money) if known else "not known here",
                    _money(then.expected, money),
                    _span(then, money),
                    _money(saving.expected, money) if saving else NONE,
                    _span(saving, money) if saving else NONE,
                    Sign.of(saving).value if saving else NONE,
                ]
            )
    headings = (
        *result.by, "to", "cost now", "would cost", "range", "saving", "saving, range", "verdict",
    )  # fmt: skip
    return Listing(headings, rows, empty="Nothing that would move has a price.")


def what_if_assumptions_listing(result: SwitchResult) -> Listing:
    """What is supposed of each pair of models, and from where it is taken."""
    rows: list[list[object]] = []
    for target in result.targets:
        for move in target.moves:
            f = move.factors
            rows.append(
                [
                    plain_text(move.old.name),
                    plain_text(move.new.name),
                    f"{f.tokenizer.text()}: {plain_text(f.tokenizer.source)}",
                    f"{f.output.text()}: {plain_text(f.output.source)}",
                    f"{_percent(f.cached)}: {plain_text(f.cached.source)}",
                    format_quantity(move.tokens),
                    format_quantity(move.requests),
                ]
            )
    headings = (
        "from", "to", "tokens per token", "length of answers", "of what is cached now", "tokens",
        "requests",
    )  # fmt: skip
    return Listing(
        headings,
        rows,
        empty="No usage would move.",
        note="A trial with your own prompts narrows each: give its ratio as tokenizer=, output= or "
        "cached=."
        if rows
        else "",
    )


def _percent(share: Range) -> str:
    low, high = f"{share.low * 100:.0f}", f"{share.high * 100:.0f}"
    return f"{low} %" if share.is_sure else f"{low}–{high} %"


def what_if_chart(result: SwitchResult) -> Any:
    """Draw what the usage did cost, and below it what each target would have, as ranges.

    Parameters
    ----------
    result
        Of `workbench.spend.what_if.analysis.what_if`.

    Returns
    -------
    altair.VConcatChart
        A panel a currency; names stand in it as data only.
    """
    import altair as alt

    rows: Rows = {}
    pairs = [(t, o) for t, o in result.outcomes if o.now is not None]
    panels = []
    for number, money in enumerate(dict.fromkeys(o.currency for _, o in pairs)):
        mine = [(t, o) for t, o in pairs if o.currency == money]
        panels.append(_panel(rows, number, money, mine))
    if not panels:
        panels = [bar_rows.message(rows, "Nothing that would move has a price on both sides.")]
    title = alt.Title(
        plain_text(result.switch.describe(), most=110),
        subtitle=[
            f"{result.first} to {result.last} · bar: least to most · tick: expected",
            "blue: as it was · green: surely cheaper · vermilion: surely dearer · grey: not certain",
        ],
        offset=16,
    )
    whole = themed(alt.vconcat(*panels, title=title))
    whole.datasets = rows
    return whole


def _panel(rows: Rows, number: int, money: str, pairs: list[tuple[Target, Outcome]]) -> Any:
    import altair as alt

    entries: list[dict[str, Any]] = []
    for target, outcome in pairs[:_MOST]:
        now, then = outcome.now, outcome.then
        assert now is not None
        name = "now" if _alike(pairs) else f"now, in place of {target.name}"
        if not entries or not _alike(pairs):
            entries.append(_entry(name, now, money, COLOURS["usage"]))
        entries.append(_entry(target.name, then, money, _COLOUR[outcome.sign], outcome.sign.value))
    data = bar_rows.rows_as(rows, f"ranges_{number}", entries)
    axis = alt.Axis(title=money, labelExpr=SHORT, tickCount=5)
    base = alt.Chart(data).encode(
        y=bar_rows.row_axis(),
        color=alt.Color("colour:N", scale=None),
        tooltip=[
            alt.Tooltip("name:N", title="model"),
            alt.Tooltip("expected:Q", title="cost", format=",.2f"),
            alt.Tooltip("range:N", title="between"),
            alt.Tooltip("verdict:N"),
        ],
    )
    low = alt.X("low:Q", axis=axis, scale=alt.Scale(zero=True))
    bars = base.mark_bar(height=BAR - 6, yOffset=BELOW).encode(x=low, x2="high:Q")
    ticks = base.mark_tick(thickness=4, height=BAR + 5, yOffset=BELOW, opacity=1).encode(
        x=alt.X("expected:Q", axis=axis)
    )
    more = len(pairs) - _MOST
    notes = [f"{more} more in the table"] if more > 0 else []
    layers = [bars, ticks, bar_rows.names_above(data), bar_rows.figures_beside(data)]
    return bar_rows.part(layers, money, notes)


def _alike(pairs: list[tuple[Target, Outcome]]) -> bool:
    """Whether all targets take the place of the same usage, so that it need be drawn once."""
    costs = {round(o.now.expected, 2) for _, o in pairs if o.now}
    return len(costs) == 1


def _entry(name: str, span: Range, money: str, colour: str, verdict: str = "") -> dict[str, Any]:
    return {
        "name": plain_text(f"{name}: {verdict}" if verdict else name, most=NAME),
        "low": round(span.low, 4),
        "expected": round(span.expected, 4),
        "high": round(span.high, 4),
        "figure": _short(span),
        "range": _span(span, money),
        "colour": colour,
        "verdict": verdict or "as it was",
    }


def _short(span: Range) -> str:
    """Money and its range in whole units, where it is not small change."""
    digits = 0 if span.high >= 100 else 2
    low, middle, high = (f"{v:,.{digits}f}" for v in (span.low, span.expected, span.high))
    return middle if low == high else f"{middle} ({low}–{high})"


def _money(amount: float, currency: str) -> str:
    return format_quantity(amount, currency).replace("-", "−")


def _span(span: Range, currency: str) -> str:
    texts = dict.fromkeys(map(money_text, (span.low, span.high)))
    return f"{' to '.join(texts)} {currency}"

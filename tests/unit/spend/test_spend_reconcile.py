"""Planted gaps between an invoice and our table are found, classified and measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import BadRowsError
from workbench.spend.invoices import Invoice, InvoiceLine, LineKind
from workbench.spend.prices import NANO, Prices, bundled, price
from workbench.spend.reconciling.gaps import GapKind, Tolerances
from workbench.spend.reconciling.models import ModelNames
from workbench.spend.reconciling.reconciliation import reconcile
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

pytest.importorskip("genai_prices")

CLASSES = ("input", "cache_read", "output")
MODELS = {
    "gpt-4o": (2.5, 1.25, 10.0),
    "gpt-4o-mini": (0.15, 0.075, 0.6),
    "gpt-4.1": (2.0, 0.5, 8.0),
}
"""Dollars a million tokens, by class."""
FIRST, DAYS = date(2026, 9, 1), 30
NOISE = 0.003


@dataclass(frozen=True)
class World:
    """The hours of a month and a day on either side: tokens by model, hour and class."""

    tokens: np.ndarray

    def days(self, offset: int = 0) -> np.ndarray:
        """Tokens on the month's days, if they begin so many hours later; (models, days, classes)."""
        start = 24 + offset
        cut = self.tokens[:, start : start + 24 * DAYS]
        return cut.reshape(len(MODELS), DAYS, 24, len(CLASSES)).sum(axis=2)


@cache
def world(seed: int) -> World:
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * (DAYS + 2))
    day = 1 + 0.6 * np.sin((hours % 24 - 8) / 24 * 2 * np.pi)
    week = np.where((hours // 24 + FIRST.weekday() - 1) % 7 >= 5, 0.45, 1.0)
    mood = rng.lognormal(0, 0.12, (len(MODELS), DAYS + 2)).repeat(24, axis=1)
    size = np.array([3e6, 2e7, 5e6])[:, None]
    per_hour = size * day * week * mood * rng.lognormal(0, 0.1, mood.shape)
    split = np.array([0.62, 0.2, 0.18])
    return World(np.rint(per_hour[..., None] * split))


@cache
def table(seed: int):
    """Our table: the truth on our days, with the noise of scrapes; a day more on either side."""
    rng = np.random.default_rng(seed + 1000)
    hours = world(seed).tokens
    ours = hours.reshape(len(MODELS), DAYS + 2, 24, len(CLASSES)).sum(axis=2)
    ours = np.rint(ours * rng.normal(1, NOISE, ours.shape))
    rows = []
    for m, model in enumerate(MODELS):
        for d in range(DAYS + 2):
            row = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
            row |= {"day": FIRST + timedelta(days=d - 1), "profile": "p", "lost": 0.0}
            row |= {"cost": np.nan, "requests": 1e4, "provider": "openai", "model": model}
            rows.append(row | dict(zip(CLASSES, ours[m, d], strict=True)))
    usage = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"day": "datetime64[ms]"})
    return price(usage, Prices())


def line(day, model, token_class, tokens, amount, **changes):
    """An invoice's line in dollars."""
    plain = InvoiceLine(
        day, 1, None, "openai", model, "", "", "", token_class,
        None if tokens is None else Decimal(tokens), Decimal(amount), "USD", LineKind.USAGE, "", "", 1,
    )  # fmt: skip
    return replace(plain, **changes)


@dataclass
class Plan:
    """What is planted, and what it is worth."""

    offset: int = 0
    late: int = 0
    bypass: float = 0.0
    dearer: float = 0.0
    cache: float = 0.0
    region: bool = False


PLANTED = {
    GapKind.BYPASS: {"bypass": 0.06},
    GapKind.PRICE: {"dearer": 0.2},
    GapKind.CACHE: {"cache": 0.25},
    GapKind.REGION: {"region": True},
    GapKind.TIME_ZONE: {"offset": 8},
    GapKind.DELAY: {"late": 3},
}
"""Traffic of gpt-4o past the gateway, a dearer output of gpt-4.1, cached input of gpt-4o that was
billed as plain, gpt-4o-mini in a region, days in UTC for a table at UTC+8, three days to come."""


def bill(seed: int, plan: Plan) -> tuple[Invoice, dict[GapKind, float]]:
    """The invoice of a plan, and dollars of each planted gap, each at the billed amounts."""
    days = world(seed).days(plan.offset)
    lines, worth = [], dict.fromkeys(PLANTED, 0.0)
    for (m, model), d in ((x, d) for x in enumerate(MODELS) for d in range(DAYS)):
        tokens, prices = days[m, d].copy(), np.array(MODELS[model]) / 1e6
        if d >= DAYS - plan.late:
            worth[GapKind.DELAY] -= float(tokens @ prices)
            continue
        if model == "gpt-4o":
            worth[GapKind.BYPASS] += plan.bypass * float(tokens @ prices)
            tokens = np.rint(tokens * (1 + plan.bypass))
            moved = np.rint(tokens[1] * plan.cache)
            tokens += [moved, -moved, 0]
            worth[GapKind.CACHE] += float(moved * (prices[0] - prices[1]))
        factor = np.ones(3)
        if model == "gpt-4.1":
            factor[2] += plan.dearer
            worth[GapKind.PRICE] += plan.dearer * float(tokens[2] * prices[2])
        regional = plan.region and model == "gpt-4o-mini"
        if regional:
            factor *= 1.1
            worth[GapKind.REGION] += 0.1 * float(tokens @ prices)
        for name, n, p in zip(CLASSES, tokens, prices * factor, strict=True):
            amount = f"{n * p:.9f}"
            where = {"region": "eu"} if regional else {}
            lines.append(line(FIRST + timedelta(days=d), model, name, int(n), amount, **where))
    return Invoice(tuple(lines), ("invoice",)), worth


def kinds(found) -> set[GapKind]:
    return {gap.kind for gap in found.gaps} - {GapKind.TOLERANCE}


def check(seed: int, planted: tuple[GapKind, ...]) -> None:
    plan = Plan(**{k: v for kind in planted for k, v in PLANTED[kind].items()})
    invoice, worth = bill(seed, plan)
    shape = world(seed).tokens.sum(axis=(0, 2)).reshape(-1, 24).sum(axis=0)
    (found,) = reconcile(table(seed), invoice, day_shape=shape)
    assert kinds(found) == set(planted)
    assert sum(gap.amount for gap in found.gaps) == found.difference
    for kind in set(planted) - {GapKind.TIME_ZONE}:
        # The noise of a month's tokens, and of days that are cut elsewhere, is in each figure.
        slack = 0.12 * abs(worth[kind]) + 0.001 * float(found.billed)
        assert float(found.of(kind)) == pytest.approx(worth[kind], abs=slack)
    if GapKind.TIME_ZONE in planted:
        assert found.offset_hours == pytest.approx(8, abs=1)
    else:
        assert found.offset_hours is None


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_nothing_is_planted(seed):
    """The noise of scrapes is below the tolerances."""
    check(seed, ())


@pytest.mark.parametrize("kind", PLANTED)
def test_each_gap_is_found_alone(kind):
    for seed in range(2):
        check(seed, (kind,))


@pytest.mark.parametrize("pair", list(combinations(PLANTED, 2)))
def test_gaps_are_found_in_pairs(pair):
    check(0, pair)


def test_hours_of_an_invoice_tell_the_time_zone_exactly():
    """Lines by hour in UTC, for a table whose days begin eight hours before them."""
    hours, lines = world(0).tokens[:, 24 + 8 : 24 * (DAYS + 1) + 8], []
    for m, model in enumerate(MODELS):
        for h in range(hours.shape[1]):
            at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(hours=h)
            for c, name in enumerate(CLASSES):
                n = int(hours[m, h, c])
                amount = f"{n * MODELS[model][c] / 1e6:.9f}"
                lines.append(line(at.date(), model, name, n, amount, at=at))
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("hourly",)))
    assert kinds(found) == {GapKind.TIME_ZONE}
    assert found.offset_hours == 8
    assert sum(gap.amount for gap in found.gaps) == found.difference


def plain(seed: int = 0, **plan) -> list[InvoiceLine]:
    return list(bill(seed, Plan(**plan))[0].lines)


def test_taxes_and_credits_are_gaps_of_their_own_with_exact_money():
    extra = [
        line(FIRST, "", "", None, "12.34", kind=LineKind.TAX, description="VAT"),
        line(FIRST, "", "", None, "-5.00", kind=LineKind.CREDIT, description="promotion"),
        line(FIRST, "", "", None, "3.21", kind=LineKind.OTHER, description="web search"),
    ]
    (found,) = reconcile(table(0), Invoice((*plain(), *extra), ("i",)))
    said = {gap.kind: gap.amount for gap in found.gaps if gap.kind is not GapKind.TOLERANCE}
    assert said == {
        GapKind.TAX: Decimal("12.34"), GapKind.CREDIT: Decimal(-5), GapKind.OTHER: Decimal("3.21")
    }  # fmt: skip
    assert sum(gap.share for gap in found.gaps) == pytest.approx(1)


def test_currencies_are_reconciled_apart():
    foreign = line(FIRST, "gpt-4o", "output", 1000, "99.00", currency="EUR")
    dollars, euros = reconcile(table(0), Invoice((*plain(), foreign), ("i",)))
    assert (dollars.currency, euros.currency, euros.billed) == ("USD", "EUR", Decimal("99.00"))
    assert euros.ours == 0
    assert "another currency" in " ".join(euros.notes)


def test_a_regional_price_within_our_bar_is_still_named_a_region():
    """Azure's prices are known to a tenth, for the region is not in the price data."""
    usage = table(0).usage.copy()
    usage["provider"] = "azure"
    lines = [
        replace(x, provider="azure", region="swedencentral", amount=x.amount * Decimal("1.1"))
        for x in plain()
    ]
    (found,) = reconcile(price(usage, Prices()), Invoice(tuple(lines), ("i",)))
    assert kinds(found) == {GapKind.REGION}
    assert all(gap.within_bar for gap in found.gaps)


def test_hours_are_said_to_be_a_guess_where_nothing_tells_the_shape_of_a_day():
    (found,) = reconcile(table(0), bill(0, Plan(offset=8))[0])
    assert any("day_shape" in note for note in found.notes)


def test_unknown_models_and_abbreviated_names():
    """gpt-4o-mini as GPT4oMini is read by its words; nobody knows zebra-9."""
    lines = [replace(x, model=x.model.replace("gpt-4o-mini", "GPT 4o Mini")) for x in plain()]
    lines.append(line(FIRST, "zebra-9", "output", 10_000_000, "55.00"))
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("i",)))
    assert kinds(found) == {GapKind.UNKNOWN_MODEL}
    assert found.of(GapKind.UNKNOWN_MODEL) == Decimal("55.00")
    assert any("GPT 4o Mini" in note for note in found.notes)


@pytest.mark.parametrize(
    ("provider", "billed", "ours"),
    [
        ("aws", "Claude4.5Sonnet", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("aws", "NovaPro", "amazon.nova-pro-v1:0"),
        ("azure", "gpt 4o 0806", "gpt-4o-2024-08-06"),
        ("azure", "gpt 4o mini", "azure/gpt-4o-mini"),
        ("google", "Gemini 2.5 Pro", "gemini-2.5-pro"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
    ],
)
def test_names_of_invoices_and_gateways_meet(provider, billed, ours):
    """And the sibling that is called nearly so is not taken for it."""
    names = ModelNames(bundled())
    for sibling in ("gpt-4o-mini", "gpt-4o", "anthropic.claude-3-5-sonnet-20241022-v2:0"):
        identity = Prices().identity(provider, sibling)
        names.ours(identity.provider, identity.model)
    identity = Prices().identity(provider, ours)
    mine = names.ours(identity.provider, identity.model)
    assert names.billed(provider, billed) == mine
    assert not names.unknown


def test_a_model_that_only_the_invoice_has_went_past_the_gateway():
    lines = [*plain(), line(FIRST, "o3", "output", 5_000_000, "40.00")]
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("i",)))
    (gap,) = [gap for gap in found.gaps if gap.kind is GapKind.BYPASS]
    assert (gap.model, gap.amount, gap.tokens) == ("o3", Decimal("40.00"), 5_000_000)


def test_what_our_table_says_it_lost_is_no_bypass():
    priced = table(0)
    usage = priced.usage.copy()
    mine = usage["model"] == "gpt-4o"
    usage.loc[mine, "lost"] = 0.08 * usage.loc[mine, ["input", "cache_read", "output"]].sum(axis=1)
    (found,) = reconcile(price(usage, Prices()), bill(0, Plan(bypass=0.06))[0])
    assert kinds(found) == {GapKind.MISSED}


def test_our_own_error_bar_explains_a_price_between_its_bounds():
    """Long prompts of gemini-2.5-pro cost twice as much, and how long each was is not known."""
    rows = []
    for d in range(DAYS):
        row = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
        row |= {"day": FIRST + timedelta(days=d), "profile": "p", "lost": 0.0, "cost": np.nan}
        rows.append(row | {"provider": "google", "model": "gemini-2.5-pro", "requests": 1000.0,
                           "input": 1.2e8 + d * 1e6, "output": 1e6})  # fmt: skip
    usage = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"day": "datetime64[ms]"})
    priced = price(usage, Prices())
    lines = []
    for d in range(DAYS):
        for name, n, p in (("input", 120_000_000 + d * 1_000_000, 1.5), ("output", 1_000_000, 11)):
            day = FIRST + timedelta(days=d)
            lines.append(
                line(day, "gemini-2.5-pro", name, n, f"{n * p / 1e6:.9f}", provider="google")
            )
    (found,) = reconcile(priced, Invoice(tuple(lines), ("i",)))
    assert kinds(found) == {GapKind.BAR}
    assert found.low < found.billed < found.high
    assert all(gap.within_bar for gap in found.gaps if gap.kind is GapKind.BAR)


def test_a_price_that_changed_within_the_month_is_dated():
    since = FIRST + timedelta(days=15)
    lines = [
        replace(x, amount=x.amount * 2) if x.model == "gpt-4.1" and x.start >= since else x
        for x in plain()
    ]
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("i",)))
    gaps = [gap for gap in found.gaps if gap.kind is not GapKind.TOLERANCE]
    assert {gap.kind for gap in gaps} == {GapKind.PRICE}
    assert {gap.numbers["since"] for gap in gaps} == {str(since)}


def test_an_invoice_without_quantities_is_read_by_its_money():
    lines = [replace(x, tokens=None) for x in plain(bypass=0.06)]
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("i",)))
    assert kinds(found) == {GapKind.BYPASS}
    assert any("counts no tokens" in note for note in found.notes)


def test_a_line_for_a_month_agrees_with_the_days_that_we_saw():
    days = world(0).days().sum(axis=1)
    lines = [
        line(FIRST, model, name, int(days[m, c]), f"{days[m, c] * MODELS[model][c] / 1e6:.9f}", days=DAYS)
        for m, model in enumerate(MODELS)
        for c, name in enumerate(CLASSES)
    ]  # fmt: skip
    (found,) = reconcile(table(0), Invoice(tuple(lines), ("i",)))
    assert kinds(found) == set()
    assert found.billed == sum((x.amount for x in lines), Decimal(0))


def test_tokens_that_have_no_price_here_are_not_a_price_gap():
    """`nobody` is no model of the price data, but it is in our table."""
    usage = table(0).usage.copy()
    usage["model"] = usage["model"].replace("gpt-4.1", "nobody-1")
    lines = [replace(x, model=x.model.replace("gpt-4.1", "nobody-1")) for x in plain()]
    (found,) = reconcile(price(usage, Prices()), Invoice(tuple(lines), ("i",)))
    assert kinds(found) == {GapKind.UNPRICED}
    worth = sum((x.amount for x in lines if x.model == "nobody-1"), Decimal(0))
    assert abs(found.of(GapKind.UNPRICED) - worth) < Decimal("0.01") * worth


def test_days_before_our_table_are_not_measured():
    usage = table(0).usage
    later = usage[usage["day"] >= pd.Timestamp(FIRST + timedelta(days=5))]
    (found,) = reconcile(price(later, Prices()), Invoice(tuple(plain()), ("i",)))
    assert kinds(found) == {GapKind.UNMEASURED}
    gaps = [gap for gap in found.gaps if gap.kind is GapKind.UNMEASURED]
    assert all((gap.first, gap.days) == (FIRST, 5) for gap in gaps)


def test_nothing_to_compare_is_said():
    tax = line(FIRST, "", "", None, "1", kind=LineKind.TAX)
    with pytest.raises(BadRowsError, match="no usage"):
        reconcile(table(0), Invoice((tax,), ("i",)))
    with pytest.raises(BadRowsError, match="our table is empty"):
        reconcile(price(table(0).usage.iloc[:0], Prices()), Invoice(tuple(plain()), ("i",)))


def test_tolerances_are_the_readers():
    """A difference of a fifth counts as equal, if that is what is wanted."""
    wide = Tolerances(tokens=0.3, price=0.3, split=0.3, money=0.5)
    (found,) = reconcile(table(0), bill(0, Plan(bypass=0.06, dearer=0.2))[0], tolerances=wide)
    assert kinds(found) == set()
    assert found.difference == found.of(GapKind.TOLERANCE)


def test_plain_data_has_money_as_text():
    (found,) = reconcile(table(0), bill(0, Plan(bypass=0.06))[0])
    told = found.to_dict()
    assert Decimal(told["billed"]) - Decimal(told["ours"]) == found.difference
    assert sum(Decimal(gap["amount"]) for gap in told["gaps"]) == found.difference
    assert set(found.table()["kind"]) == {GapKind.BYPASS, GapKind.TOLERANCE}
    assert abs(Decimal(str(found.cells["billed"].sum())) - found.billed) < 1000 * NANO

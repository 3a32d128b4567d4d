"""The causes of a change of spend add up, and each planted cause is found as itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.spend.changes.effects import PRICED, effects

CLASSES = [c.value for c in PRICED]


def month(**models):
    """Rows of (tokens by class, prices by class)."""
    rows = {}
    for name, (tokens, prices) in models.items():
        rows[name] = dict(zip(CLASSES, tokens, strict=True)) | {
            f"spend_{c}": t * p for c, t, p in zip(CLASSES, tokens, prices, strict=True)
        }
    columns = [*CLASSES, *(f"spend_{c}" for c in CLASSES)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype="float64")


PRICES = (3.0, 0.3, 3.75, 15.0)
numbers = st.floats(1e-3, 1e9)
cells = st.tuples(*(st.one_of(st.just(0.0), numbers) for _ in CLASSES))
prices = st.tuples(*(st.floats(0.01, 100) for _ in CLASSES))
months = st.dictionaries(st.sampled_from("abc"), st.tuples(cells, prices), min_size=1)


@settings(deadline=None, max_examples=60)
@given(months, months)
def test_the_effects_add_up_to_the_change(first, second):
    found = effects(month(**first), month(**second))
    parts = found.price + found.volume + found.mix + found.cache + found.arrived + found.gone
    scale = max(found.before, found.after, 1.0)
    assert parts == pytest.approx(found.change, abs=1e-6 * scale)


def test_a_price_cut_is_price_alone():
    tokens = (100.0, 50.0, 10.0, 40.0)
    found = effects(month(a=(tokens, PRICES)), month(a=(tokens, tuple(p / 2 for p in PRICES))))
    assert found.price == pytest.approx(-found.before / 2)
    assert [found.volume, found.mix, found.cache] == pytest.approx([0, 0, 0], abs=1e-9)


def test_twice_the_traffic_is_volume_alone():
    once, twice = (100.0, 50.0, 10.0, 40.0), (200.0, 100.0, 20.0, 80.0)
    found = effects(month(a=(once, PRICES)), month(a=(twice, PRICES)))
    assert found.volume == pytest.approx(found.before)
    assert [found.price, found.mix, found.cache] == pytest.approx([0, 0, 0], abs=1e-9)


def test_input_that_comes_from_the_cache_is_cache_alone():
    found = effects(
        month(a=((100.0, 50.0, 0.0, 40.0), PRICES)), month(a=((50.0, 100.0, 0.0, 40.0), PRICES))
    )
    assert found.cache == pytest.approx(50 * (0.3 - 3.0))
    assert [found.price, found.mix, found.volume] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_first_use_of_the_cache_is_cache_too():
    found = effects(
        month(a=((150.0, 0.0, 0.0, 40.0), PRICES)), month(a=((50.0, 100.0, 0.0, 40.0), PRICES))
    )
    assert found.cache == pytest.approx(found.change)


def test_traffic_that_moves_to_a_dearer_model_is_mix_alone():
    cheap = tuple(p / 10 for p in PRICES)
    many, few = (90.0, 0.0, 0.0, 90.0), (10.0, 0.0, 0.0, 10.0)
    found = effects(
        month(dear=(few, PRICES), cheap=(many, cheap)),
        month(dear=(many, PRICES), cheap=(few, cheap)),
    )
    assert found.mix == pytest.approx(found.change)
    assert [found.price, found.volume, found.cache] == pytest.approx([0, 0, 0], abs=1e-9)


def test_backwards_in_time_every_effect_turns_its_sign():
    one = month(a=((100.0, 50.0, 10.0, 40.0), PRICES), b=((5.0, 1.0, 2.0, 9.0), PRICES))
    two = month(
        a=((70.0, 90.0, 20.0, 80.0), (2.0, 0.2, 2.5, 10.0)), b=((50.0, 1.0, 1.0, 3.0), PRICES)
    )
    there, back = effects(one, two), effects(two, one)
    for name in ("price", "volume", "mix", "cache"):
        assert getattr(there, name) == pytest.approx(-getattr(back, name))


def test_a_model_that_comes_and_one_that_goes_are_told_apart_from_mix():
    tokens = (100.0, 0.0, 0.0, 10.0)
    found = effects(month(a=(tokens, PRICES)), month(b=(tokens, PRICES)))
    assert (found.arrived, found.gone) == (450.0, -450.0)
    assert found.mix == 0


def test_counters_that_stand_still_are_no_use_of_a_model():
    """A model nobody asked before comes, though its counters were there; and the other way round."""
    tokens = (100.0, 0.0, 0.0, 10.0)
    idle = month(a=(tokens, PRICES), b=((0.0,) * 4, PRICES))
    busy = month(a=(tokens, PRICES), b=(tokens, PRICES))
    there, back = effects(idle, busy), effects(busy, idle)
    assert (there.arrived, back.gone) == (450.0, -450.0)
    assert {getattr(e, n) for e in (there, back) for n in ("mix", "cache", "volume")} == {0.0}


def test_what_was_free_and_costs_now_is_dearer_by_its_price():
    tokens = (100.0, 0.0, 0.0, 10.0)
    found = effects(month(a=(tokens, (0.0,) * 4)), month(a=(tokens, PRICES)))
    assert found.price == 450.0
    assert found.mix == found.cache == found.arrived == 0


@pytest.mark.parametrize(("calls", "length"), [(2.0, 1.0), (1.0, 3.0), (0.5, 4.0)])
def test_volume_is_parted_by_the_number_and_the_length_of_requests(calls, length):
    """Twice the requests of one length is all number; once the requests of thrice is all length."""
    tokens = (100.0, 50.0, 10.0, 40.0)
    before = month(a=(tokens, PRICES)).assign(requests=10.0)
    more = tuple(t * calls * length for t in tokens)
    found = effects(before, month(a=(more, PRICES)).assign(requests=10.0 * calls))
    if length == 1:
        assert found.requests == pytest.approx(found.volume)
    if calls == 1:
        assert found.requests == pytest.approx(0, abs=1e-9)
    assert found.requests * np.log(calls * length) == pytest.approx(found.volume * np.log(calls))


@pytest.mark.parametrize("counts", [None, 0.0, float("nan")])
def test_where_requests_are_not_counted_volume_is_not_parted(counts):
    table = month(a=((100.0, 50.0, 10.0, 40.0), PRICES))
    before = table if counts is None else table.assign(requests=counts)
    assert effects(before, before).requests is None

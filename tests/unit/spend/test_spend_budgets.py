"""Budgets are read exactly, take what they name, and say what is wrong with them."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from workbench.errors import SettingsError
from workbench.spend.budgeting.budgets import Budget, load_budgets
from workbench.spend.usage import DIMENSIONS


@pytest.fixture
def write(tmp_path):
    def to(text, name="budgets.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return to


def test_an_amount_is_exact_as_text_and_as_a_number(write):
    file = write('[[budget]]\nname="a"\namount="0.10"\n[[budget]]\nname="b"\namount=1234.10\n')
    assert [b.amount for b in load_budgets([file])] == [Decimal("0.10"), Decimal("1234.10")]


def test_a_budget_takes_the_rows_that_it_names():
    rows = [
        ("openai", "gpt-4o", "search"),
        ("openai", "o3", "ads"),
        ("anthropic", "gpt-4o*", "ads"),
    ]
    table = pd.DataFrame(
        [
            dict.fromkeys(DIMENSIONS, "") | dict(zip(("provider", "model", "team"), r, strict=True))
            for r in rows
        ]
    ).astype("category")
    assert Budget(name="a", amount=1, team="ads").takes(table).tolist() == [False, True, True]
    assert Budget(name="a", amount=1, model="gpt-*").takes(table).tolist() == [True, False, True]
    both = Budget(name="a", amount=1, provider=["openai", "x"], team="ads")
    assert both.takes(table).tolist() == [False, True, False]
    assert Budget(name="a", amount=1).takes(table).all()


def test_a_row_without_a_value_is_not_taken_by_name():
    table = pd.DataFrame({d: pd.Series([None, "x"], dtype="str") for d in DIMENSIONS})
    assert Budget(name="a", amount=1, team="*").takes(table).tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name="a"\namount="-5"', "amount"),
        ('name="a"\namount="5 000"', "amount"),
        ('name="a"\namount="nan"', "amount"),
        ('name="a"\namount=5\nperiod="fortnight"', "fortnight"),
        ('name="a"\namount=5\nteem="x"', "did you mean 'team'"),
        ('name="a"\namount=5\nthresholds=[80]', "share of the amount"),
        ('name="a"\namount=5\ncurrency="$"', "currency"),
        ('name="a"\namount=5\n[[budget]]\nname="a"\namount=6', "stands twice"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(write, text, said):
    with pytest.raises(SettingsError) as raised:
        load_budgets([write(f"[[budget]]\n{text}\n")])
    assert said.lower() in str(raised.value).lower()
    assert "\n" not in str(raised.value)


def test_a_name_in_two_files_is_refused(write):
    files = [write('[[budget]]\nname="a"\namount=1\n', f"{i}.toml") for i in range(2)]
    with pytest.raises(SettingsError, match="two budget files"):
        load_budgets(files)

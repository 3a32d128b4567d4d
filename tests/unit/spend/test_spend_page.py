"""The files that the page on spend shows are files that `wb.spend` reads."""

import re
from pathlib import Path

import pytest

from workbench.spend.budgeting.budgets import load_budgets
from workbench.spend.prices import load_price_book
from workbench.spend.rate_limits.limits import load_limits
from workbench.spend.self_hosted import load_machines
from workbench.spend.unit_cost.spec import load_units

PAGE = Path(__file__).parents[3] / "docs" / "llm-spend.md"
LOADERS = {
    "budget": load_budgets,
    "unit": load_units,
    "limit": load_limits,
    "machine": load_machines,
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("kind", LOADERS)
def test_each_kind_of_file_is_shown_once_and_is_read(kind, tmp_path):
    """Every table of the example becomes an entry."""
    (text,) = (text for text in blocks("toml") if f"[[{kind}]]" in text)
    path = tmp_path / "example.toml"
    path.write_text(text)
    assert len(LOADERS[kind]([path])) == text.count(f"[[{kind}]]")


def test_the_price_book_is_read(tmp_path):
    """A row a line."""
    (text,) = blocks("csv")
    path = tmp_path / "prices.csv"
    path.write_text(text)
    assert len(load_price_book(path).entries) == len(text.splitlines()) - 1

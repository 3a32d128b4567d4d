"""The pages of cardinality findings against the rules, formats and code that they speak of."""

import re
import tomllib
from pathlib import Path

import pytest

from workbench.cardinality.budgets import Budget, BudgetFile
from workbench.cardinality.lint import SEVERITIES, LintRule
from workbench.findings import Finding, Severity
from workbench.findings.acknowledgement import read_acknowledgements
from workbench.findings.pages import page, titles

CODES = [code for code in titles() if code.startswith("CARD-")]


def test_the_lints_page_lists_every_rule_with_its_severity():
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", page("CARD-LINT"), re.MULTILINE)
    assert dict(rows) == {rule.value: SEVERITIES[rule].value for rule in LintRule}


@pytest.mark.parametrize("code", CODES)
def test_each_page_answers_the_four_questions(code):
    headings = re.findall("^## (.+)$", page(code), re.MULTILINE)
    assert headings == ["What it means", "Why it matters", "What to do", "How to silence it"]
    assert re.search(r"^\*\*Severity\*\* ", page(code), re.MULTILINE)


@pytest.mark.parametrize("code", CODES)
def test_what_a_page_writes_in_toml_is_a_valid_budget_file(code):
    for block in re.findall(r"```toml\n(.*?)```", page(code), re.DOTALL):
        file = BudgetFile.model_validate(tomllib.loads(block))
        for known in read_acknowledgements(file.acknowledged, code):
            assert known.code == code


def test_the_guides_example_of_a_budget_file_is_valid_and_shows_every_part():
    guide = (Path(__file__).parents[3] / "docs" / "cardinality.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    file = BudgetFile.model_validate(tomllib.loads(block))
    read_acknowledgements(file.acknowledged, "guide")
    assert file.model_fields_set == set(BudgetFile.model_fields)
    shown = set().union(*(b.model_fields_set for b in file.budget))
    assert shown == set(Budget.model_fields)


def test_an_example_of_silencing_takes_the_finding_that_it_is_about():
    (block,) = re.findall(r"```toml\n(.*?)```", page("CARD-LINT"), re.DOTALL)
    (known,) = read_acknowledgements(tomllib.loads(block)["acknowledged"], "page")
    about = "camel-case node_memory_MemFree_bytes"
    assert known.takes(Finding("CARD-LINT", Severity.WARNING, about, "…"))

"""Budgets: what a file may say, and how each is judged."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from workbench.cardinality.budget_checks import BudgetCheck, BudgetState, check_budgets
from workbench.cardinality.budgets import BudgetFile, load_budgets
from workbench.cardinality.prediction import predict
from workbench.errors import SettingsError
from workbench.inventory import (
    Bound,
    CallSite,
    DeclaredMetric,
    Inventory,
    LabelTable,
    LabelValues,
    ObservedMetric,
    Place,
)
from workbench.samples import MetricType

TODAY = date(2026, 11, 22)


def judged(tmp_path: Path, text: str, *, after: int = 30, before: int = 20) -> list[BudgetCheck]:
    """Judge a budget file over one metric with a label ``path``, and one with a label ``job``."""
    file = tmp_path / "budgets.toml"
    file.write_text(text)

    def shown(count: int) -> Inventory:
        paths = LabelTable.of([{"path": f"/{i}"} for i in range(count)])
        jobs = LabelTable.of([{"job": "api", "n": str(i)} for i in range(4)])
        return Inventory(
            "text",
            {
                "http_requests_total": ObservedMetric(
                    "http_requests_total",
                    "http_requests_total",
                    count,
                    MetricType.COUNTER,
                    table=paths,
                ),
                "queue_depth": ObservedMetric(
                    "queue_depth", "queue_depth", 4, MetricType.GAUGE, table=jobs
                ),
            },
        )

    candidate, baseline = shown(after), shown(before)
    prediction = predict(candidate, baseline)
    return check_budgets(load_budgets([file]), prediction, candidate, baseline, today=TODAY)


def one(tmp_path: Path, text: str) -> BudgetCheck:
    """The only check."""
    (check,) = judged(tmp_path, text)
    return check


@pytest.mark.parametrize(
    ("budget", "state", "expected", "before"),
    [
        ("series = 39", BudgetState.KEPT, 39, 29),
        ("series = 38", BudgetState.EXCEEDED, 39, 29),
        ('metric = "http_*"\nseries = 30', BudgetState.KEPT, 30, 20),
        ('metric = "http_*"\nseries = 29', BudgetState.EXCEEDED, 30, 20),
        ('label = "path"\nvalues = 30', BudgetState.KEPT, 30, 20),
        ('label = "path"\nvalues = 29', BudgetState.EXCEEDED, 30, 20),
        ('job = "api"\nseries = 4', BudgetState.KEPT, 4, 4),
        ('job = "api"\nseries = 3', BudgetState.EXCEEDED, 4, 4),
        ('metric = "http_*"\nseries = 40\nexpires = 2026-11-21', BudgetState.EXPIRED, 30, 20),
        ('metric = "http_*"\nseries = 40\nexpires = 2026-11-22', BudgetState.KEPT, 30, 20),
    ],
)  # fmt: skip
def test_a_budget_is_judged_by_what_will_be(
    tmp_path: Path, budget: str, state: BudgetState, expected: int, before: int
) -> None:
    """Metrics by glob, labels by their values, jobs by their series, all with targets' own five."""
    check = one(tmp_path, f"[[budget]]\n{budget}")
    assert (check.state, check.used.expected, check.before) == (state, expected, before)


def test_a_team_owns_metrics_by_name(tmp_path: Path) -> None:
    """A team's series are those of its globs, and the culprit is named."""
    check = one(tmp_path, '[team.web]\nmetrics = ["http_*"]\n[[budget]]\nteam = "web"\nseries = 5')
    assert check.state is BudgetState.EXCEEDED
    assert check.culprits == (("http_requests_total", 30),)


@pytest.mark.parametrize(
    ("waiver", "state"),
    [
        ("until = 2026-11-22", BudgetState.WAIVED),
        ("until = 2026-11-21", BudgetState.EXCEEDED),
        ("until = 2026-12-31, allow = 29", BudgetState.EXCEEDED),
        ("until = 2026-12-31, allow = 30", BudgetState.WAIVED),
    ],
)
def test_a_waiver_holds_until_its_day(tmp_path: Path, waiver: str, state: BudgetState) -> None:
    """It ends, and it may allow only so much."""
    text = f'[[budget]]\nmetric = "http_*"\nseries = 1\nwaiver = {{ {waiver}, reason = "launch", owner = "kim" }}'
    assert one(tmp_path, text).state is state


@pytest.mark.parametrize(
    ("budget", "near"),
    [
        ('metric = "http_request_total"\nseries = 1', "http_requests_total"),
        ('label = "pth"\nvalues = 1', "path"),
        ('job = "apis"\nseries = 1', "api"),
    ],
)
def test_a_typo_is_told_with_near_names(tmp_path: Path, budget: str, near: str) -> None:
    """A budget that names nothing protects nothing."""
    check = one(tmp_path, f"[[budget]]\n{budget}")
    assert check.state is BudgetState.NAMES_NOTHING
    assert near in check.note


def test_an_unbounded_label_may_exceed_any_budget(tmp_path: Path) -> None:
    """Code that puts anything there is within no number."""
    (tmp_path / "b.toml").write_text(
        '[[budget]]\nlabel = "path"\nvalues = 1000\n[[budget]]\nmetric = "x"\nseries = 1000'
    )
    place = Place("a.go", 1)
    wild = LabelValues(Bound.UNBOUNDED, "request path", reason="r.URL.Path")
    metric = DeclaredMetric(
        "x", MetricType.GAUGE, "", ("path",), place, "go", "client_golang",
        sites=(CallSite(place, {"path": wild}),),
    )  # fmt: skip
    code = Inventory("src", declared=(metric,))
    checks = check_budgets(
        load_budgets([tmp_path / "b.toml"]), predict(code), code, None, today=TODAY
    )
    assert [c.state for c in checks] == [BudgetState.MAY_EXCEED] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[budget]]\nmetric = 'x'", "give either series or values"),
        ("[[budget]]\nseries = -1", "greater than or equal to 0"),
        ("[[budget]]\nvalues = 3", "values limits a label"),
        ("[[budget]]\nseries = 3\nmetrc = 'x'", "did you mean 'metric'"),
        ("[[budget]]\nteam = 'web'\nseries = 3", "no [team.web]"),
        ("[[budget]\n", "is not TOML"),
        ("[price]\nper_thousand_series_month = 'much'", "per_thousand_series_month"),
    ],
)
def test_a_bad_file_is_refused_with_the_mend(tmp_path: Path, text: str, says: str) -> None:
    """One message, with the place and what to write."""
    (tmp_path / "budgets.toml").write_text(text)
    with pytest.raises(SettingsError, match=re.escape(says)):
        load_budgets([tmp_path / "budgets.toml"])


def test_owners() -> None:
    """The narrowest budget's owner, else the team that owns the name or the file."""
    file = BudgetFile.model_validate(
        {
            "team": {"web": {"metrics": ["http_*"], "paths": ["web/*"]}},
            "budget": [
                {"metric": "http_*", "series": 1, "owner": "all-http"},
                {"metric": "http_requests_*", "series": 1, "owner": "requests"},
            ],
        }
    )
    assert file.owner_of("http_requests_total") == "requests"
    assert file.owner_of("http_other") == "all-http"
    assert file.owner_of("depth", "web/queue.go") == "web"
    assert not file.owner_of("depth", "api/queue.go")


def test_money_is_exact_to_the_cent() -> None:
    """1,500 series at 8 a thousand are 12.00."""
    file = BudgetFile.model_validate(
        {"price": {"per_thousand_series_month": "8", "currency": "EUR"}}
    )
    assert file.price is not None
    assert str(file.price.of(1500)) == "12.00"

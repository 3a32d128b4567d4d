"""Budgets as code: how many series or values are allowed, whose they are, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.validation import model_from_toml, text_of_file

__all__ = ["Budget", "BudgetFile", "Price", "Team", "Waiver", "load_budgets"]

_EXAMPLE: Final = '[[budget]] with metric = "http_*", series = 5000, owner = "team-web"'
_MODEL: Final = ConfigDict(frozen=True, extra="forbid")


class Waiver(BaseModel):
    """More than the budget, for a while."""

    model_config = _MODEL

    until: date = Field(description="the last day on which it holds")
    reason: str = Field(min_length=1, description="why")
    owner: str = Field(min_length=1, description="who answers for it")
    allow: int | None = Field(None, ge=0, description="the limit meanwhile; none where absent")


class Budget(BaseModel):
    """How many series, or values of a label, something may have."""

    model_config = _MODEL

    metric: str | None = Field(None, description="metrics, a glob: http_*; all where absent")
    label: str | None = Field(None, description="a label: `values` limits its distinct values")
    job: str | None = Field(None, description="only the series of this job")
    team: str | None = Field(None, description="only what belongs to this team of [team.…]")
    series: int | None = Field(None, ge=0, description="series of all replicas together")
    values: int | None = Field(None, ge=0, description="distinct values of `label` in any metric")
    owner: str = Field("", description="who is to act")
    expires: date | None = Field(None, description="the last day before it must be reviewed")
    waiver: Waiver | None = Field(None, description="more than the budget, for a while")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if (self.series is None) == (self.values is None):
            msg = "give either series or values"
            raise ValueError(msg)
        if (self.values is not None) != (self.label is not None):
            msg = "values limits a label: give label and values, or series alone"
            raise ValueError(msg)
        if self.label is not None and (self.job or self.team):
            msg = "values of a label are counted for a metric, not for a job or a team"
            raise ValueError(msg)
        return self

    @property
    def subject(self) -> str:
        """What it is about, in words: stable, so that a finding keeps its fingerprint."""
        parts = [f"label {self.label}"] if self.label else []
        parts += [f"metric {self.metric}"] if self.metric else []
        parts += [f"job {self.job}"] if self.job else []
        parts += [f"team {self.team}"] if self.team else []
        return " of ".join(parts) or "all series"

    @property
    def limit(self) -> int:
        """The number that must not be exceeded."""
        return self.series if self.series is not None else self.values or 0

    def takes_metric(self, name: str) -> bool:
        """Whether a metric falls under it, as far as names tell."""
        return self.metric is None or fnmatchcase(name, self.metric)


class Team(BaseModel):
    """What belongs to a team."""

    model_config = _MODEL

    metrics: tuple[str, ...] = Field((), description="globs of metric names")
    paths: tuple[str, ...] = Field((), description="globs of source files")

    def owns(self, metric: str, path: str = "") -> bool:
        """Whether a metric, or the file that declares it, is the team's."""
        return any(fnmatchcase(metric, g) for g in self.metrics) or (
            bool(path) and any(fnmatchcase(path, g) for g in self.paths)
        )


class Price(BaseModel):
    """What series cost."""

    model_config = _MODEL

    per_thousand_series_month: Decimal = Field(
        ge=0, le=1_000_000_000, description="money for 1,000 active series"
    )
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="as in ISO 4217")

    def of(self, series: int) -> Decimal:
        """What so many series cost a month, to the cent."""
        cost = self.per_thousand_series_month * series / 1000
        return cost.quantize(Decimal("0.01"))


class BudgetFile(BaseModel):
    """The content of a `budgets.toml`; tables of acknowledged findings may stand beside."""

    model_config = _MODEL

    version: Literal[1] = Field(1, description="of this format")
    budget: tuple[Budget, ...] = Field((), description="the budgets")
    team: dict[str, Team] = Field(default_factory=dict, description="what belongs to whom")
    price: Price | None = Field(None, description="what series cost")
    acknowledged: tuple[dict[str, Any], ...] = Field((), description="findings that are known")

    @model_validator(mode="after")
    def _teams_exist(self) -> Self:
        for budget in self.budget:
            if budget.team is not None and budget.team not in self.team:
                msg = (
                    f"a budget names the team {budget.team!r}, and there is no [team.{budget.team}]"
                )
                raise ValueError(msg)
        return self

    def team_of(self, metric: str, path: str = "") -> str:
        """Whose a metric is, or ``""``: the first team that owns it."""
        return next((name for name, team in self.team.items() if team.owns(metric, path)), "")

    def owner_of(self, metric: str, path: str = "") -> str:
        """Who is to act: the owner of the narrowest budget of that metric, else its team."""
        owned = [b for b in self.budget if b.metric and b.owner and b.takes_metric(metric)]
        narrowest = max(owned, key=lambda b: len((b.metric or "").replace("*", "")), default=None)
        return narrowest.owner if narrowest is not None else self.team_of(metric, path)


def load_budgets(paths: Iterable[Path]) -> BudgetFile:
    """Read `budgets.toml`; of several files the lists are joined.

    Raises
    ------
    SettingsError
        A file cannot be read, is no TOML, or holds something unknown or wrong.
    """
    joined = BudgetFile.model_validate({})
    for path in paths:
        part = _load(path)
        joined = BudgetFile(
            version=1,
            budget=joined.budget + part.budget,
            team=joined.team | part.team,
            price=part.price or joined.price,
            acknowledged=joined.acknowledged + part.acknowledged,
        )
    return joined


def _load(path: Path) -> BudgetFile:
    what = f"budget file {path}"
    return model_from_toml(
        text_of_file(path, what), what, BudgetFile, Budget, Team, Price,
        example=f"a budget is written {_EXAMPLE}",
    )  # fmt: skip

"""Budgets of spend as code: how much, of whose, in which time, and whom to tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workbench.errors import SettingsError
from workbench.spend.naming import Names, repeated, takes
from workbench.spend.usage import DIMENSIONS
from workbench.validation import model_from_toml, text_of_file

if TYPE_CHECKING:
    import pandas as pd

    from workbench.frame import Bools

__all__ = ["Budget", "BudgetFile", "load_budgets"]

_EXAMPLE: Final = '[[budget]] with name = "search", team = "search", amount = "5000", owner = "…"'
_MODEL: Final = ConfigDict(frozen=True, extra="forbid")
_ROLLING: Final = re.compile(r"([1-9][0-9]{0,2})d")
_CALENDAR: Final = ("month", "quarter", "year")


class Budget(BaseModel):
    """How much something may cost in a time.

    A dimension that is given takes a name, a glob such as ``gpt-4o*``, or a list of them; one that
    is not given takes all.
    """

    model_config = _MODEL

    name: str = Field(min_length=1, max_length=200, description="what to call it")
    amount: Decimal = Field(gt=0, le=10**12, description='money, best as text: "5000.00"')
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="as in ISO 4217")
    period: str = Field(
        "month", description="month, quarter or year by the calendar, or rolling days: 30d"
    )
    thresholds: tuple[float, ...] = Field(
        (0.5, 0.8, 1.0), min_length=1, description="shares of the amount worth telling"
    )
    owner: str = Field("", description="who is to act")
    provider: Names = Field((), description="whose models")
    model: Names = Field((), description="which models")
    region: Names = Field((), description="where")
    tier: Names = Field((), description="service tiers")
    team: Names = Field((), description="whose spend")
    application: Names = Field((), description="what spends")
    user: Names = Field((), description="who spends")
    prompt_version: Names = Field((), description="by which prompt")

    @field_validator("period")
    @classmethod
    def _known(cls, period: str) -> str:
        if period not in _CALENDAR and not _ROLLING.fullmatch(period):
            msg = f"{period!r} is none of {', '.join(_CALENDAR)}, nor days such as 30d"
            raise ValueError(msg)
        return period

    @field_validator("thresholds")
    @classmethod
    def _ascending(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < t <= 10 for t in thresholds):
            msg = "a threshold is a share of the amount, above 0 and at most 10: 0.8"
            raise ValueError(msg)
        return tuple(sorted(set(thresholds)))

    @property
    def rolling_days(self) -> int | None:
        """How many days it looks back; None where it goes by the calendar.

        Examples
        --------
        >>> Budget(name="all", amount="100", period="7d").rolling_days
        7
        """
        found = _ROLLING.fullmatch(self.period)
        return int(found[1]) if found else None

    @property
    def scope(self) -> dict[str, tuple[str, ...]]:
        """The dimensions that it limits, each with the names that it takes."""
        return {d: getattr(self, d) for d in DIMENSIONS if getattr(self, d)}

    def takes(self, table: pd.DataFrame) -> Bools:
        """Which rows of the canonical table fall under it.

        Parameters
        ----------
        table
            With the columns of `workbench.spend.usage.DIMENSIONS`, text or categories.

        Returns
        -------
        ndarray of bool, shape (rows,)
        """
        return takes(table, self.scope)


class BudgetFile(BaseModel):
    """The content of a file of budgets."""

    model_config = _MODEL

    version: Literal[1] = Field(1, description="of this format")
    budget: tuple[Budget, ...] = Field(min_length=1, description="the budgets")

    @field_validator("budget")
    @classmethod
    def _distinct(cls, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
        if twice := repeated(b.name for b in budgets):
            msg = f"the name {twice!r} stands twice"
            raise ValueError(msg)
        return budgets


def load_budgets(paths: Iterable[Path]) -> tuple[Budget, ...]:
    """Read the budgets of some files.

    Raises
    ------
    SettingsError
        A file cannot be read, is no TOML, holds something unknown or wrong, or repeats a name.
    """
    budgets: list[Budget] = []
    for path in paths:
        budgets.extend(_load(path).budget)
    if twice := repeated(b.name for b in budgets):
        msg = f"two budget files have a budget of the name {twice!r}"
        raise SettingsError(msg, "give one of them another name")
    return tuple(budgets)


def _load(path: Path) -> BudgetFile:
    what = f"budget file {path}"
    return model_from_toml(
        text_of_file(path, what), what, BudgetFile, Budget,
        example=f"a budget is written {_EXAMPLE}", parse_float=Decimal,
    )  # fmt: skip

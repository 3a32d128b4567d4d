"""The parameters of the cardinality report."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from workbench.errors import InputError
from workbench.reporting.parameters.base import (
    OptionalDuration,
    Parameters,
)

__all__ = ["CardinalityParameters"]


class CardinalityParameters(Parameters):
    """What a cardinality report takes. Several names have spaces between them."""

    candidate: str = Field(
        "",
        description="what will be deployed: source code, files of metrics, URLs; empty for the source itself",
        examples=["src"],
    )
    baseline: str = Field(
        "",
        description="what runs now; empty for the source where there is a candidate, none for nothing",
        examples=["before.prom"],
    )
    since: OptionalDuration = Field(
        "",
        description="take the baseline so long ago; without a candidate, what has changed since",
        examples=["7d"],
    )
    match: str = Field(
        "", description="of servers, only series that meet a selector", examples=['{job="api"}']
    )
    exclude: str = Field(
        "", description="of source code, names and paths to leave out", examples=["testdata"]
    )
    budgets: str = Field("", description="files of budgets", examples=["budgets.toml"])
    rules: str = Field("", description="files or folders of rules", examples=["rules/"])
    dashboards: str = Field(
        "", description="files or folders of Grafana dashboards", examples=["dashboards/"]
    )
    lint: str = Field(
        "", description="only these lint rules, none for no lint; empty for all", examples=["help"]
    )
    no_lint: str = Field("", description="all lint rules but these", examples=["camel-case"])
    replicas: int = Field(
        0, ge=0, description="targets that will run it; 0 for as many as run now", examples=[6]
    )
    keep_names: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="whether replicas keep their names over a deploy",
        examples=["true"],
    )

    def verify(self) -> None:
        """Read the budgets; see that files and sources are there, and lint rules are known."""
        from workbench.cardinality.budgets import load_budgets
        from workbench.cardinality.lint import chosen_rules
        from workbench.session.audit_names import check_name, split_names, split_selectors
        from workbench.session.cardinality_study import NO_BASELINE

        for name in (*split_names(self.candidate), *split_names(self.baseline)):
            if name != NO_BASELINE:
                check_name(name)
        split_selectors(self.match)
        split_names(self.exclude)
        load_budgets([Path(p) for p in split_names(self.budgets)])
        for name in (*split_names(self.rules), *split_names(self.dashboards)):
            if not Path(name).exists():
                msg = f"there is no {name!r}"
                raise InputError(msg, "check the path of the rules or dashboards")
        wanted = split_names(self.lint)
        chosen_rules([] if wanted == ["none"] else wanted, without=split_names(self.no_lint))

    def subject(self, source: str) -> str:
        """The candidate and what it is compared with."""
        if not self.candidate:
            return source
        if self.baseline == "none":
            return self.candidate
        return f"{self.candidate}, beside {self.baseline or source}"

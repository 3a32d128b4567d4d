"""The reports there are: each name's notebook, title and typed parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from workbench.capacity.resource_sets import load_resources
from workbench.errors import InputError, ParameterError, did_you_mean
from workbench.units import parse_duration
from workbench.window import parse_time

__all__ = [
    "CapacityParameters",
    "CardinalityParameters",
    "Parameters",
    "ReportKind",
    "SloParameters",
    "catalogue",
    "check_parameters",
    "find_report",
]


def _duration(text: str) -> str:
    try:
        if parse_duration(text) > 0:
            return text
    except InputError:
        pass
    msg = "a duration above 0 and of at most 292y"
    raise ValueError(msg)


def _moment(text: str) -> str:
    try:
        if text:
            parse_time(text, now_ms=0)
    except InputError:
        msg = "a moment in time"
        raise ValueError(msg) from None
    return text


def _no_duration(text: str) -> str:
    return _duration(text) if text else text


OptionalDuration = Annotated[str, AfterValidator(_no_duration)]
"""A duration above 0, or nothing."""

DurationText = Annotated[str, AfterValidator(_duration)]
"""A duration above 0 as PromQL writes it."""

MomentText = Annotated[str, AfterValidator(_moment)]
"""A moment in time as `workbench.window.parse_time` reads it, or nothing."""


class Parameters(BaseModel):
    """What every report takes. The fields stand in the notebook's `parameters` cell, in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        "",
        description="a URL, snapshot:PATH, demo: or a name from workbench.toml; empty for the default",
        examples=["https://prometheus:9090"],
    )

    def verify(self) -> None:
        """Raise where what a parameter names is missing or wrong: before a kernel starts."""

    def subject(self, source: str) -> str:
        """What the report is about: its source, unless it is about something else."""
        return source


class CapacityParameters(Parameters):
    """What a capacity report takes."""

    last: DurationText = Field("35d", description="the history to learn from", examples=["35d"])
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: DurationText = Field("1h", description="distance between two points", examples=["1h"])
    resources: str = Field(
        "",
        description="path of a resources.toml; empty for the ready-made sets",
        examples=["resources.toml"],
    )
    horizon_days: int = Field(
        90, ge=1, le=730, description="how far to look ahead, in days", examples=[90]
    )

    def verify(self) -> None:
        """Read the resources."""
        if self.resources:
            load_resources(Path(self.resources))


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


class SloParameters(Parameters):
    """What an SLO report takes. Several names have spaces between them."""

    objectives: str = Field(
        "",
        description="files of objectives; empty on demo: for the estate's own",
        examples=["slo.toml"],
    )
    last: OptionalDuration = Field(
        "",
        description="the history to learn from; empty for the window and the longest burn window",
        examples=["35d"],
    )
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: OptionalDuration = Field(
        "", description="distance between two points; empty to choose it", examples=["5m"]
    )

    def verify(self) -> None:
        """Read the objectives."""
        from workbench.session.audit_names import split_names
        from workbench.slo.files import load_objectives

        if names := split_names(self.objectives):
            load_objectives([Path(n) for n in names])


@dataclass(frozen=True, slots=True)
class ReportKind:
    """One report of the catalogue.

    Parameters
    ----------
    name
        What is typed: ``capacity``.
    title
        What heads the page.
    summary
        One line for lists.
    parameters
        The typed model its parameters are checked by.
    """

    name: str
    title: str
    summary: str
    parameters: type[Parameters]

    @property
    def notebook(self) -> str:
        """The notebook's file name in `notebooks/`."""
        return f"{self.name}.ipynb"


_KINDS: Final = (
    ReportKind(
        "capacity",
        "Capacity",
        "what will be full, when, and how sure that is",
        CapacityParameters,
    ),
    ReportKind(
        "cardinality",
        "Cardinality",
        "which metrics and labels make the series, and what a deploy changes",
        CardinalityParameters,
    ),
    ReportKind(
        "slo",
        "Service level objectives",
        "what is left of error budgets, until when, and what the alerts would have done",
        SloParameters,
    ),
)


def catalogue() -> Mapping[str, ReportKind]:
    """All reports by name.

    Examples
    --------
    >>> catalogue()["capacity"].title
    'Capacity'
    """
    return {kind.name: kind for kind in _KINDS}


def find_report(name: str) -> ReportKind:
    """The report of that name.

    Raises
    ------
    ParameterError
        There is none.
    """
    kinds = catalogue()
    if name not in kinds:
        near = did_you_mean(name, kinds)
        msg = f"there is no report {name!r}"
        raise ParameterError(msg, near or f"the reports are {', '.join(kinds)}")
    return kinds[name]


def check_parameters(kind: ReportKind, given: Mapping[str, Any]) -> Parameters:
    """Check parameters by the report's model; text is coerced to the field's type.

    Raises
    ------
    ParameterError
        One is unknown, or its value is of the wrong type or out of range. All that is wrong is
        said at once; values are shown, since no parameter may be a secret.
    SettingsError
        A file that one names is missing or wrong.

    Examples
    --------
    >>> check_parameters(catalogue()["capacity"], {"horizon_days": "30"}).model_dump()["horizon_days"]
    30
    """
    try:
        checked = kind.parameters.model_validate(dict(given))
    except ValidationError as error:
        problems = [_explain(kind, dict(problem)) for problem in error.errors()]
    else:
        checked.verify()
        return checked
    whats, mends = zip(*problems, strict=True)
    msg = f"report {kind.name!r}: {'; '.join(whats)}"
    raise ParameterError(msg, "; ".join(mends))


def _explain(kind: ReportKind, problem: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with one parameter, and the mend."""
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        near = did_you_mean(name, kind.parameters.model_fields)
        return (
            f"unknown parameter {name!r}",
            near or f"it takes {', '.join(kind.parameters.model_fields)}",
        )
    field = kind.parameters.model_fields[name]
    expected = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    expected = expected.partition(", unable")[0]
    example = (field.examples or [field.default])[0]
    what = f"parameter {name} is {problem['input']!r}, expected {expected}"
    return what, f"for example -p {name}={example}"

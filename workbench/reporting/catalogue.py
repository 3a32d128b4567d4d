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
    "Parameters",
    "ReportKind",
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

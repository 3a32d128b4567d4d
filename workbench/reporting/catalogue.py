"""The reports there are: each name's notebook, title and typed parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from workbench.errors import ParameterError, did_you_mean
from workbench.reporting.parameters import (
    CapacityParameters,
    CardinalityParameters,
    LatencyParameters,
    Parameters,
    RightsizingParameters,
    SloParameters,
    SpendParameters,
)

__all__ = ["ReportKind", "catalogue", "check_parameters", "find_report"]


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
        "latency",
        "Latency",
        "how long requests take, how sure that is, what changed it and where the tail comes from",
        LatencyParameters,
    ),
    ReportKind(
        "llm-spend",
        "LLM spend",
        "what language models cost, who spent it, why it changed and where it is going",
        SpendParameters,
    ),
    ReportKind(
        "rightsizing",
        "Right-sizing",
        "which requests and limits containers should have, and what that saves",
        RightsizingParameters,
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

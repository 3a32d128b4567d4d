"""What reading files of objectives gathers: objectives, what was not used, what cannot be honoured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.errors import SettingsError
from workbench.slo.indicator import Availability, Latency, Query
from workbench.slo.objective import Alert, Alerting, Objective
from workbench.slo.slices import Threshold, Timeslices
from workbench.validation import explain_validation

__all__ = ["Gathered", "Remark", "built"]

_MODELS: tuple[type[BaseModel], ...] = (
    Objective, Availability, Latency, Query, Threshold, Timeslices, Alerting, Alert,
)  # fmt: skip

_KIND = re.compile(r"(?<=\bsli)\.(?:availability|latency|query|threshold|timeslices)(?=[.:])")
"""The kind of an indicator, which pydantic puts into a field's place."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about what was read.

    Parameters
    ----------
    path
        The file.
    about
        The objective or other object in it; may be empty.
    text
        What there is to know.
    """

    path: str
    about: str
    text: str

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.path, self.about))) + f": {self.text}"


@dataclass(slots=True)
class Gathered:
    """Filled while files are read.

    Parameters
    ----------
    objectives
        Each with the file that it stands in.
    notes
        What is not used, or understood in a way that one may want to know.
    refused
        Objectives that cannot be honoured, and why.
    """

    objectives: list[tuple[Objective, str]] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)


def built(content: Mapping[str, Any], path: str, number: int = 1) -> Objective:
    """Make an objective of what a file says, of which it is the `number`-th.

    Raises
    ------
    SettingsError
        Something is unknown, missing or wrong: with the file, the objective and the field.
    """
    try:
        return Objective.model_validate(content)
    except ValidationError as error:
        name = content.get("name")
        which = f"objective {name!r}" if isinstance(name, str) and name else f"objective {number}"
        what = _KIND.sub("", explain_validation(error, *_MODELS))
        msg = f"{path}, {which}: {what}"
        raise SettingsError(msg, "mend it; docs/slo.md shows every field") from None

"""What the parameters of all reports share: texts that are checked, and the source."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workbench.errors import InputError
from workbench.units import parse_duration
from workbench.window import parse_time

__all__ = ["DurationText", "MomentText", "OptionalDuration", "Parameters"]


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

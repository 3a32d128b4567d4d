"""The parameters of the right-sizing report."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.reporting.parameters.base import (
    DurationText,
    MomentText,
    Parameters,
)

__all__ = ["RightsizingParameters"]


class RightsizingParameters(Parameters):
    """What a right-sizing report takes."""

    last: DurationText = Field("28d", description="the history to learn from", examples=["28d"])
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: DurationText = Field("5m", description="distance between two points", examples=["5m"])
    match: str = Field(
        "",
        description="conditions that every series must meet",
        examples=['{namespace="shop"}'],
    )
    queries: str = Field(
        "",
        description="a TOML file of PromQL in place of the shipped queries",
        examples=["queries.toml"],
    )
    risk: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="the chance that a step of next week is above the CPU request",
        examples=["0.01"],
    )
    memory_risk: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="the chance that memory exceeds its request within memory_days",
        examples=["0.01"],
    )
    memory_days: int = Field(
        30, ge=1, le=365, description="days ahead for which memory is sized", examples=[30]
    )
    cpu_limit: Literal["none", "keep", "peak"] = Field(
        "none", description="which CPU limit is advised: none, keep or peak", examples=["keep"]
    )
    hours: str = Field(
        "",
        description="which hours count for CPU; empty for all",
        examples=["mon-fri 08:00-18:00"],
    )
    timezone: str = Field("UTC", description="whose clock they are", examples=["Europe/Berlin"])
    core_hour_price: str = Field(
        "", description="of a core for an hour, to tell what is saved", examples=["0.0316"]
    )
    gib_hour_price: str = Field("", description="of a GiB for an hour", examples=["0.0042"])
    currency: str = Field("USD", description="of both prices", examples=["EUR"])

    def verify(self) -> None:
        """Read hours, prices, conditions and the file of queries."""
        from workbench.session.rightsizing import check_rightsizing

        check_rightsizing(**self.model_dump(exclude={"source", "last", "end", "step"}))

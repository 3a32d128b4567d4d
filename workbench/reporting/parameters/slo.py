"""The parameters of the report of service level objectives."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from workbench.reporting.parameters.base import (
    MomentText,
    OptionalDuration,
    Parameters,
)

__all__ = ["SloParameters"]


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

"""The parameters of the latency report."""

from __future__ import annotations

from pydantic import Field

from workbench.reporting.parameters.base import (
    DurationText,
    MomentText,
    OptionalDuration,
    Parameters,
)

__all__ = ["LatencyParameters"]


class LatencyParameters(Parameters):
    """What a latency report takes. Several names have spaces between them."""

    metrics: str = Field(
        "",
        description="histograms or summaries, by name or selector; empty for all that measure a time",
        examples=["request_duration_seconds"],
    )
    by: str = Field(
        "", description="labels that tell groups apart; empty to choose them", examples=["path"]
    )
    last: DurationText = Field("14d", description="the range to study", examples=["14d"])
    end: MomentText = Field(
        "",
        description="where the range ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: OptionalDuration = Field(
        "", description="distance between two points; empty to choose it", examples=["15m"]
    )
    objectives: str = Field(
        "", description="durations that requests should keep", examples=["250ms"]
    )
    quantiles: str = Field(
        "0.5 0.9 0.95 0.99 0.999", description="which quantiles", examples=["0.99"]
    )
    compare: str = Field(
        "deploys",
        description="deploys, previous, none, label NAME, or two windows as START/END START/END",
        examples=["previous"],
    )
    deploys: str = Field(
        "",
        description="a metric, a file of annotations or moments; empty for the metrics of builds",
        examples=["my_app_build_info"],
    )
    compare_window: OptionalDuration = Field(
        "",
        description="length of the windows before and after a deploy; empty to choose it",
        examples=["3h"],
    )
    trace_link: str = Field(
        "",
        description="where traces are shown: an address with {trace_id} in its place",
        examples=["https://jaeger.example/trace/{trace_id}"],
    )

    def verify(self) -> None:
        """Read the texts; names of metrics and files are looked at with the source."""
        from workbench.session.latency import LatencyRequest, check_request

        check_request(LatencyRequest(**self.model_dump(exclude={"source"})))

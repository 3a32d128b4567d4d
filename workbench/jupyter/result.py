"""What `%promql` gives: an answer that draws itself."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError, QueryError
from workbench.findings import Provenance
from workbench.frame import Frame, samples_to_long
from workbench.jupyter.drawing import Drawing, Form, plan_drawing
from workbench.promql.tokens import one_line
from workbench.samples import Samples
from workbench.session import Workbench
from workbench.sources.base import Answer
from workbench.window import Window

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

__all__ = ["PromqlResult"]


class PromqlResult:
    """An answer, ready to be looked at or worked with.

    Parameters
    ----------
    workbench
        Where it was asked, and where more is asked that a picture needs.
    answer
        What came back.
    form
        How to show it; None lets the kind of result and the metric's type decide.

    Attributes
    ----------
    answer
        Data and provenance, as the source gave them.
    """

    def __init__(self, workbench: Workbench, answer: Answer, form: Form | None = None) -> None:
        self.answer = answer
        self._workbench = workbench
        self._form = form

    @property
    def expression(self) -> str:
        """What was asked."""
        return self.answer.provenance.expression

    @property
    def provenance(self) -> Provenance:
        """Where the figures come from."""
        return self.answer.provenance

    @property
    def frame(self) -> Frame:
        """Series × steps.

        Raises
        ------
        InputError
            A range selector was asked at an instant, which gives raw samples: `df` holds them.
        """
        if isinstance(self.answer.data, Samples):
            msg = f"{self.expression} gave raw samples, not values on a grid"
            raise InputError(msg, "use .df, or put a function such as rate() around it")
        return self.answer.data

    @cached_property
    def df(self) -> pd.DataFrame:
        """A DataFrame: wide for a range, a row a series for an instant, long for raw samples."""
        data = self.answer.data
        if isinstance(data, Samples):
            return samples_to_long(data)
        return data.to_wide() if data.kind == "matrix" else data.to_table()

    @cached_property
    def drawing(self) -> Drawing:
        """How the picture is made."""
        window = self._window
        metrics = self._workbench.source.metrics()
        try:
            return plan_drawing(self.expression, metrics, step_ms=window.step_ms if window else 0)
        except QueryError:  # the source's own dialect, which our parser does not read
            return Drawing("lines", self.expression)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: how it is drawn, what the source warned of, why it is empty."""
        provenance = self.provenance
        drawn = self.drawing.notes if self._window and len(self.answer.data) else ()
        lines = (*drawn, *provenance.warnings, *provenance.gaps, self._why_empty())
        return tuple(filter(None, lines))

    def _why_empty(self) -> str:
        if len(self.answer.data):
            return ""
        try:
            return self._workbench.why_empty(self.expression)
        except QueryError:
            return ""

    def chart(self) -> alt.LayerChart:
        """Draw it: a counter as its rate, buckets as a heatmap, all else as lines.

        Raises
        ------
        InputError
            It holds raw samples or text, which have no picture.
        """
        from workbench.views.heatmap import heatmap_chart
        from workbench.views.series import series_chart

        if self.frame.kind == "string":
            msg = f"{self.expression} is a text"
            raise InputError(msg, "use --as table")
        window = self._window
        if window is None:
            return series_chart(self.frame, title=one_line(self.expression), notes=self.notes)
        drawing, frame = self.drawing, self.frame
        if drawing.expression != self.expression and len(frame):
            asked = self._workbench.ask(drawing.expression, window).data
            assert isinstance(asked, Frame)
            frame = asked
        draw = heatmap_chart if drawing.kind == "heatmap" or _is_buckets(frame) else series_chart
        return draw(frame, unit=drawing.unit, title=one_line(self.expression), notes=self.notes)

    def table(self) -> str:
        """The result as an HTML table with a row a series."""
        from workbench.views.table import escaped, frame_table

        data = self.answer.data
        if isinstance(data, Samples):
            markup: str = self.df.to_html(max_rows=50, index=False)
        else:
            markup = frame_table(data, unit=self.drawing.unit if not self._window else "")
        return markup + "".join(f'<p class="wb-note">{escaped(n)}</p>' for n in self.notes)

    @property
    def _window(self) -> Window | None:
        return self.provenance.window

    def __repr__(self) -> str:
        data = self.answer.data
        size = (
            f"{data.rows} samples" if isinstance(data, Samples) else f"{len(data.times_ms)} steps"
        )
        head = f"<promql {one_line(self.expression)}: {len(data)} series, {size}>"
        return "\n".join([head, *self.notes])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        drawable = isinstance(self.answer.data, Frame) and self._window is not None
        if self._form == "chart" or (self._form is None and drawable):
            from workbench.views.renderer import chart_bundle

            return {**chart_bundle(self.chart().to_dict()), "text/plain": repr(self)}
        return {"text/plain": repr(self), "text/html": self.table()}


def _is_buckets(frame: Frame) -> bool:
    """Whether every series is one bucket of a classic histogram."""
    bounds = {labels.get("le", "") for labels in frame.labels}
    return len(bounds) > 1 and "" not in bounds

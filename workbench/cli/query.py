"""`workbench query`: evaluate PromQL and print or save what comes back."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import print_table, say
from workbench.cli.options import DryRun, Source
from workbench.errors import InputError, OutputError
from workbench.frame import Frame, samples_to_long
from workbench.samples import Samples, format_labels

if TYPE_CHECKING:
    import pandas as pd

    from workbench.session import Workbench
    from workbench.sources.base import Answer
    from workbench.window import Window


class Format(StrEnum):
    """How to give the result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    CHART = "chart"


def query(
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="The PromQL.")],
    *,
    source: Source = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Instant: 2026-01-31T12:00:00Z, now-1h, Unix seconds."),
    ] = None,
    last: Annotated[str | None, typer.Option("--last", help="Range that ends now: 6h.")] = None,
    start: Annotated[str | None, typer.Option("--start", help="Start of the range.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="End of the range.")] = None,
    step: Annotated[str | None, typer.Option("--step", help="Distance of the points: 1m.")] = None,
    form: Annotated[
        Format, typer.Option("--format", "-f", help="How to give the result.")
    ] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Evaluate PromQL at one instant, or on a grid where a range is given."""
    from workbench.session import connect
    from workbench.window import parse_time

    ranged = any(x is not None for x in (last, start, end, step))
    if ranged and at is not None:
        msg = f"--at {at!r} is given together with a range"
        raise InputError(
            msg, "give --at for an instant, or --last/--start/--end/--step for a range"
        )
    if form in (Format.PARQUET, Format.CHART) and output is None:
        msg = f"--format {form.value} needs a file"
        raise InputError(
            msg, f"add --output result.{'parquet' if form is Format.PARQUET else 'html'}"
        )
    if form is Format.CHART and output is not None:
        from workbench.views.export import check_suffix

        check_suffix(output.suffix)
    with connect(source) as wb:
        when: Window | int
        if ranged:
            when = wb.window(last=last, start=start, end=end, step=step)
        else:
            now = wb.source.now_ms()
            when = now if at is None else parse_time(at, now_ms=now)
        if dry_run:
            _show_plan(wb, expression, when)
            return
        answer = wb.ask(expression, when)
        _notes(wb, answer, when)
    _deliver(answer, form, output)


def _show_plan(wb: Workbench, expression: str, when: Window | int) -> None:
    from workbench.promql.question import Question
    from workbench.session.plan import estimate
    from workbench.window import Window

    window = when if isinstance(when, Window) else Window(when, when, 1000)
    print_table(
        PLAN_COLUMNS, (e.row() for e in estimate(wb, [Question("query", expression, window)]))
    )


PLAN_COLUMNS: Final = ("question", "expression", "window", "series", "steps", "samples")


def _notes(wb: Workbench, answer: Answer, when: Window | int) -> None:
    for line in (*answer.provenance.warnings, *answer.provenance.gaps):
        say(f"note: {line}")
    if not len(answer.data) and not (
        isinstance(answer.data, Frame) and answer.data.kind == "string"
    ):
        why = wb.why_empty(answer.provenance.expression, when)
        say(f"no series: {why or 'nothing matches at this time'}")


def _deliver(answer: Answer, form: Format, output: Path | None) -> None:
    data = answer.data
    if form is Format.TABLE and output is None:
        _print(data)
        return
    content = _encoded(data, form, output)
    if output is None:
        sys.stdout.write(content.decode())
        return
    _save(output, content)
    say(f"wrote {output}")


def _save(output: Path, content: bytes) -> None:
    if not output.exists() or output.is_file():
        from workbench.reporting.files import write_whole

        write_whole(output, content)
        return
    try:  # a pipe or a device such as /dev/stdout stays what it is
        output.write_bytes(content)
    except OSError as error:
        msg = f"{output} cannot be written ({error.strerror})"
        raise OutputError(msg, "choose a file in a folder you may write to") from None


def _encoded(data: Frame | Samples, form: Format, output: Path | None) -> bytes:
    if form is Format.JSON:
        import orjson

        return orjson.dumps(data.to_api()) + b"\n"
    if form is Format.PARQUET:
        import io

        buffer = io.BytesIO()
        _long(data).to_parquet(buffer, index=False)
        return buffer.getvalue()
    if form is Format.CHART:
        assert output is not None
        return _chart(data, output)
    return _long(data).to_csv(index=False).encode()


def _long(data: Frame | Samples) -> pd.DataFrame:
    if isinstance(data, Samples):
        return samples_to_long(data)
    return data.to_long() if data.kind == "matrix" else data.to_table()


def _chart(data: Frame | Samples, output: Path) -> bytes:
    from workbench.views.export import chart_file
    from workbench.views.series import series_chart

    if not isinstance(data, Frame) or data.kind != "matrix":
        msg = "a chart needs a range"
        raise InputError(msg, "add --last 6h")
    return chart_file(series_chart(data, title=data.expression), output.suffix)


def _print(data: Frame | Samples) -> None:
    if isinstance(data, Frame) and data.kind == "string":
        print_table(["value"], [(data.text,)])
        return
    if not len(data):
        return
    if isinstance(data, Samples):
        rows = [(format_labels(labels), len(v), *_summary(v)) for labels, _, v in data]
        print_table(["series", "samples", *_SUMMARY], rows)
    elif data.kind == "matrix":
        rows = [
            (format_labels(labels), *_summary(data.values[i][data.present[i]]))
            for i, labels in enumerate(data.labels)
        ]
        print_table(["series", *_SUMMARY], rows)
    else:
        table = data.to_table()
        print_table(list(table.columns), table.itertuples(index=False))


_SUMMARY: Final = ("first", "min", "mean", "max", "last", "")
_BARS: Final = "▁▂▃▄▅▆▇█"


def _summary(values: Any) -> tuple[float | str, ...]:
    """First, least, mean, greatest and last value, and a line of bars."""
    import numpy as np

    finite = values[np.isfinite(values)]
    if not len(finite):
        return *[float("nan")] * 5, ""
    low, high = float(finite.min()), float(finite.max())
    means = [float(part.mean()) for part in np.array_split(finite, min(24, len(finite)))]
    bars = "".join(
        _BARS[round((m - low) / (high - low) * 7)] if high > low else _BARS[3] for m in means
    )
    return float(finite[0]), low, float(finite.mean()), high, float(finite[-1]), bars

"""`workbench snapshot`: keep a piece of a source, or turn a file into one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import print_table, progress, say
from workbench.cli.options import DryRun, Source, key_values

app = typer.Typer(
    help="Keep a piece of a source as a folder that answers PromQL.", no_args_is_help=True
)

Target = Annotated[Path, typer.Argument(metavar="DIR", help="The snapshot's folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a snapshot that is there.")]


class FileFormat(StrEnum):
    """What an imported file holds."""

    AUTO = "auto"
    CSV = "csv"
    OPENMETRICS = "openmetrics"
    LLM = "llm"


@app.command()
def create(
    target: Target,
    *,
    match: Annotated[
        list[str] | None,
        typer.Option("--match", help="Selector of the series to keep; repeatable [default: all]."),
    ] = None,
    source: Source = None,
    last: Annotated[
        str | None, typer.Option("--last", help="Range that ends now [default: 6h].")
    ] = None,
    start: Annotated[str | None, typer.Option("--start", help="Start of the range.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="End of the range.")] = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
) -> None:
    """Copy raw samples of a source into a folder."""
    from workbench import capture
    from workbench.session import connect

    selectors = match or ['{__name__!=""}']
    with connect(source) as wb:
        window = wb.window(last=last, start=start, end=end, step="1s", align=False)
        if dry_run:
            plan = capture.plan(wb.source, selectors, window.start_ms, window.end_ms)
            print_table(["selector", "series", "samples", "questions"], plan.rows())
            return
        with progress("capturing") as update:
            manifest = capture.capture(
                wb.source,
                selectors,
                window.start_ms,
                window.end_ms,
                target,
                progress=update,
                overwrite=overwrite,
            )
    say(f"{manifest.series} series, {manifest.samples} samples")
    for note in manifest.notes:
        say(f"note: {note}")
    typer.echo(target)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV, OpenMetrics text, or JSON lines of LLM requests; .gz too.")
    ],
    target: Target,
    *,
    form: Annotated[
        FileFormat, typer.Option("--format", "-f", help="What the file holds.")
    ] = FileFormat.AUTO,
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="Metric name for a CSV [default: the file's name]."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="KEY=VALUE",
            help="Label to add to every series; for LLM requests a constant such as model=gpt-4o; repeatable.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=COLUMN",
            help="Which column holds a field of LLM requests; repeatable.",
        ),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Keep the good rows where some are bad.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Turn a file into a snapshot; all rows or none, unless --lenient."""
    from workbench.store import write_snapshot
    from workbench.store.importers import import_file

    imported = import_file(
        file,
        format=None if form is FileFormat.AUTO else form.value,
        metric=metric,
        labels=key_values(label or [], "--label"),
        columns=key_values(column or [], "--column"),
        lenient=lenient,
    )
    manifest = write_snapshot(
        target,
        imported.series,
        metadata=imported.metadata,
        source=file.name,
        notes=imported.report.notes,
        complete=not imported.report.bad_rows,
        overwrite=overwrite,
    )
    for line in imported.report.lines():
        say(line)
    say(f"{manifest.series} series, {manifest.samples} samples")
    typer.echo(target)


@app.command()
def info(target: Target) -> None:
    """Say what a snapshot holds, from where, when, and how complete it is."""
    from workbench.store import read_manifest

    manifest = read_manifest(target)
    print_table(["", ""], manifest.rows())

"""`workbench snapshot`: keep a piece of a source, or turn a file into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.console import print_table, progress, say
from workbench.cli.options import DryRun, Source, key_values
from workbench.units import format_quantity
from workbench.window import format_time

if TYPE_CHECKING:
    from workbench.store import Manifest

app = typer.Typer(
    help="Keep a piece of a source as a folder that answers PromQL.",
    no_args_is_help=True,
    add_completion=False,
)

Target = Annotated[Path, typer.Argument(metavar="DIR", help="The snapshot's folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a snapshot that is there.")]


FileFormat = Literal["auto", "csv", "openmetrics", "llm"]
"""What an imported file holds."""


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
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Begin anew where an interrupted capture could go on."),
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Copy raw samples of a source into a folder; after an interruption the same command goes on."""
    from workbench import capture
    from workbench.session import connect

    selectors = match or ['{__name__!=""}']
    with connect(source) as wb:
        window = wb.window(last=last, start=start, end=end, step="1s", align=False)
        if dry_run:
            plan = capture.plan(wb.source, selectors, window.start_ms, window.end_ms)
            reading, reasons = capture.choose_reading(wb.source, plan)
            say(f"read by {reading.name}; {plan.samples:,} samples by estimate")
            for reason in reasons:
                say(f"note: {reason}")
            rows = [(b.selector, b.series, b.samples, reading.steps(b)) for b in plan.batches]
            print_table(["selector", "series", "samples", "queries"], rows)
            return
        with progress("capturing") as update:
            manifest = capture.capture(
                wb.source,
                selectors,
                window.start_ms,
                window.end_ms,
                target,
                asked=_moving(last, start, end),
                restart=restart,
                progress=update,
                overwrite=overwrite,
            )
    _tell(manifest)
    typer.echo(target)


def _moving(last: str | None, start: str | None, end: str | None) -> str:
    """How a window was asked for that moves with the time; empty where its ends are fixed."""
    begin, finish = f"from {start}" if start else f"last {last or '6h'}", end or "now"
    return f"{begin} to {finish}" if "now" in f"{begin} {finish}" else ""


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV, OpenMetrics text, or JSON lines of LLM requests; .gz too.")
    ],
    target: Target,
    *,
    form: Annotated[
        FileFormat, typer.Option("--format", "-f", help="What the file holds.")
    ] = "auto",
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
    at: Annotated[
        str | None, typer.Option("--at", help="Time of exposition lines that carry none.")
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", help="Grid on which LLM requests are counted: 1m.")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop-label", help="Label of LLM requests to sum over: user; repeatable."),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Keep the good rows where some are bad.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Turn a file into a snapshot; all rows or none, unless --lenient."""
    from workbench.store import write_snapshot
    from workbench.store.importers import detect_format, import_file

    chosen = detect_format(file) if form == "auto" else form
    given = {
        "metric": metric,
        "constants" if chosen == "llm" else "labels": key_values(label or [], "--label"),
        "columns": key_values(column or [], "--column"),
        "at": at,
        "step": step,
        "drop_labels": drop,
    }
    imported = import_file(
        file, format=chosen, lenient=lenient, **{k: v for k, v in given.items() if v}
    )
    account = imported.report
    manifest = write_snapshot(
        target,
        imported.series,
        metadata=imported.metadata,
        source=file.name,
        notes=(
            *account.notes,
            *([f"{account.rows_bad} bad rows were left out"] if account.rows_bad else []),
        ),
        complete=not account.rows_bad,
        overwrite=overwrite,
    )
    say(f"read {account.rows_read} rows as {account.format}, kept {account.rows_kept}")
    for row in account.bad:
        say(f"left out: line {row.line}: {row.reason}")
    _tell(manifest)
    typer.echo(target)


@app.command()
def info(
    target: Target,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every file against its checksum.")
    ] = False,
) -> None:
    """Say what a snapshot holds, from where, when, and how complete it is."""
    from workbench.store import SnapshotStore, read_manifest

    manifest = read_manifest(target)
    if verify:
        SnapshotStore(target).verify()
    first, last = manifest.first_ms, manifest.last_ms
    rows = [
        ("written", manifest.created.isoformat(timespec="seconds")),
        ("from", manifest.source or "not said"),
        ("selectors", ", ".join(manifest.selectors) or "all"),
        ("samples from", "none" if first is None else format_time(first)),
        ("to", "none" if last is None else format_time(last)),
        ("series", f"{manifest.counts.series:,}"),
        ("samples", f"{manifest.counts.samples:,}"),
        ("size", format_quantity(manifest.bytes, "bytes")),
        ("complete", "yes" if manifest.complete else "no"),
        *(("note", note) for note in manifest.notes),
        *([("checksums", "all files are as written")] if verify else []),
    ]
    print_table(["", ""], rows)


def _tell(manifest: Manifest) -> None:
    """Say what was written."""
    for note in manifest.notes:
        say(f"note: {note}")
    say(f"{manifest.counts.series:,} series, {manifest.counts.samples:,} samples")

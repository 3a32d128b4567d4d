"""`workbench report`: render one report."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.console import print_table, progress, say, show_findings
from workbench.cli.options import (
    DryRun,
    FailOn,
    FailOnOption,
    OutputFolder,
    Source,
    exit_on,
    key_values,
)
from workbench.cli.query import PLAN_COLUMNS
from workbench.settings import load_settings


def report(
    name: Annotated[
        str | None,
        typer.Argument(help="Which report; without it, the list of reports and their parameters."),
    ] = None,
    *,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="KEY=VALUE",
            help="A parameter of the notebook; repeatable.",
        ),
    ] = None,
    source: Source = None,
    output: OutputFolder = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Render a report to one HTML page and one JSON file; print where the page is."""
    from workbench.reporting import catalogue, run_report, write_index

    if name is None:
        rows = [
            (entry.name, key, field.default, field.description or "")
            for entry in catalogue().values()
            for key, field in entry.parameters.model_fields.items()
        ]
        print_table(["report", "parameter", "default", "meaning"], rows)
        return
    parameters = key_values(parameter or [], "-p")
    if dry_run:
        from workbench.reporting import plan_report

        print_table(PLAN_COLUMNS, (e.row() for e in plan_report(name, parameters, source=source)))
        return
    folder = output or load_settings().output
    with progress(name) as update:
        run = run_report(name, parameters, output=folder, source=source, progress=update)
    write_index(folder)
    show_findings(run.findings)
    if run.html is not None:
        typer.echo(run.html)
    if run.error is not None:
        raise run.error
    say(f"{name}: {len(run.findings)} findings in {run.seconds:.0f} s")
    exit_on(list(run.findings), fail_on)

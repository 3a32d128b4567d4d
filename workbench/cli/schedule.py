"""`workbench schedule`: reports at their times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import print_table, say
from workbench.cli.options import OutputFolder
from workbench.settings import load_settings

app = typer.Typer(
    help="Render reports at their times, from a schedule.toml.",
    no_args_is_help=True,
    add_completion=False,
)

File = Annotated[Path, typer.Option("--file", help="The schedule.")]


@app.command("list")
def list_(file: File = Path("reports/schedule.toml")) -> None:
    """Show the entries and when each is due next."""
    from workbench.reporting import load_schedule, next_times

    schedule = load_schedule(file)
    rows = [
        (entry.name, entry.report, entry.cron, entry.timezone, when.isoformat(timespec="minutes"))
        for entry, when in next_times(schedule)
    ]
    print_table(["name", "report", "cron", "time zone", "next"], rows)


@app.command()
def run(
    *,
    file: File = Path("reports/schedule.toml"),
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, then end.")] = False,
    output: OutputFolder = None,
) -> None:
    """Run what is due, and go on until interrupted; missed times are told and caught up once."""
    from workbench.reporting import load_schedule, run_forever, run_once

    schedule = load_schedule(file)
    folder = output or load_settings().output
    if not once:
        run_forever(schedule, folder, tell=say)
        return
    runs = run_once(schedule, folder, tell=say)
    codes = [r.exit_code for r in runs]
    raise typer.Exit(max(codes, default=0))

"""`workbench doctor`: what a source has, which reports will work on it, what is missing."""

from __future__ import annotations

import typer

from workbench.cli.console import plain, print_table
from workbench.cli.options import DryRun, Source
from workbench.settings import load_settings


def doctor(*, source: Source = None, dry_run: DryRun = False) -> None:
    """Say what this server has, which reports will work on it and what is missing."""
    if dry_run:
        from workbench.session.diagnosis import ASKED

        print_table(["check", load_settings().resolve(source).name, "gives"], ASKED)
        return
    from workbench.session import connect
    from workbench.session.diagnosis import diagnose

    with connect(source) as wb:
        diagnosis = diagnose(wb)
    typer.echo(plain(diagnosis.info.name))
    rows = [("yes" if c.good else "no", c.name, c.detail) for c in diagnosis.checks]
    print_table(["", "source", ""], rows)
    typer.echo()
    rows = [("ready" if c.good else "no", c.name, c.detail) for c in diagnosis.reports]
    print_table(["", "report", ""], rows)

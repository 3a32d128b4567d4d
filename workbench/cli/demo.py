"""`workbench demo`: every report on the embedded estate."""

from __future__ import annotations

from pathlib import Path

import typer

from workbench.cli.console import progress, say
from workbench.cli.options import OutputFolder
from workbench.settings import load_settings


def demo(*, output: OutputFolder = None) -> None:
    """Render every report on the embedded estate, with no server; print the index page."""
    from workbench.demo import open_demo
    from workbench.reporting import catalogue, run_report, write_index

    folder = output or load_settings().output
    with progress("building the estate") as update:
        open_demo(progress=update).close()
    for name in catalogue():
        say(f"rendering {name}")
        with progress(name) as update:
            run = run_report(name, {}, output=folder, source="demo:", progress=update)
        say(f"  {run.html}  ({run.seconds:.0f} s, {len(run.findings)} findings)")
        if run.error is not None:
            raise run.error
    typer.echo(_shown(write_index(folder)))


def _shown(path: Path) -> str:
    """A path as short as it can be typed."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)

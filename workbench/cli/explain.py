"""`workbench explain`: the page of a finding code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workbench.cli.console import print_table
from workbench.findings.pages import page, titles


def explain(
    code: Annotated[
        str | None, typer.Argument(help="A code such as CAP-SATURATION; without it, the list.")
    ] = None,
) -> None:
    """Say what a finding code means, why it matters and what to do."""
    if code is None:
        print_table(["code", "meaning"], titles().items())
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page(code)))
    else:
        typer.echo(page(code))

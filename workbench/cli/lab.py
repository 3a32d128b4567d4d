"""`workbench lab`: JupyterLab on the workbench's notebooks."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import say
from workbench.errors import MissingExtraError, OutputError


def lab(
    folder: Annotated[
        Path, typer.Argument(help="Where the notebooks are, or are to be copied.")
    ] = Path("notebooks"),
    *,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Port to listen on.")
    ] = 8888,
    allow_root: Annotated[
        bool, typer.Option("--allow-root", help="Run as root, as in a container.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on the notebooks; copies those that are not there, overwrites none."""
    if importlib.util.find_spec("jupyterlab") is None:
        msg = "JupyterLab"
        raise MissingExtraError(msg)
    copy_notebooks(folder)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--notebook-dir={folder.resolve()}",
        f"--port={port}",
    ]
    command += ["--allow-root"] if allow_root else []
    command += [] if browser else ["--no-browser"]
    code = subprocess.call(command)  # noqa: S603 - no shell, our own words
    raise typer.Exit(code)


def copy_notebooks(folder: Path) -> None:
    """Copy the shipped notebooks into a folder, leaving those that are there."""
    from workbench.reporting.assets import shipped

    source = shipped("notebooks")
    if folder.resolve() == source.resolve():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(source.glob("*.ipynb")):
            if not (folder / notebook.name).exists():
                shutil.copyfile(notebook, folder / notebook.name)
                say(f"copied {folder / notebook.name}")
    except OSError as error:
        msg = f"notebooks cannot be copied to {folder} ({error.strerror})"
        raise OutputError(msg, "choose a folder you may write to") from None

"""The command line: one file per verb, each of which parses, calls, prints and ends with a code.

Results go to stdout, everything else to stderr. Exit codes: 0 good, 1 findings at or above
``--fail-on``, 2 bad input or usage, 3 a source could not answer, 4 a report failed for another
reason, 130 interrupted.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from workbench.cli import (
    console,
    demo,
    doctor,
    explain,
    init,
    lab,
    query,
    report,
    schedule,
    serve,
    snapshot,
)
from workbench.errors import WorkbenchError

__all__ = ["app", "main"]


class Verbs(TyperGroup):
    """Turns what the workbench raises into one clear message and the right exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            console.complain(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            console.say("interrupted; nothing half-written was left")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Verbs,
    name="workbench",
    help="Ask any Prometheus-compatible server, judge the answer, report it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb in (init, doctor, demo, query, report, serve, explain, lab):
    app.command()(getattr(verb, verb.__name__.rpartition(".")[2]))
app.add_typer(schedule.app, name="schedule")
app.add_typer(snapshot.app, name="snapshot")


def _version(wanted: bool) -> None:  # noqa: FBT001 - the shape typer calls
    if wanted:
        from workbench import __version__

        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(  # noqa: FBT001
        False,  # noqa: FBT003
        "--version",
        help="Print the version and end.",
        callback=_version,
        is_eager=True,
    ),
) -> None:
    """Ask any Prometheus-compatible server, judge the answer, report it."""
    del version


def main() -> None:
    """Run the command line; the entry point of the `workbench` program."""
    logging.basicConfig(
        format="%(message)s", level=logging.WARNING, handlers=[console.LogHandler()]
    )
    try:
        app()
    except BrokenPipeError:  # `workbench query … | head`
        sys.stderr.close()

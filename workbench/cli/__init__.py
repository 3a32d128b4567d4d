"""The command line: one file per verb, each of which parses, calls, prints and ends with a code.

Results go to stdout, everything else to stderr. Exit codes: 0 good, 1 findings at or above
``--fail-on``, 2 bad input or usage, 3 a source could not answer, 4 a report failed for another
reason, 130 interrupted.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperGroup

from workbench.cli import console
from workbench.errors import InputError, OutputError, ReportError, WorkbenchError, did_you_mean

__all__ = ["app", "main"]

_VERBS: Final = (
    "init",
    "doctor",
    "demo",
    "query",
    "audit",
    "slo",
    "rightsizing",
    "spend",
    "report",
    "schedule",
    "snapshot",
    "serve",
    "explain",
    "lab",
)
"""Each is a module of this folder, with a function of its name or an `app` of several commands."""


@cache
def _load(verb: str) -> Any:
    """Import one verb alone: what another verb needs takes most of a second."""
    module = import_module(f"workbench.cli.{verb}")
    several = getattr(module, "app", None)
    if several is None:
        single = typer.Typer(add_completion=False)
        single.command(verb)(getattr(module, verb))
        return typer.main.get_command(single)
    several.info.name = verb
    return typer.main.get_command(several)


class Verbs(TyperGroup):
    """Loads a verb when it is called; turns what it raises into one message and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs, in the order in which people meet them."""
        del ctx
        return list(_VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give a verb's command, or None."""
        del ctx
        return _load(cmd_name) if cmd_name in _VERBS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb, or say what was meant."""
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            msg = f"there is no command {args[0]!r}"
            raise InputError(msg, _meant(args[0]))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except WorkbenchError as error:
            console.complain(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            console.say("interrupted; nothing half-written was left")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # `workbench query … | head`: who reads has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(0) from None
        return done


def _meant(verb: str) -> str:
    """What to write in place of a command that there is not."""
    from workbench.reporting import catalogue
    from workbench.session import Workbench

    if verb in catalogue():
        return f"write: workbench report {verb}"
    if not verb.startswith("_") and callable(
        getattr(Workbench, study := verb.replace("-", "_"), None)
    ):
        return f"ask it in Python: workbench.connect(…).{study}(…)"
    return did_you_mean(verb, _VERBS) or "workbench --help lists the commands"


def _unforeseen(error: Exception) -> WorkbenchError:
    """An error that nobody raised on purpose: too little memory, or a fault of the workbench."""
    if isinstance(error, MemoryError):
        return ReportError(
            "there is not enough memory for this",
            "ask for a shorter range, a longer step, or fewer series",
        )
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return OutputError(
            f"a file or stream cannot be read or written{where}: {error.strerror}",
            "check that it exists, that there is space, and its permissions",
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return ReportError(
        f"the workbench has a fault: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}",
        "run it again with WORKBENCH_DEBUG=1, and report what it prints",
    )


app = typer.Typer(
    cls=Verbs,
    name="workbench",
    help="Ask any Prometheus-compatible server, judge the answer, report it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - the shape typer calls
    if wanted:
        from workbench.version import __version__

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
    _prepare_streams()
    logging.basicConfig(
        format="%(message)s", level=logging.WARNING, handlers=[console.LogHandler()]
    )
    try:
        app()
    except Exception as error:
        if os.environ.get("WORKBENCH_DEBUG"):
            raise
        shown = _unforeseen(error)
        console.complain(shown)
        # Not 1, with which Python would end: to a job that says "there are findings".
        sys.exit(shown.exit_code)


def _prepare_streams() -> None:
    """Make both streams take any text: they may be closed, or of an encoding without arrows."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - lives as long as we do
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

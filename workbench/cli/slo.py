"""`workbench slo`: objectives in files, and the Prometheus rules they become."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import plain, print_table, say
from workbench.cli.writing import write_file
from workbench.errors import InputError, OutputError

if TYPE_CHECKING:
    from workbench.slo.files import Objectives
    from workbench.slo.objective import Objective

app = typer.Typer(
    help="Read service level objectives; write the Prometheus rules they become.",
    no_args_is_help=True,
    add_completion=False,
)

Files = Annotated[
    list[Path],
    typer.Argument(help="Objectives: a slo.toml, OpenSLO v1 or Sloth files, or folders of them."),
]
Lenient = Annotated[
    bool, typer.Option("--lenient", help="Go on without objectives that cannot be honoured.")
]


@app.command()
def check(files: Files, *, lenient: Lenient = False) -> None:
    """Read objectives and show them, with notes on what is not used.

    Ends with 2 where something is wrong, or cannot be honoured.
    """
    from workbench.slo.rules import make_rules

    found = _loaded(files)
    columns = ["service", "objective", "target", "window", "indicator", "alerts", "owner"]
    print_table(columns, [_row(one) for one in found.objectives])
    for note in make_rules(found.objectives).notes:
        say(f"note: {note}")
    _refuse(found, lenient=lenient)


@app.command()
def rules(
    files: Files,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The rule file; without it, standard output."),
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(
            "--tests", help="Also write a file for `promtool test rules`; needs --output."
        ),
    ] = None,
    lenient: Lenient = False,
) -> None:
    """Write recording and alerting rules, and tests of them.

    Ends with 2, and writes nothing, where an objective cannot be honoured.
    """
    from workbench.slo.rules import make_rules, make_tests

    if tests is not None and output is None:
        msg = "--tests is given without --output"
        raise InputError(msg, "tests name the rule file that they test: give it with --output")
    if tests is not None and output is not None and tests.resolve() == output.resolve():
        msg = f"--tests and --output are one file ({plain(tests)})"
        raise InputError(msg, "give the tests a file of their own, such as rules_test.yml")
    for path in filter(None, (output, tests)):
        _check_place(path, files)
    found = _loaded(files)
    _refuse(found, lenient=lenient)
    made = make_rules(found.objectives)
    notes = list(made.notes)
    texts = {output: made.to_yaml()} if output is not None else {}
    if tests is not None and output is not None:
        made_tests = make_tests(found.objectives)
        notes += made_tests.notes
        there = os.path.relpath(output.resolve(), tests.resolve().parent)
        texts[tests] = made_tests.to_yaml(there)
    for note in notes:
        say(f"note: {note}")
    if output is None:
        typer.echo(made.to_yaml(), nl=False)
    for path, text in texts.items():
        write_file(path, text)


def _loaded(files: list[Path]) -> Objectives:
    from workbench.slo.files import load_objectives

    found = load_objectives(files)
    for note in found.notes:
        say(f"note: {note}")
    return found


def _refuse(found: Objectives, *, lenient: bool) -> None:
    """What cannot be honoured is told; it ends the command, for someone relies on it."""
    from workbench.units import counted

    for one in found.refused:
        say(f"refused: {one}")
    if found.refused and not lenient:
        msg = f"{counted(len(found.refused), 'objective')} cannot be honoured"
        raise InputError(msg, "mend them, or go on without them with --lenient")


def _row(one: Objective) -> list[str]:
    from workbench.slo.indicator import Latency
    from workbench.slo.pairs import burn_pairs
    from workbench.slo.rules.alerting import living_pairs
    from workbench.units import format_quantity

    alerts = dict.fromkeys(p.severity for p in living_pairs(one, burn_pairs(one)))
    window = f"{one.window} ({one.time_zone})" if one.is_calendar else one.window
    target = format_quantity(one.target, "ratio")
    indicator: str = one.sli.kind
    if isinstance(one.sli, Latency):  # a threshold of 500 is seconds: let it be seen
        indicator += f" ≤ {format_quantity(one.sli.threshold_seconds, 'seconds')}"
    return [
        one.service, one.name, target, window, indicator, ", ".join(alerts) or "none", one.owner,
    ]  # fmt: skip


def _check_place(path: Path, files: list[Path]) -> None:
    """Refuse to write over objectives, or where nothing can be, before anything is written."""
    try:
        if any(path.exists() and one.exists() and path.samefile(one) for one in files):
            msg = f"{plain(path)} holds the objectives that are read"
            raise InputError(msg, "give the rules a file of their own, such as slo_rules.yml")
        folder = path.resolve().parent
        there = folder.is_dir() and not path.is_dir()
    except (OSError, RuntimeError, ValueError):
        there = False
    if not there:
        msg = f"{plain(path)} cannot be written (its folder is not there, or it is a folder)"
        raise OutputError(msg, "check the path")

"""Options that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.errors import ParameterError, SettingsError
from workbench.findings import Finding, Severity

__all__ = ["DryRun", "FailOn", "FailOnOption", "OutputFolder", "Source", "exit_on", "key_values"]


def _given(source: str | None) -> str | None:
    """Refuse an empty source, such as an unset variable in quotes leaves it."""
    if source is not None and not source.strip():
        msg = f"--source is empty ({source!r})"
        raise SettingsError(
            msg, "write https://host:9090, snapshot:PATH or demo:, or leave --source out"
        )
    return source


Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        "-s",
        envvar="WORKBENCH_SOURCE",
        show_envvar=True,
        callback=_given,
        help="https://host:9090, snapshot:PATH, demo:, or a name in workbench.toml.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show what would be asked, and what it would cost; ask nothing else."
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Folder for rendered pages [default: out, or that of workbench.toml].",
    ),
]


class FailOn(StrEnum):
    """From which severity on findings make a command end with 1."""

    NONE = "none"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", help="End with 1 where a finding is at least this severe.")
]


def exit_on(findings: list[Finding], fail_on: FailOn) -> None:
    """End with 1 where a finding is severe enough."""
    if fail_on is not FailOn.NONE and any(
        f.severity.rank >= Severity(fail_on.value).rank for f in findings
    ):
        raise typer.Exit(1)


def key_values(pairs: list[str], option: str) -> dict[str, Any]:
    """Read ``KEY=VALUE`` pairs.

    Raises
    ------
    ParameterError
        One has no ``=`` or no key, or a key stands twice.
    """
    result: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or key in result:
            what = "stands twice" if key in result else "is not KEY=VALUE"
            msg = f"{option} {pair!r} {what}"
            raise ParameterError(msg, f"write {option} last=7d")
        result[key] = value
    return result

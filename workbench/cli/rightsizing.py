"""`workbench rightsizing`: what containers should ask for, as a table, as JSON or as patches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import plain, print_table, say, show_findings
from workbench.cli.options import DryRun, FailOn, FailOnOption, Source, exit_on
from workbench.cli.writing import write_file

if TYPE_CHECKING:
    from workbench.session.rightsizing import SizingStudy

_MOST_NAME: Final = 120
"""Letters of a patch's file name, below what file systems take."""


class Format(StrEnum):
    """How the advice is written."""

    TABLE = "table"
    JSON = "json"
    PATCHES = "patches"


class CpuLimits(StrEnum):
    """Which CPU limit is advised."""

    NONE = "none"
    KEEP = "keep"
    PEAK = "peak"


def rightsizing(
    *,
    source: Source = None,
    match: Annotated[
        str, typer.Option("--match", help='Only series that meet conditions: {namespace="shop"}.')
    ] = "",
    last: Annotated[str, typer.Option("--last", help="The history to learn from.")] = "28d",
    end: Annotated[
        str | None, typer.Option("--end", help="Where it ends [default: the source's now].")
    ] = None,
    step: Annotated[str, typer.Option("--step", help="Distance of the points.")] = "5m",
    queries: Annotated[
        Path | None, typer.Option("--queries", help="A TOML file of PromQL in place of ours.")
    ] = None,
    risk: Annotated[
        float,
        typer.Option("--risk", help="Chance that a step of next week is above the CPU request."),
    ] = 0.05,
    memory_risk: Annotated[
        float, typer.Option("--memory-risk", help="Chance that memory exceeds its request.")
    ] = 0.05,
    memory_days: Annotated[int, typer.Option("--memory-days", help="Within so many days.")] = 30,
    cpu_limit: Annotated[
        CpuLimits,
        typer.Option(
            "--cpu-limit",
            help="none takes CPU limits away, keep lets them stand, peak sets them above the highest usage.",
        ),
    ] = CpuLimits.NONE,
    hours: Annotated[
        str, typer.Option("--hours", help="Which hours count for CPU: 'mon-fri 08:00-18:00'.")
    ] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="Whose clock they are.")] = "UTC",
    core_hour_price: Annotated[
        str, typer.Option("--core-hour-price", help="Of a core for an hour, to tell what is saved.")
    ] = "",
    gib_hour_price: Annotated[
        str, typer.Option("--gib-hour-price", help="Of a GiB of memory for an hour.")
    ] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of both prices.")] = "USD",
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="How to write the advice.")
    ] = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A file in place of standard output; for patches a folder (one file each), or a file that ends in .yaml.",
        ),
    ] = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Say what containers of a Kubernetes cluster should ask for; write patches for kubectl."""
    from workbench.session import connect
    from workbench.session.rightsizing import check_rightsizing, plan_rightsizing

    wished: dict[str, Any] = {
        "risk": risk, "memory_risk": memory_risk, "memory_days": memory_days,
        "cpu_limit": cpu_limit.value, "hours": hours, "timezone": timezone,
        "core_hour_price": core_hour_price, "gib_hour_price": gib_hour_price, "currency": currency,
    }  # fmt: skip
    asked: dict[str, Any] = {"match": match, "queries": queries}
    check_rightsizing(**asked, **wished)
    grid: dict[str, Any] = {"last": last, "end": end, "step": step}
    with connect(source) as wb:
        if dry_run:
            _show_plan(wb, plan_rightsizing(wb, **grid, **asked))
            return
        study = wb.rightsizing(**grid, **asked, **wished)
    _deliver(study, format_, output)
    exit_on(list(study.findings), fail_on)


def _show_plan(wb: Any, plan: Any) -> None:
    from workbench.cli.query import PLAN_COLUMNS
    from workbench.session.plan import estimate

    print_table(PLAN_COLUMNS, (e.row() for e in estimate(wb, plan.questions)))
    for key, metric in plan.missing.items():
        say(f"note: {key} is not asked: the source has no {metric}")


def _deliver(study: SizingStudy, format_: Format, output: Path | None) -> None:
    if format_ is Format.PATCHES:
        _deliver_patches(study, output)
        return
    if format_ is Format.TABLE and output is None:
        _show(study)
        return
    text = _table(study) if format_ is Format.TABLE else _json(study)
    if output is None:
        typer.echo(text, nl=False)
        return
    write_file(output, text)
    say(f"wrote {output}")


def _show(study: SizingStudy) -> None:
    for part in (study.cpu, study.memory):
        if part.rows:
            print_table(part.headings, part.rows)
        if not part.rows:
            typer.echo(part.empty)
            break
        if part.note:
            typer.echo(plain(part.note))
    show_findings(study.findings)
    for name, remarks in study.remarks.rows:
        say(f"note: {name}: {remarks}")


def _table(study: SizingStudy) -> str:
    """The table as it would stand on standard output."""
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        _show(study)
    return text.getvalue()


def _json(study: SizingStudy) -> str:
    return json.dumps(study.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _deliver_patches(study: SizingStudy, output: Path | None) -> None:
    from workbench.units import counted

    found: Sequence[Mapping[str, Any]] = study.result.patches
    for finding in study.findings:  # what has no patch must not go unsaid
        if finding.code in ("CAP-METRICS-MISSING", "CAP-NOT-SIZED"):
            say(f"note: {finding.what}")
    if output is None:
        typer.echo(study.patches, nl=False)
    elif output.suffix in (".yaml", ".yml") and not output.is_dir():
        write_file(output, study.patches)
        say(f"wrote {counted(len(found), 'patch', 'patches')} to {output}")
    else:
        _write_folder(output, found)
        say(f"wrote {counted(len(found), 'patch', 'patches')} to {output}")


def _write_folder(folder: Path, patches: Sequence[Mapping[str, Any]]) -> None:
    from workbench.capacity.sizing.patches import patches_yaml
    from workbench.reporting.files import prepare_folder

    prepare_folder(folder)
    for name, patch in zip(_file_names(patches), patches, strict=True):
        write_file(folder / name, patches_yaml([patch]))


def _file_names(patches: Sequence[Mapping[str, Any]]) -> list[str]:
    """A file name each, that no label can turn into another place; equal ones are numbered."""
    from workbench.reporting.files import safe_name

    names: list[str] = []
    for patch in patches:
        parts = (
            patch["metadata"].get("namespace", ""),
            patch["kind"].lower(),
            patch["metadata"]["name"],
        )
        stem = ".".join(safe_name(part) for part in parts if part)[:_MOST_NAME]
        name, number = f"{stem}.yaml", 1
        while name.lower() in {n.lower() for n in names}:
            number += 1
            name = f"{stem}-{number}.yaml"
        names.append(name)
    return names

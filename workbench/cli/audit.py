"""`workbench audit`: what a deploy does to the number of series, before it is deployed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from errno import EISDIR
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import print_table, progress, say, show_findings
from workbench.cli.options import DryRun, FailOn, FailOnOption, Source, exit_on
from workbench.errors import BadRowsError, OutputError

if TYPE_CHECKING:
    from workbench.cardinality.audit import Audit
    from workbench.session.cardinality import AuditRequest

_MOST_SHOWN = 30
"""Findings that the table shows; JSON and SARIF have all."""


class Format(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    HTML = "html"
    MIMIRTOOL = "mimirtool"


Paths = list[Path] | None
Names = list[str] | None


def audit(
    candidate: Annotated[
        Names,
        typer.Argument(
            help="What will be deployed: a folder of source code, a file of metrics or - for standard "
            "input, https://host/metrics, a server, a snapshot, or blocks of Prometheus' database; several are read together. "
            "Without any, the source is read.",
        ),
    ] = None,
    *,
    baseline: Annotated[
        Names,
        typer.Option(
            "--baseline", "-b", help="What runs now: the same kinds of things; repeatable."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DURATION",
            help="Of a server: compare with itself so long ago, such as 7d.",
        ),
    ] = None,
    source: Source = None,
    match: Annotated[
        Names,
        typer.Option(
            "--match",
            help='Of a server, only series that meet this selector: {job="api"}; repeatable.',
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            "--replicas",
            min=1,
            max=1_000_000_000,
            help="Targets that will run it; without it, as many as run now.",
        ),
    ] = None,
    keep_names: Annotated[
        bool,
        typer.Option("--keep-names", help="Replicas keep their names over a deploy (no new pods)."),
    ] = False,
    budget: Annotated[Paths, typer.Option("--budget", help="A budgets.toml; repeatable.")] = None,
    rules: Annotated[
        Paths,
        typer.Option(
            "--rules", help="Rule files or PrometheusRule manifests, or their folder; repeatable."
        ),
    ] = None,
    dashboards: Annotated[
        Paths,
        typer.Option(
            "--dashboards", help="Grafana dashboards (JSON), or their folder; repeatable."
        ),
    ] = None,
    exclude: Annotated[
        Names,
        typer.Option("--exclude", help="Names or paths of source code to leave out; repeatable."),
    ] = None,
    lint: Annotated[
        Names,
        typer.Option("--lint", help="Only this lint rule; `--lint none` for none; repeatable."),
    ] = None,
    no_lint: Annotated[
        Names, typer.Option("--no-lint", help="Not this lint rule; repeatable.")
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="How to write the result.")
    ] = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A file in place of standard output; for html, a folder."
        ),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Audit what can be read where lines or files cannot.")
    ] = False,
    fail_on: FailOnOption = FailOn.ERROR,
    dry_run: DryRun = False,
) -> None:
    """Say what a deploy will cost in series, whose label it is, and what to change.

    Ends with 1 where there is a finding of severity --fail-on that the baseline did not have.
    """
    from workbench.cardinality.audit import AuditOptions
    from workbench.cardinality.lint import chosen_rules
    from workbench.session.cardinality import AuditRequest, run_audit

    only = [] if lint == ["none"] else lint
    options = AuditOptions(
        replicas=replicas,
        names_change=not keep_names,
        lint_rules=chosen_rules(only, without=no_lint or ()),
    )
    request = AuditRequest(
        candidate=candidate or [_default_source(source)],
        baseline=baseline or (),
        since=since or "",
        match=match or (),
        exclude=exclude or (),
        budgets=budget or (),
        rules=rules or (),
        dashboards=dashboards or (),
        options=options,
    )
    if dry_run:
        _show_plan(request)
        return
    if format_ is Format.HTML:
        given = _parameters(request, {"lint": lint, "no_lint": no_lint})
        if not candidate:  # the source goes by its name, which holds no secret
            del given["candidate"]
        _render(given, source if not candidate else None, output, lenient=lenient, fail_on=fail_on)
        return
    with progress("audit") as update:
        result = run_audit(request, progress=update)
    _refuse_unread(result, lenient=lenient)
    text = "" if format_ is Format.TABLE else _written(result, format_, fail_on)
    if output is not None:
        _write(output, text or _plain_table(result))
    elif format_ is Format.TABLE:
        _show(result)
    else:
        typer.echo(text, nl=not text.endswith("\n"))
    exit_on([f for f in result.findings if not f.acknowledged], fail_on)


def _default_source(source: str | None) -> str:
    from workbench.settings import load_settings

    return source or load_settings().resolve(None).url


def _refuse_unread(result: Audit, *, lenient: bool) -> None:
    """What cannot be read ends the audit: it might hide the label, or the query, that matters."""
    if lenient:
        return
    from workbench.cardinality.masking import mask
    from workbench.units import counted

    if result.usage is not None and (files := result.usage.unread_files):
        for line in files[:10]:
            say(f"{line.path}: {mask(line.reason)}")
        msg = f"{counted(len(files), 'file')} of rules or dashboards could not be read"
        mend = "mend them, or audit without what they use with --lenient"
        raise BadRowsError(msg, mend)
    for part in (result.candidate, result.baseline):
        if part is None or not part.unread_count:
            continue
        for line in part.unread[:10]:
            say(f"{line.path}:{line.line}: {mask(line.reason)}")
        lines = (
            "1 line or file" if part.unread_count == 1 else f"{part.unread_count:,} lines or files"
        )
        msg = f"{lines} of {part.origin} could not be read"
        raise BadRowsError(msg, "mend them, or audit the rest with --lenient")


def _written(result: Audit, format_: Format, fail_on: FailOn) -> str:
    from workbench.findings import Place, Severity
    from workbench.findings.formats import to_junit, to_sarif

    if format_ is Format.JSON:
        return json.dumps(result.to_dict(), indent=1, ensure_ascii=False, default=str) + "\n"
    if format_ is Format.SARIF:
        sarif = to_sarif(result.findings, elsewhere=Place(_first_path(result)))
        return json.dumps(sarif, indent=1, ensure_ascii=False) + "\n"
    if format_ is Format.JUNIT:
        severity = None if fail_on is FailOn.NONE else Severity(fail_on.value)
        return to_junit(
            result.findings, suite=f"audit of {result.candidate.origin}", fail_from=severity
        )
    if format_ is Format.MIMIRTOOL:
        return _mimirtool(result)
    return _markdown(result)


def _mimirtool(result: Audit) -> str:
    from workbench.errors import InputError
    from workbench.usage import mimirtool_json, prometheus_analysis

    if result.usage is None:
        msg = "without rules and dashboards nothing is known to be used"
        raise InputError(msg, "give --rules and --dashboards")
    return mimirtool_json(prometheus_analysis(result.usage, result.candidate))


def _first_path(result: Audit) -> str:
    """A file that findings about no line are shown at."""
    places = [f.place.path for f in result.findings if f.place is not None]
    return places[0] if places else result.candidate.origin


def _markdown(result: Audit) -> str:
    from workbench.cardinality.summary import (
        change_columns,
        change_rows,
        for_people,
        headline,
        tally,
    )
    from workbench.findings.formats import code_span, plain_markdown, to_markdown

    lines = [f"**{plain_markdown(headline(result))}**", f"{tally(result)}."]
    rows = change_rows(result, limit=8)
    if rows and result.baseline is not None:
        lines += [
            "",
            f"| {' | '.join(change_columns(result))} |",
            "| --- | ---: | ---: | ---: | --- |",
        ]
        lines += [
            f"| {code_span(name)} | {now} | {after} | {change} | {plain_markdown(why)} |"
            for name, now, after, change, why in rows
        ]
    shown = [f for f in result.findings if f.severity.value != "info" or f.fix]
    return to_markdown(for_people(shown), title="Cardinality audit", summary="\n".join(lines))


def _show(result: Audit) -> None:
    from workbench.cardinality.summary import (
        COUNT_COLUMNS,
        change_columns,
        change_rows,
        count_rows,
        for_people,
        headline,
        tally,
    )

    typer.echo(headline(result))
    if result.baseline is not None or not result.candidate.metrics:
        columns: Sequence[str] = change_columns(result)
        rows: Sequence[Sequence[object]] = change_rows(result)
    else:
        columns, rows = COUNT_COLUMNS, count_rows(result)
    if rows:
        typer.echo()
        print_table(columns, rows)
    if result.findings:
        typer.echo()
    shown = for_people(f for f in result.findings if not f.acknowledged)
    show_findings(shown[:_MOST_SHOWN])
    if len(shown) > _MOST_SHOWN:
        typer.echo(f"         {len(shown) - _MOST_SHOWN} more: --format json has all")
    typer.echo(f"\n{tally(result)}")


def _plain_table(result: Audit) -> str:
    """The table as it would stand on standard output."""
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        _show(result)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        if path.exists() and not path.is_file():  # /dev/stdout or a pipe: never put a file there
            path.write_text(text, encoding="utf-8", errors="replace")
            return
        place = path.resolve()  # what a link points to is written, not the link
        beside = place.with_name(f".audit-{os.getpid()}.part")
        try:
            beside.write_text(text, encoding="utf-8", errors="replace")
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # the latter is a loop of links
        why = getattr(error, "strerror", None) or error
        msg = f"{path} cannot be written ({why})"
        raise OutputError(msg, "check the folder, its permissions and the space") from None


def _render(
    given: dict[str, str],
    source: str | None,
    output: Path | None,
    *,
    lenient: bool,
    fail_on: FailOn,
) -> None:
    """The page, through the notebook."""
    from workbench.reporting import run_report, write_index
    from workbench.settings import load_settings

    folder = output or load_settings().output
    with progress("cardinality") as update:
        run = run_report("cardinality", given, output=folder, source=source, progress=update)
    write_index(folder)
    if run.html is not None:
        typer.echo(run.html)
    if run.error is not None:
        raise run.error
    unread = next((f for f in run.findings if f.code == "CARD-UNREADABLE"), None)
    if unread is not None and not lenient:
        raise BadRowsError(unread.what, "mend them, or audit the rest with --lenient")
    exit_on([f for f in run.findings if not f.acknowledged], fail_on)


def _parameters(request: AuditRequest, lint: dict[str, Names]) -> dict[str, str]:
    """What was asked on the command line, as the report's parameters."""
    from shlex import join

    several = {
        "candidate": request.candidate,
        "baseline": request.baseline or (request.candidate if request.since else ["none"]),
        "exclude": request.exclude,
        "budgets": request.budgets,
        "rules": request.rules,
        "dashboards": request.dashboards,
        **{name: rules or () for name, rules in lint.items()},
    }
    given = {key: join(map(str, values)) for key, values in several.items() if values}
    if request.match:
        given["match"] = " ".join(request.match)
    if request.since:
        given["since"] = request.since
    if request.options.replicas is not None:
        given["replicas"] = str(request.options.replicas)
    if not request.options.names_change:
        given["keep_names"] = "true"
    return given


def _show_plan(request: AuditRequest) -> None:
    rows = [("candidate", name) for name in request.candidate]
    rows += [("baseline", name) for name in request.baseline]
    rows += [("rules", str(path)) for path in request.rules]
    rows += [("dashboards", str(path)) for path in request.dashboards]
    rows += [("budgets", str(path)) for path in request.budgets]
    print_table(("part", "would be read"), rows)
    say(
        "a server is asked for its own counts, then for label sets of the metrics, 20,000 series at a time"
    )

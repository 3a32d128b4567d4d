"""One report from its name to its files: check, run, redact, render, write."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import MissingExtraError, WorkbenchError
from workbench.findings import Finding
from workbench.reporting.assets import shipped
from workbench.reporting.catalogue import ReportKind, check_parameters, find_report
from workbench.reporting.files import prepare_folder, safe_name, write_whole
from workbench.reporting.record import ErrorRecord, ReportRecord, Status, read_record
from workbench.reporting.redact import Redactor, secrets_of
from workbench.settings import load_settings
from workbench.views.startup import import_jsonschema

if TYPE_CHECKING:
    from workbench.reporting.kernel import Execution, Progress

__all__ = ["DEADLINE_SECONDS", "ReportRun", "run_report"]

DEADLINE_SECONDS: Final = 900.0
"""How long a whole run may take unless told otherwise."""

_SOURCE_VARIABLE: Final = "WORKBENCH_SOURCE"


@dataclass(frozen=True, slots=True)
class ReportRun:
    """What a run left.

    Parameters
    ----------
    name
        The report.
    status
        How it ended.
    html, json
        The page and the JSON beside it.
    findings
        The most severe first.
    seconds
        How long it took, rendering included.
    error
        Why it did not complete; None where it did.
    """

    name: str
    status: Status
    html: Path
    json: Path
    findings: tuple[Finding, ...]
    seconds: float
    error: WorkbenchError | None = None

    @property
    def exit_code(self) -> int:
        """0 where it completed, else the error's."""
        return self.error.exit_code if self.error else 0


def run_report(
    name: str,
    parameters: Mapping[str, Any],
    *,
    output: Path,
    source: str | None = None,
    deadline_seconds: float = DEADLINE_SECONDS,
    progress: Progress | None = None,
) -> ReportRun:
    """Run a report's notebook and write its page and JSON.

    Parameters
    ----------
    name
        A name of the catalogue.
    parameters
        By name; text is coerced to the parameter's type.
    output
        The folder to write into; made where it is missing.
    source
        What `workbench.connect` takes; wins over a parameter of that name. Without either, the
        default of the environment or of `workbench.toml`.
    deadline_seconds
        For the whole run; when it passes, the page shows what ran until then.
    progress
        Called with how many cells are done and how many there are.

    Returns
    -------
    ReportRun
        Also where a cell failed or the deadline passed: the page then shows what ran, and
        `error` says why.

    Raises
    ------
    ParameterError
        The name or a parameter is wrong. Nothing has run.
    SettingsError
        The source is neither a URL nor a known name. Nothing has run.
    OutputError
        The folder cannot be written. Nothing has run.
    MissingExtraError
        The extra ``lab`` is not installed.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    kind = find_report(name)
    asked = {**parameters, **({"source": source} if source else {})}
    checked = check_parameters(kind, asked)
    settings = load_settings().resolve(checked.source or None)
    prepare_folder(output)
    redactor = Redactor(secrets_of(settings))

    # A URL that holds a secret goes by the environment: parameters stay in the page.
    secret = bool(checked.source) and checked.source == settings.url != settings.name
    injected = {key: value for key, value in asked.items() if not (secret and key == "source")}
    values = checked.model_dump(include=set(injected))
    environment = {_SOURCE_VARIABLE: checked.source} if secret else {}
    execution = _execute(kind, values, deadline_seconds, environment, progress)

    shown = checked.model_dump() | ({"source": settings.name} if secret else {})
    return _finish(
        kind, execution, redactor, output,
        {
            "started": started, "clock": clock, "parameters": shown,
            "source": checked.subject(settings.name),
        },
    )  # fmt: skip


def _execute(
    kind: ReportKind,
    values: Mapping[str, Any],
    deadline_seconds: float,
    environment: Mapping[str, str],
    progress: Progress | None,
) -> Execution:
    import_jsonschema()
    try:
        from workbench.reporting.kernel import execute
    except ModuleNotFoundError:
        what = "running a report"
        raise MissingExtraError(what) from None
    return execute(
        shipped("notebooks", kind.notebook),
        values,
        deadline_seconds=deadline_seconds,
        environment=environment,
        progress=progress,
    )


def _finish(
    kind: ReportKind,
    execution: Execution,
    redactor: Redactor,
    output: Path,
    facts: Mapping[str, Any],
) -> ReportRun:
    """Redact, render and write."""
    import nbformat

    from workbench.reporting.render import render_page

    notebook = nbformat.from_dict(redactor.tree(execution.notebook))
    error = execution.error
    if error is not None:
        WorkbenchError.__init__(error, redactor.text(error.what), redactor.text(error.mend))
    record = _record(kind, notebook, execution, redactor.tree(facts["parameters"]), facts)
    page, data = _paths(output, record)
    record = record.model_copy(
        update={"html": page.name, "seconds": round(time.monotonic() - facts["clock"], 3)}
    )
    write_whole(page, render_page(notebook, record))
    write_whole(data, record.to_json())
    write_whole(output / f"{kind.name}-latest.html", _pointer(record))
    findings = tuple(f.finding() for f in record.findings)
    return ReportRun(kind.name, record.status, page, data, findings, record.seconds, error)


def _record(
    kind: ReportKind,
    notebook: Any,
    execution: Execution,
    parameters: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> ReportRecord:
    """What the notebook's studies say, as the JSON's model."""
    from workbench.reporting.studies import studies_of, summary_of
    from workbench.version import __version__

    studies = studies_of(notebook)
    error = execution.error
    status = Status.PARTIAL if execution.timed_out else Status.FAILED if error else Status.COMPLETE
    return ReportRecord.model_validate(
        {
            "report": kind.name,
            "title": kind.title,
            "status": status,
            "error": error
            and ErrorRecord(
                type=type(error).__name__, message=str(error), exit_code=error.exit_code
            ),
            "started": facts["started"],
            "seconds": 0,
            "parameters": dict(parameters),
            "html": "",
            "workbench_version": __version__,
            "source": facts["source"],
            **summary_of(studies, now=facts["started"]),
        }
    )


def _paths(output: Path, record: ReportRecord) -> tuple[Path, Path]:
    """Where the page and the JSON go: a run replaces only an earlier one of its own line."""
    stem = f"{safe_name(record.report)}-{record.now:%Y-%m-%dT%H%MZ}"
    for number in range(1, 10_000):
        tried = output / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
        try:
            other = read_record(tried) if tried.exists() else None
        except WorkbenchError:
            continue
        if not tried.exists() or (other is not None and other.line == record.line):
            break
    return tried.with_suffix(".html"), tried


def _pointer(record: ReportRecord) -> str:
    """A page that leads on to the latest one, for bookmarks."""
    from workbench.reporting.render import render_pointer

    return render_pointer(record)

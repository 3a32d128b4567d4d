"""The index of an output folder: each report's latest run, and what is new in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ReportError
from workbench.reporting.files import prepare_folder, write_whole
from workbench.reporting.record import FindingRecord, ReportRecord, Status, read_record

__all__ = ["Line", "lines_of", "read_folder", "write_index"]


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one report on one source with one set of parameters.

    Parameters
    ----------
    history
        The newest first; at least one.
    distinct
        The parameters that tell this line from others of its report, as text.
    """

    history: tuple[ReportRecord, ...]
    distinct: str = ""

    @property
    def latest(self) -> ReportRecord:
        """The newest run."""
        return self.history[0]

    @property
    def previous(self) -> ReportRecord | None:
        """What the newest is compared with: the last complete one before, if it is complete."""
        if self.latest.status is not Status.COMPLETE:
            return None
        return next((r for r in self.history[1:] if r.status is Status.COMPLETE), None)

    @property
    def new(self) -> list[FindingRecord]:
        """Findings that the previous run did not have."""
        return _without(self.latest, self.previous) if self.previous else []

    @property
    def gone(self) -> list[FindingRecord]:
        """Findings of the previous run that are no more."""
        return _without(self.previous, self.latest) if self.previous else []


def _without(run: ReportRecord, other: ReportRecord) -> list[FindingRecord]:
    known = {f.fingerprint for f in other.findings}
    return [f for f in run.findings if f.fingerprint not in known]


def read_folder(folder: Path) -> tuple[list[ReportRecord], list[str]]:
    """Every run that a folder holds, and what is wrong with those that cannot be read."""
    runs: list[ReportRecord] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            record = read_record(path)
        except ReportError as error:
            problems.append(str(error))
            continue
        # The page may have been deleted; a link to nothing helps nobody.
        if record and Path(record.html).name == record.html and (folder / record.html).is_file():
            runs.append(record)
    return runs, problems


def lines_of(runs: Iterable[ReportRecord]) -> list[Line]:
    """Sort runs into lines: the newest run first, in each and among them."""
    by_line: dict[str, list[ReportRecord]] = defaultdict(list)
    for run in sorted(runs, key=lambda r: (r.now, r.started), reverse=True):
        by_line[run.line].append(run)
    groups = list(by_line.values())
    lines = [Line(tuple(group), _distinct(group[0], [g[0] for g in groups])) for group in groups]
    return sorted(lines, key=lambda line: (line.latest.report, line.latest.source, line.distinct))


def _distinct(run: ReportRecord, others: list[ReportRecord]) -> str:
    """The parameters in which a run differs from others of the same report and source."""
    rivals = [o for o in others if (o.report, o.source) == (run.report, run.source)]
    names = [n for n in run.parameters if len({str(r.parameters.get(n)) for r in rivals}) > 1]
    return ", ".join(f"{name}={run.parameters[name]}" for name in names)


def write_index(output: Path) -> Path:
    """Write `index.html` of an output folder from the JSON files in it.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    from workbench.reporting.render import render_index

    runs, problems = read_folder(prepare_folder(output))
    path = output / "index.html"
    write_whole(path, render_index(lines_of(runs), problems))
    return path

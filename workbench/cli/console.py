"""What the verbs print: results on stdout, all else on stderr, hostile text made harmless."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from workbench.findings import Finding, Severity
from workbench.session.progress import terminal_bar, terminal_watched

if TYPE_CHECKING:
    from workbench.errors import WorkbenchError

__all__ = ["LogHandler", "complain", "plain", "print_table", "progress", "say", "show_findings"]


class Console(RichConsole):
    """A console that lets the end of a pipe be seen: rich ends with 1, our code for findings."""

    def on_broken_pipe(self) -> None:
        """Raise what rich caught."""
        raise BrokenPipeError


_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def plain(text: object) -> str:
    r"""Text without control characters, which a terminal would obey.

    Examples
    --------
    >>> plain("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def say(text: str) -> None:
    """Print a line on stderr."""
    Console(stderr=True, soft_wrap=True).print(Text("\n".join(map(plain, text.split("\n")))))


def complain(error: WorkbenchError) -> None:
    """Print an error: what was wrong, then what to do."""
    console = Console(stderr=True, soft_wrap=True)
    parts = [("error: ", "bold red", error.what)] + (
        [("  try: ", "green", error.mend)] if error.mend else []
    )
    for head, style, text in parts:
        first, *more = map(plain, text.split("\n"))
        console.print(Text(head, style=style) + Text(first, style="not bold"))
        for line in more:  # a caret under an expression keeps its column
            console.print(Text(" " * len(head) + line))


class LogHandler(logging.Handler):
    """Shows what the library logs as notes on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        say(f"note: {record.getMessage()}")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """Print a table on stdout; numbers stand right."""
    rows = [list(row) for row in rows]
    table = Table(
        title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    for i, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        table.add_column(Text(plain(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return plain(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings on stdout, one line each and its next step under it."""
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    for finding in findings:
        head = Text(f"{finding.severity.value:<8}", style=_STYLES[finding.severity])
        console.print(
            head + Text(f"{finding.code}  {plain(finding.what)}", style="not bold default")
        )
        parts = [f"at {finding.place}"] if finding.place is not None else []
        parts += [f"for {finding.owner}"] if finding.owner else []
        if parts:
            console.print(Text(f"         {plain(', '.join(parts))}", style="dim"))
        if finding.next_step:
            console.print(Text(f"         → {plain(finding.next_step)}", style="dim"))
        if finding.fix.startswith("#"):  # a change, headed by what was tried
            first = plain(finding.fix.partition("\n")[0].lstrip("# "))
            console.print(
                Text(f"         ± tried: {first}; --format markdown shows the change", style="dim")
            )


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """A progress bar on stderr, only on a terminal: gives ``update(done, total)``."""
    if not terminal_watched():
        yield lambda _done, _total: None
        return
    with terminal_bar() as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

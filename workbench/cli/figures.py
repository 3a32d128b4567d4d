"""Figures of a study on a terminal or in a file: as a table with its findings, as JSON, as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import plain, print_table, say, show_findings
from workbench.cli.writing import write_file

if TYPE_CHECKING:
    from workbench.findings import Finding
    from workbench.views.listing import Listing

__all__ = ["Format", "FormatOption", "Output", "deliver", "deliver_text", "print_listing"]


class Format(StrEnum):
    """How figures are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to write the figures.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="A file in place of standard output.")
]


def deliver(
    format_: Format,
    output: Path | None,
    *,
    findings: Iterable[Finding],
    listings: Callable[[], Sequence[Listing]],
    data: Callable[[], Any],
    numbers: Callable[[], Any],
) -> None:
    """Write what a study found.

    Parameters
    ----------
    format_, output
        How, and where to.
    findings
        Below a table; on stderr beside CSV, which has no place for them.
    listings, data, numbers
        For a table, for JSON, and a DataFrame for CSV.
    """
    from workbench.spend.exports.showback import csv_text, json_text

    if format_ is Format.JSON:
        deliver_text(json_text(data()), output)
    elif format_ is Format.CSV:
        deliver_text(csv_text(numbers()), output)
        for finding in findings:
            say(f"{finding.severity.value}: {finding.code} {finding.what}")
    elif output is None:
        _show(listings(), findings)
    else:
        deliver_text(_printed(listings(), findings), output)


def deliver_text(text: str, output: Path | None) -> None:
    """Write text to a file, whole or not at all, or to standard output."""
    if output is None:
        typer.echo(text, nl=False)
        return
    write_file(output, text)
    say(f"wrote {output}")


def print_listing(listing: Listing) -> None:
    """Print a listing on stdout, or why it is empty."""
    if listing.rows:
        print_table(listing.headings, listing.rows)
    elif listing.empty:
        typer.echo(plain(listing.empty))
    if listing.note:
        typer.echo(plain(listing.note))


def _show(listings: Sequence[Listing], findings: Iterable[Finding]) -> None:
    for number, listing in enumerate(listings):
        if number:
            typer.echo()
        print_listing(listing)
    show_findings(findings)


def _printed(listings: Sequence[Listing], findings: Iterable[Finding]) -> str:
    """The table as it would stand on standard output."""
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        _show(listings, findings)
    return text.getvalue()

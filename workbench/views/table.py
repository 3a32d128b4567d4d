"""Tables for people, as HTML: results, findings, provenance.

Plain table elements, so that a selection copies into a spreadsheet as it stands. Whatever comes
from data is escaped; styles use the page's own colours and so fit a light and a dark ground.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from workbench.findings import Finding, Provenance
from workbench.frame import Frame, label_names
from workbench.samples import format_value
from workbench.units import format_quantity
from workbench.views.axis import plain_lines, plain_text
from workbench.views.series import last_values
from workbench.views.theme import COLOURS
from workbench.window import format_time

__all__ = ["code_block", "findings_table", "frame_table", "html_table", "provenance_table"]

_MOST: Final = 50

_STYLE: Final = """<style>
.wb-table{border-collapse:collapse;font-size:13px;line-height:1.4;margin:.4em 0}
.wb-table th,.wb-table td{text-align:left;vertical-align:top;padding:.3em .8em;border:0;
border-bottom:1px solid rgba(128,128,128,.3);overflow-wrap:anywhere}
.wb-table th{font-weight:600;overflow-wrap:normal}
.wb-table .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.wb-table code{font-size:12px;white-space:pre-wrap}
.wb-table .s{white-space:nowrap;font-weight:600}
.wb-table .s::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;
margin-right:.5em;background:var(--wb-severity)}
.wb-note{font-size:12px;opacity:.75;margin:.2em 0 .8em}
</style>"""


class Cell(str):
    """HTML that is ready as it is, the class of its cell, and what the cell sorts by."""

    __slots__ = ("kind", "value")
    kind: str
    value: str | None

    def __new__(cls, markup: str, kind: str = "", value: str | None = None) -> Cell:  # noqa: PYI034 - never subclassed
        """Hold markup that is already escaped; `value` is a number as text, ``""`` for none."""
        self = super().__new__(cls, markup)
        self.kind, self.value = kind, value
        return self


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, note: str = "") -> str:
    """Write a table.

    Parameters
    ----------
    headings
        One a column.
    rows
        Texts, which are escaped, or `Cell`.
    note
        A line below the table.

    Examples
    --------
    >>> "&lt;b&gt;" in html_table(["label"], [["<b>"]])
    True
    """
    body = [f"<tr>{''.join(_td(cell) for cell in row)}</tr>" for row in rows]
    head = "".join(f"<th>{escaped(name)}</th>" for name in headings)
    table = f'<table class="wb-table"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    below = f'<p class="wb-note">{escaped(note)}</p>' if note else ""
    return f"{_STYLE}{table}{below}"


def escaped(text: str) -> str:
    """Text for HTML: markup escaped, what cannot be shown replaced."""
    return html.escape(plain_text(text, most=2_000))


def _td(cell: str) -> str:
    if isinstance(cell, Cell):
        kind = f' class="{cell.kind}"' if cell.kind else ""
        value = "" if cell.value is None else f' data-value="{html.escape(cell.value)}"'
        return f"<td{kind}{value}>{cell}</td>"
    return f"<td>{escaped(cell)}</td>"


def findings_table(findings: Iterable[Finding]) -> str:
    """Show findings, the gravest first: severity in words and colour, what is, what to do next.

    Examples
    --------
    >>> from workbench.findings import Severity
    >>> finding = Finding("CAP-SATURATION", Severity.ERROR, "disk", "full on <12 May>", "grow it")
    >>> "full on &lt;12 May&gt;" in findings_table([finding])
    True
    """
    ordered = sorted(findings, key=lambda f: -f.severity.rank)
    if not ordered:
        return f'{_STYLE}<p class="wb-note">No findings.</p>'
    rows = [
        (_severity(f), Cell(f"<code>{escaped(f.code)}</code>"), f.about, _what(f), _next_step(f))
        for f in ordered
    ]
    return html_table(("severity", "code", "about", "what", "next step"), rows)


def _severity(finding: Finding) -> Cell:
    colour = COLOURS[finding.severity.value]
    return Cell(f'<span class="s" style="--wb-severity:{colour}">{finding.severity.value}</span>')


def _what(finding: Finding) -> Cell:
    notes = [f"for {finding.owner}"] if finding.owner else []
    notes += [f"acknowledged {finding.acknowledged}"] if finding.acknowledged else []
    shown = "".join(f'<div class="wb-note">{escaped(note)}</div>' for note in notes)
    return Cell(f"{escaped(finding.what)}{shown}")


def _next_step(finding: Finding) -> Cell:
    if not finding.fix:
        return Cell(escaped(finding.next_step))
    return Cell(f"{escaped(finding.next_step)}{code_block('the change', finding.fix)}")


def code_block(summary: str, code: str) -> str:
    """Code of several lines, folded under a line of text; never shortened, for it is to be pasted.

    Examples
    --------
    >>> code_block("fix", "a: <b>")
    '<details><summary>fix</summary><pre>a: &lt;b&gt;</pre></details>'
    """
    body = html.escape(plain_lines(code))
    return f"<details><summary>{escaped(summary)}</summary><pre>{body}</pre></details>"


def provenance_table(provenances: Iterable[Provenance]) -> str:
    """Show where figures come from: query, source, window, size, time, and what was incomplete."""
    rows = [
        (
            Cell(f"<code>{escaped(p.expression)}</code>"),
            f"{p.source} ({p.server})" if p.server else p.source,
            str(p.window) if p.window else f"at {format_time(p.at_ms)}",
            Cell(f"{p.series:,}", "n"),
            Cell(f"{p.samples:,}", "n"),
            Cell(escaped(format_quantity(p.seconds, "seconds")), "n"),
            "; ".join((*p.warnings, *p.gaps)),
        )
        for p in provenances
    ]
    headings = ("query", "source", "window", "series", "samples", "took", "remarks")
    return html_table(headings, rows)


def frame_table(frame: Frame, *, unit: str = "", most: int = _MOST) -> str:
    """Show a result, one row a series, the greatest last value first.

    Parameters
    ----------
    frame
        Any result. With one step each row ends in its value; with more in the last, least, mean
        and greatest value and how many steps are absent.
    unit
        Of the values; the full figure stands in the cell's title.
    most
        How many rows to show; the rest is counted below.
    """
    if frame.kind == "string":
        return html_table(("value",), [(frame.text,)])
    names = label_names(frame.labels)
    order = np.argsort(-last_values(frame), kind="stable")[:most].tolist() if len(frame) else []
    single = len(frame.times_ms) == 1
    figures = ("value",) if single else ("last", "least", "mean", "greatest", "absent")
    rows = [
        (
            *(frame.labels[i].get(name, "") for name in names),
            *(_value(frame, i, unit) if single else _summary(frame, i, unit)),
        )
        for i in order
    ]
    hidden = len(frame) - len(rows)
    note = "No series." if not len(frame) else f"{hidden:,} more series" if hidden else ""
    return html_table((*names, *figures), rows, note=note)


def _value(frame: Frame, series: int, unit: str) -> list[Cell]:
    histogram = frame.histograms.get((series, 0))
    if histogram is not None:
        return [Cell(escaped(f"{histogram.count:,.0f} observations"), "n")]
    return [_number(float(frame.values[series, 0]), unit)]


def _summary(frame: Frame, series: int, unit: str) -> list[Cell]:
    present = frame.present[series]
    values = frame.values[series][present]
    known = values[~np.isnan(values)]
    absent = Cell(f"{int((~present).sum()):,}", "n")
    if not len(known):
        return [*[_number(float("nan"), unit)] * 4, absent]
    with np.errstate(invalid="ignore"):
        figures = (known[-1], known.min(), known.mean(), known.max())
    return [*[_number(float(x), unit) for x in figures], absent]


def _number(value: float, unit: str) -> Cell:
    full, short = html.escape(format_value(value)), escaped(format_quantity(value, unit))
    return Cell(f'<span title="{full}">{short}</span>', "n")

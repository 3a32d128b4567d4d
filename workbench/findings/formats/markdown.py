"""Findings as Markdown, short enough for a comment on a pull request.

Whatever comes from data stands in code spans or is escaped: it makes no links, no mentions, no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from workbench.findings.finding import Finding, Severity

__all__ = ["code_span", "plain_markdown", "to_markdown"]

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~&@#]|:(?=//)|(?<=www)\.|^[+=-])")
_NUMBERED: Final = re.compile(r"^(\d{1,9})([.)])")
_BREAKS: Final = re.compile(r"[^\S ]+|[\x00-\x1f\x7f]")
_MOST: Final = 60_000
"""Characters; GitHub takes 65,536."""

_MARKS: Final = {
    Severity.ERROR: "🔴 error",
    Severity.WARNING: "🟡 warning",
    Severity.INFO: "🔵 info",
}


def to_markdown(
    findings: Sequence[Finding], *, title: str, summary: str = "", most: int = 10
) -> str:
    """Write a comment.

    Parameters
    ----------
    findings
        The gravest first; those that are acknowledged are only counted.
    title
        The heading, plain text.
    summary
        Markdown that stands above the findings.
    most
        So many findings are shown, the rest is counted.

    Returns
    -------
    str
        At most 60,000 characters: changes are left out before findings are.
    """
    open_ = [f for f in findings if not f.acknowledged]
    hidden = len(findings) - len(open_)
    tail = []
    if len(open_) > most:
        tail.append(f"{len(open_) - most} more in the full report.")
    if hidden:
        tail.append(f"{hidden} acknowledged.")
    parts = [f"### {plain_markdown(title)}", summary.strip()]
    for changes in (True, False):
        shown = [_finding(f, with_change=changes) for f in open_[:most]]
        text = "\n\n".join(p for p in (*parts, *shown, " ".join(tail)) if p) + "\n"
        if len(text) <= _MOST:
            return text
    return f"{text[:_MOST].rpartition(chr(10))[0]}\n\n… cut: the full report has the rest.\n"


def _finding(finding: Finding, *, with_change: bool) -> str:
    where = f" at {code_span(finding.where)}" if finding.where else ""
    owner = f" · for {code_span(finding.owner)}" if finding.owner else ""
    lines = [f"**{_MARKS[finding.severity]}** `{finding.code}`{where}{owner}  "]
    lines.append(plain_markdown(finding.what))
    if finding.next_step:
        lines.append(f"→ {plain_markdown(finding.next_step)}")
    if finding.fix and with_change:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", finding.fix)), default=0))
        lines.append(
            f"<details><summary>The change</summary>\n\n{fence}\n{finding.fix.strip()}\n{fence}\n\n</details>"
        )
    return "\n".join(lines)


def plain_markdown(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line.

    Examples
    --------
    >>> plain_markdown("a|b <i>@you</i>")
    'a\\|b \\<i\\>\\@you\\</i\\>'
    """
    line = _BREAKS.sub(" ", text).strip()
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))


def code_span(text: str) -> str:
    """Text as code, with as many backticks as it takes; also within a table.

    Examples
    --------
    >>> code_span("a`b")
    '``a`b``'
    """
    line = _BREAKS.sub(" ", text).replace("|", "¦")
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"

"""A table of text that shows itself whole, or says why it is empty."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.views.axis import plain_lines, plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Listing"]

_MOST: Final = 50
"""Rows that are shown; the frame has all."""

_NAMING: Final = 2
"""So many columns name a block of code."""

_CODE: Final = re.compile("`([^`]+)`")
_ADDRESS: Final = re.compile(r"https?://[^\s<>]+\Z", re.IGNORECASE)
_FIGURE: Final = re.compile(r"\d[\d,]*(\.\d+)?%?", re.ASCII)


@dataclass(frozen=True)
class Listing:
    """Rows for people.

    Unlike a DataFrame it shows long text in full, and a sentence where it has no rows.

    Parameters
    ----------
    headings
        One a column.
    rows
        Text and numbers; numbers are drawn with separators.
    empty
        Why there may be no rows.
    code
        Columns that hold code of several lines: it stands folded below the table.
    prose
        Columns of our own words, in which what stands in backticks is code.
    links
        Columns of addresses: one of http or https shows as the word *open*, which leads there.
    note
        A line below the table, or below the sentence in its place.

    Examples
    --------
    >>> Listing(("label", "values"), [("path", 1200)], empty="No labels.").frame.to_dict("list")
    {'label': ['path'], 'values': ['1,200']}
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str
    code: frozenset[str] = frozenset()
    prose: frozenset[str] = frozenset()
    note: str = ""
    links: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def frame(self) -> pd.DataFrame:
        """All rows as text."""
        import pandas as pd

        return pd.DataFrame(list(self._texts(self.rows)), columns=list(self.headings), dtype="str")

    def _texts(self, rows: Iterable[Sequence[object]]) -> Iterable[list[str]]:
        for row in rows:
            yield [
                _text(cell, whole=heading in self.code or heading in self.links)
                for heading, cell in zip(self.headings, row, strict=True)
            ]

    def __repr__(self) -> str:
        shown = self.frame.to_string(index=False) if self.rows else self.empty
        return f"{shown}\n{self.note}" if self.note else shown

    def _repr_html_(self) -> str:
        from workbench.views.table import Cell, code_block, escaped, html_table

        if not self.rows:
            return "".join(f"<p>{escaped(line)}</p>" for line in (self.empty, self.note) if line)
        texts = list(self._texts(self.rows[:_MOST]))
        plain = [i for i, heading in enumerate(self.headings) if heading not in self.code]
        shown = [
            [Cell(self._markup(i, text[i]), _kind(row[i])) for i in plain]
            for text, row in zip(texts, self.rows, strict=False)
        ]
        hidden = len(self.rows) - len(shown)
        notes = [f"{hidden:,} more"] if hidden else []
        notes += [self.note] if self.note else []
        note = ". ".join(notes)
        folded = [
            code_block(f"{text[0]}: {text[1]}", text[i])
            for text in texts
            for i in range(len(text))
            if i not in plain and text[i]
        ]
        if len(plain) <= _NAMING and len(folded) == len(texts):
            # a table would only say again what stands before each block
            return "".join(folded) + (f"<p>{escaped(note)}</p>" if note else "")
        return html_table([self.headings[i] for i in plain], shown, note=note) + "".join(folded)

    def _markup(self, column: int, text: str) -> str:
        from workbench.views.table import escaped

        safe = escaped(text)
        heading = self.headings[column]
        if heading in self.links and _ADDRESS.match(text):
            return f'<a href="{html.escape(text)}" rel="noopener noreferrer">open</a>'
        return _CODE.sub(r"<code>\1</code>", safe) if heading in self.prose else safe


def _text(cell: object, *, whole: bool) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    text = str(cell)
    if whole:  # whatever its length: it is there to be pasted or followed
        return plain_lines(text)
    return plain_text(text, most=600)


def _kind(cell: object) -> str:
    return "n" if isinstance(cell, int) or _FIGURE.fullmatch(str(cell)) else ""

"""An executed notebook as what the page shows: a lead, sections, and how it was made."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.reporting.clean import clean_html, slug
from workbench.reporting.studies import study_in
from workbench.views.renderer import PNG_SCALE

__all__ = ["Block", "Cell", "Layout", "lay_out"]

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_SETUP: Final = {
    "injected-parameters": "parameters of this run",
    "parameters": "parameters and their defaults",
    "setup": "connecting",
}
"""Tags of cells that only prepare, and what the page calls them."""
_PROVENANCE: Final = "provenance"


@dataclass(frozen=True, slots=True)
class Block:
    """One thing to show: `kind` is ``study``, ``chart``, ``html``, ``text``, ``image`` or ``error``."""

    kind: str
    content: Any


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the page shows it.

    Parameters
    ----------
    code
        Its source, empty for Markdown.
    blocks
        What it gave.
    ran
        False where the run ended before it.
    name
        What it is called beside its code, where it stands without a heading.
    """

    code: str = ""
    blocks: tuple[Block, ...] = ()
    ran: bool = True
    name: str = ""


@dataclass(slots=True)
class Layout:
    """A page's parts, in the order in which they stand.

    Parameters
    ----------
    lead
        The text under the notebook's title, as HTML.
    body
        What the reader came for.
    setup
        Cells that only prepare: parameters, connecting.
    contents
        Id and text of each second-level heading.
    """

    lead: str = ""
    body: list[Cell] = field(default_factory=list)
    setup: list[Cell] = field(default_factory=list)
    contents: list[tuple[str, str]] = field(default_factory=list)


def lay_out(notebook: Any) -> Layout:
    """Sort a notebook's cells into a page.

    Findings stand first since the notebooks put their study first; set-up cells, which show
    nothing, go to the end. Cells tagged ``provenance`` are left out: the page tells provenance
    itself, as its last section, from the studies.
    """
    layout, taken = Layout(), {"contents", "provenance", "how-it-was-made", "summary"}
    ended = _ended_at(notebook)
    for number, cell in enumerate(notebook.cells):
        tags = set(cell.metadata.get("tags", ()))
        if _PROVENANCE in tags:
            continue
        if cell.cell_type == "markdown":
            _add_markdown(layout, cell.source, taken)
        elif cell.cell_type == "code":
            blocks = tuple(_blocks(cell.get("outputs", ())))
            name = "" if blocks else next((_SETUP[t] for t in _SETUP if t in tags), "")
            shown = Cell(cell.source, blocks, ran=number <= ended, name=name)
            (layout.setup if name else layout.body).append(shown)
    return layout


def _ended_at(notebook: Any) -> int:
    """The number of the last cell that began to run."""
    begun = [
        number
        for number, cell in enumerate(notebook.cells)
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    return max(begun, default=-1)


def _add_markdown(layout: Layout, source: str, taken: set[str]) -> None:
    from nbconvert.filters.markdown import markdown2html_mistune

    first = not layout.body and not layout.lead
    rendered = re.sub(
        r'<a class="anchor-link"[^>]*>.*?</a>', "", str(markdown2html_mistune(source))
    )
    if first and (title := re.match(r"\s*<h1[^>]*>.*?</h1>", rendered, re.DOTALL)):
        layout.lead = clean_html(rendered[title.end() :])
        return

    def identify(text: str) -> str:
        return slug(text, taken)

    # The page's own title is the only first-level heading.
    shift = 1 if re.search(r"<h1[ >]", rendered) else 0
    html = clean_html(rendered, shift_headings=shift, identify=identify)
    for name, text in re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', html, re.DOTALL):
        layout.contents.append((name, re.sub(r"<[^>]+>", "", text)))
    layout.body.append(Cell(blocks=(Block("html", html),)))


def _blocks(outputs: Any) -> Iterator[Block]:
    for output in outputs:
        if output.output_type == "stream":
            yield Block("text", _plain(output.text))
        elif output.output_type == "error":
            yield _error(output)
        elif (study := study_in(output)) is not None:
            yield Block("study", study)
        else:
            yield from _data(output.get("data", {}))


def _data(data: Mapping[str, Any]) -> Iterator[Block]:
    """The best form of a display that a page can hold."""
    chart = next((v for k, v in data.items() if k.startswith("application/vnd.vegalite.")), None)
    if isinstance(chart, Mapping):
        yield Block("chart", {"spec": _script_safe(chart), **_picture(data)})
    elif "text/html" in data:
        yield Block("html", clean_html(_joined(data["text/html"]), shift_headings=1))
    elif "image/png" in data:
        yield Block("image", _picture(data))
    elif "text/plain" in data:
        yield Block("text", _plain(_joined(data["text/plain"])))


def _error(output: Any) -> Block:
    import workbench.errors

    known = getattr(workbench.errors, output.ename, None)
    ours = isinstance(known, type) and issubclass(known, WorkbenchError)
    trace = _plain("\n".join(output.get("traceback", ())))
    return Block(
        "error", {"name": output.ename, "message": output.evalue, "trace": trace, "ours": ours}
    )


def _picture(data: Mapping[str, Any]) -> dict[str, Any]:
    """A PNG with the text that stands for it and its width on the page."""
    png = _joined(data.get("image/png", "")).replace("\n", "")
    head = base64.b64decode(png[:32] + "=" * (-len(png[:32]) % 4)) if png else b""
    return {
        "png": png,
        "alt": _alt(data),
        "width": round(int.from_bytes(head[16:20], "big") / PNG_SCALE),
    }


def _alt(data: Mapping[str, Any]) -> str:
    return _joined(data.get("text/plain", "")).strip("<>").removeprefix("chart: ") or "chart"


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _plain(text: Any) -> str:
    """Text without a terminal's colours and control characters."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", _ESCAPES.sub("", _joined(text)))


def _script_safe(tree: Any) -> str:
    """JSON that cannot end the script element that it stands in, nor open a comment there."""
    return json.dumps(tree, separators=(",", ":")).replace("<", "\\u003c")

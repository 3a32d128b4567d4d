"""An executed notebook as one HTML file that asks no other host for anything.

nbconvert drives our own template in `reports/template`. The page's scripts stand in it under the
hashes that its content security policy names, so that nothing else may run: not even markup that
came with the data.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from markupsafe import Markup, escape
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML
from traitlets import default

from workbench.findings import Severity
from workbench.reporting.assets import shipped
from workbench.reporting.blocks import Layout, lay_out
from workbench.reporting.record import ReportRecord
from workbench.units import format_duration, format_quantity
from workbench.views.theme import theme_config

__all__ = ["SIZE_BUDGET_BYTES", "render_index", "render_page", "render_pointer"]

SIZE_BUDGET_BYTES: Final = 5 * 1024 * 1024
"""A page above this is warned of: it is slow to open and mail servers refuse it."""

_log: Final = logging.getLogger("workbench")


class _PageExporter(TemplateExporter):
    """nbconvert with one template folder, ours, and escaping by default."""

    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    @default("template_paths")
    def _template_paths(self, prune: bool = True, root_dirs: Any = None) -> list[str]:  # noqa: ARG002, FBT001, FBT002 - nbconvert's signature; templates that the user installed for other pages are not looked at
        return [str(shipped("reports", "template"))]

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """The filters of nbconvert, and its highlighting of code, which only its own HTML has."""
        yield from super().default_filters()
        yield "highlight_code", Highlight2HTML(pygments_lexer="ipython3")
        yield "ticks", _ticks

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment


def _ticks(text: str) -> Markup:
    """A sentence in which what stands in backticks is set as code; all else is escaped."""
    text = re.sub(r"(?<=\d) (?=%)", "\u00a0", text)  # a number keeps its sign on its line
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    template = Markup("<code>{}</code>")
    return Markup("").join(template.format(p) if i % 2 else p for i, p in enumerate(parts))


def render_page(notebook: Any, record: ReportRecord) -> str:
    """Render a run.

    Parameters
    ----------
    notebook
        The executed notebook, without secrets.
    record
        What it said.

    Returns
    -------
    str
        A whole HTML document.
    """
    layout = lay_out(notebook)
    charts = any(block.kind == "chart" for cell in layout.body for block in cell.blocks)
    page = _render(
        "report.html.j2",
        notebook,
        {
            "record": record,
            "layout": layout,
            "contents": _contents(layout, record),
            "facts": _facts(record),
            "span": _span,
            "scripts": [_page_script(), *([_vega_script()] if charts else [])],
            "looks": {"light": theme_config("light"), "dark": theme_config("dark")},
        },
    )
    if len(page.encode()) > SIZE_BUDGET_BYTES:
        size = format_quantity(len(page.encode()), "bytes")
        _log.warning(
            "the page of %s is %s: draw fewer points or show fewer rows", record.report, size
        )
    return page


def render_index(lines: Sequence[Any], problems: Sequence[str]) -> str:
    """Render the index of an output folder: see `workbench.reporting.index`."""
    return _render(
        "index.html.j2",
        _no_notebook(),
        {"lines": lines, "problems": problems, "scripts": [_page_script()]},
    )


def render_pointer(record: ReportRecord) -> str:
    """Render the small page that leads on to the latest run."""
    return _render("latest.html.j2", _no_notebook(), {"record": record, "scripts": []})


def _render(template: str, notebook: Any, facts: Mapping[str, Any]) -> str:
    scripts: Sequence[str] = facts["scripts"]
    exporter = _PageExporter(template_file=template)
    page = {
        **facts,
        "css": shipped("reports", "template", "page.css").read_text(encoding="utf-8"),
        "theme_script": _theme_script(),
        "policy": _policy([_theme_script(), *scripts]),
        "severities": [s.value for s in reversed(Severity)],
        "duration": lambda seconds: format_duration(max(1000, round(seconds) * 1000)),
    }
    html, _ = exporter.from_notebook_node(notebook, resources={"page": page})
    return str(html).strip() + "\n"


def _no_notebook() -> Any:
    import nbformat

    return nbformat.v4.new_notebook()


def _policy(scripts: Sequence[str]) -> str:
    """The content security policy: these scripts, inline styles, inline pictures, nothing else."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {hashes}; base-uri 'none'; form-action 'none'"
    )


@cache
def _vega_script() -> str:
    """Vega, Vega-Lite and vega-embed, once. Only `</script` would end the element early."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script") + "\n" + _asset("charts.js")


def _page_script() -> str:
    return _asset("page.js")


def _theme_script() -> str:
    return _asset("theme.js")


@cache
def _asset(name: str) -> str:
    return shipped("reports", "template", name).read_text(encoding="utf-8")


def _contents(layout: Layout, record: ReportRecord) -> list[tuple[str, str]]:
    ends = [("provenance", "Provenance")] if record.provenance else []
    return [*layout.contents, *ends, ("how-it-was-made", "How this page was made")]


def _span(provenance: Mapping[str, Any]) -> list[str]:
    """The window of one question, or its moment, in parts that are not to be broken."""
    if not provenance.get("window"):
        return [_short_time(str(provenance.get("at", "")))]
    bounds, _, step = str(provenance["window"]).partition(", step ")
    start, _, end = bounds.partition(" to ")
    return [f"{_short_time(start)} to", _short_time(end), f"step {step}"]


def _short_time(text: str) -> str:
    """RFC 3339 as people read it, without seconds where there are none."""
    return text.removesuffix("Z").removesuffix(":00").replace("T", " ")


def _facts(record: ReportRecord) -> list[tuple[str, str]]:
    """The lines of the header."""
    bounds, _, step = (record.window or "").partition(", step ")
    start, _, end = bounds.partition(" to ")
    facts = [
        ("Source", record.source + (f" ({record.server})" if record.server else "")),
        ("Data until", f"{record.now:%Y-%m-%d %H:%M} UTC"),
        ("Window", start and f"{_short_time(start)} to {_short_time(end)} UTC"),
        ("Step", step),
        ("Rendered", f"{record.started:%Y-%m-%d %H:%M} UTC"),
    ]
    return [(name, value) for name, value in facts if value]

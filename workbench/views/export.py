"""Charts as files: HTML that needs no network, SVG, PNG, or the Vega-Lite JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from workbench.errors import InputError
from workbench.views.picture import picture
from workbench.views.theme import themed

__all__ = ["chart_file", "check_suffix"]

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Chart</title>
<style>:root {{ color-scheme: light dark; font-family: system-ui, sans-serif }} body {{ margin: 2rem }}</style>
</head>
<body>
<div id="chart"></div>
<script type="application/json" id="spec">{spec}</script>
<script>{vega}</script>
<script>vegaEmbed("#chart", JSON.parse(document.getElementById("spec").textContent));</script>
</body>
</html>
"""

_SUFFIXES: Final = {".html": "html", ".svg": "svg", ".png": "png", ".json": "json"}


def check_suffix(suffix: str) -> None:
    """See that a chart can be written to a file of this suffix, before anything is asked.

    Raises
    ------
    InputError
        It cannot.
    """
    if suffix.lower() not in _SUFFIXES:
        named = f"as {suffix!r}" if suffix else "to a file without a suffix"
        msg = f"a chart cannot be written {named}"
        raise InputError(msg, f"end the file's name with {', '.join(_SUFFIXES)}")


def chart_file(chart: Any, suffix: str) -> bytes:
    """Encode an Altair chart by a file's suffix.

    Parameters
    ----------
    chart
        An Altair chart.
    suffix
        ``.html`` (self-contained), ``.svg``, ``.png`` or ``.json``.

    Raises
    ------
    InputError
        The suffix is none of these.
    """
    check_suffix(suffix)
    form = _SUFFIXES[suffix.lower()]
    if form == "html":
        return _page(chart).encode()
    if form == "json":
        return str(chart.to_json()).encode()
    spec = themed(chart, "light").properties(background="white").to_dict()
    return picture(spec, "png" if form == "png" else "svg", scale=2)


def _page(chart: Any) -> str:
    """One page with Vega inside; what labels hold stays data."""
    import vl_convert

    spec = json.dumps(themed(chart).to_dict()).replace("<", "\\u003c")
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return _PAGE.format(spec=spec, vega=vega.replace("</script", "<\\/script"))

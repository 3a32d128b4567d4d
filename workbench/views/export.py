"""Charts as files: HTML that needs no network, SVG, PNG, or the Vega-Lite JSON."""

from __future__ import annotations

import io
from typing import Any, Final

from workbench.errors import InputError

__all__ = ["chart_file"]

_SUFFIXES: Final = {".html": "html", ".svg": "svg", ".png": "png", ".json": "json"}


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
    if suffix.lower() not in _SUFFIXES:
        msg = f"a chart cannot be written as {suffix or 'a file without suffix'!r}"
        raise InputError(msg, f"end the file's name with {', '.join(_SUFFIXES)}")
    form = _SUFFIXES[suffix.lower()]
    if form == "html":
        return str(chart.to_html(inline=True)).encode()
    if form == "json":
        return str(chart.to_json()).encode()
    buffer = io.BytesIO() if form == "png" else io.StringIO()
    chart.save(buffer, format=form, **({"ppi": 144} if form == "png" else {}))
    content = buffer.getvalue()
    return content if isinstance(content, bytes) else content.encode()

"""Vega-Lite as pixels or vectors, by vl-convert, without a browser."""

from __future__ import annotations

import json
from typing import Any, Literal

__all__ = ["picture"]


def picture(spec: dict[str, Any], form: Literal["png", "svg"], *, scale: float = 1.5) -> bytes:
    """Render a chart.

    Parameters
    ----------
    spec
        Vega-Lite with its data inside; label values in it may hold anything.
    form
        ``png`` or ``svg``.
    scale
        Dots of a PNG for one of the chart.
    """
    import vl_convert

    # A NUL anywhere in the text would abort the whole process inside the converter.
    text = json.dumps(spec).replace("\\u0000", "\\ufffd")
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(text, scale=scale))
    return str(vl_convert.vegalite_to_svg(text)).encode()

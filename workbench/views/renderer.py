"""How a chart is shown in a notebook: live where the front end can draw it, a picture elsewhere.

The output carries the Vega-Lite JSON and a PNG. No front end needs the network for either, unlike
with Altair's default renderer, whose HTML loads Vega from a content delivery network.

JupyterLab (up to 4.6) and VS Code draw ``application/vnd.vegalite.v5+json`` themselves and do not
know the type of version 6, under which Altair 6 files its charts. The two versions of Vega-Lite
read the same language, so the chart is filed under version 5, with that version's schema named.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from workbench.views.picture import picture

__all__ = ["PNG_SCALE", "VEGALITE_MIME", "chart_bundle", "enable"]

VEGALITE_MIME: Final = "application/vnd.vegalite.v5+json"
"""The type under which front ends look for a chart."""

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
PNG_SCALE: Final = 1.5
"""Dots of the PNG for one of the chart: about 190 an inch on paper; 2 would weigh 40 % more."""

_WIDTH: Final = 760

_NAME: Final = "workbench"


def chart_bundle(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The forms in which one chart is shown.

    Parameters
    ----------
    spec
        Vega-Lite with its data inside.

    Returns
    -------
    dict
        MIME type → content: the Vega-Lite JSON, a PNG (base64), and a line of text.
    """
    # A picture has no container whose width it could take.
    sized = {**spec, "width": _WIDTH} if spec.get("width") == "container" else spec
    png = picture(sized, "png", scale=PNG_SCALE)
    return {
        VEGALITE_MIME: {**spec, "$schema": _SCHEMA},
        "image/png": base64.b64encode(png).decode(),
        "text/plain": f"<chart: {_title(spec)}>",
    }


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(map(str, text)) if isinstance(text, list) else str(text) or "without title"


def enable() -> None:
    """Show every chart of this process so."""
    import altair as alt

    if _NAME not in alt.renderers.names():
        alt.renderers.register(_NAME, chart_bundle)
    alt.renderers.enable(_NAME)

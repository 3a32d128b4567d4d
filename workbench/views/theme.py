"""The one look of all charts: colours that colour-blind readers can tell apart, on any ground.

Backgrounds are transparent and all text is of a middle tone, so that a chart reads on a light and
on a dark page; a page that knows its ground may put `theme_config("light")` or ``"dark"`` in place
of a chart's ``config`` for stronger contrast. Importing this changes nothing: call `enable`.

The colours are the palette of Okabe and Ito (Color Universal Design, 2008).
"""

from __future__ import annotations

from typing import Any, Final, Literal

from workbench.views.startup import import_jsonschema

__all__ = ["COLOURS", "PALETTE", "Mode", "enable", "theme_config", "themed"]

Mode = Literal["auto", "light", "dark"]
"""The ground on which a chart stands; ``auto`` where it is not known."""

COLOURS: Final = {
    "usage": "#0072B2",
    "forecast": "#E69F00",
    "limit": "#D55E00",
    "good": "#009E73",
    "accent": "#CC79A7",
    "light": "#56B4E9",
    "neutral": "#8A8F96",
    "error": "#D55E00",
    "warning": "#E69F00",
    "info": "#56B4E9",
}
"""Colours by what they stand for."""

PALETTE: Final = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#8A8F96",
)
"""Colours of categories, in the order in which they are used."""

_HEAT: Final = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")
"""Five points of viridis: lightness rises throughout, for every kind of colour vision."""

_RAMP: Final = ("#9CCBE8", "#56B4E9", "#0072B2", "#004A78")

_INK: Final = {
    "auto": ("#7D838B", "#8A8F96"),
    "light": ("#3A3F45", "#9AA0A6"),
    "dark": ("#C9CDD2", "#6B7178"),
}
"""Text, and lines of axes, by ground."""

_FONT: Final = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
)

_NAME: Final = "workbench"


def theme_config(mode: Mode = "auto") -> dict[str, Any]:
    """The Vega-Lite ``config`` for a ground.

    Examples
    --------
    >>> theme_config()["background"]
    'transparent'
    """
    ink, line = _INK[mode]
    text = {"labelColor": ink, "titleColor": ink, "labelFontSize": 11, "titleFontSize": 11}
    axis = {
        **text,
        "domainColor": line,
        "tickColor": line,
        "gridColor": line,
        "gridOpacity": 0.22,
        "titleFontWeight": "normal",
        "labelFlush": False,
    }
    return {
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None, "continuousWidth": 680, "continuousHeight": 260},
        "axis": axis,
        "axisX": {"grid": False, "tickSize": 4},
        "axisY": {"domain": False, "ticks": False, "tickCount": 4, "labelPadding": 6},
        "legend": {**text, "titleFontWeight": "normal", "orient": "top", "symbolSize": 90},
        "header": {**text, "titleFontWeight": "normal", "labelFontWeight": "bold"},
        "title": {
            "color": ink,
            "subtitleColor": ink,
            "fontSize": 13,
            "subtitleFontSize": 11.5,
            "fontWeight": 600,
            "anchor": "start",
            "frame": "group",
            "offset": 8,
            "subtitlePadding": 3,
        },
        "text": {"color": ink, "fontSize": 11},
        "rule": {"color": line},
        "line": {"strokeWidth": 1.6, "strokeJoin": "round"},
        "range": {"category": list(PALETTE), "heatmap": list(_HEAT), "ramp": list(_RAMP)},
    }


def themed(chart: Any, mode: Mode = "auto") -> Any:
    """A copy of a top-level chart that carries the look with it, whatever theme is enabled."""
    copy = chart.copy(deep=False)
    copy.config = theme_config(mode)
    return copy


def enable(mode: Mode = "auto") -> None:
    """Give the look to every Altair chart of this process."""
    import_jsonschema()
    import altair as alt

    if _NAME not in alt.theme.names():
        alt.theme.register(_NAME, enable=False)(_theme)
    alt.theme.enable(_NAME, mode=mode)


def _theme(mode: Mode = "auto") -> Any:
    return {"config": theme_config(mode)}

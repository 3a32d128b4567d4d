"""How a chart is shown: live where the front end can, a picture elsewhere, never from the network."""

import base64
import json
import struct

import altair as alt
import pandas as pd
import pytest

from workbench.views import renderer


@pytest.fixture
def bundle():
    frame = pd.DataFrame({"x": [1, 2], "y": [2, 3]})
    chart = alt.Chart(frame, title="Load").mark_line().encode(x="x", y="y")
    return renderer.chart_bundle(chart.to_dict())


def test_the_chart_is_filed_under_the_type_that_front_ends_draw(bundle):
    assert list(bundle) == [renderer.VEGALITE_MIME, "image/png", "text/plain"]
    assert bundle[renderer.VEGALITE_MIME]["$schema"].endswith("/v5.json")
    assert bundle["text/plain"] == "<chart: Load>"


def test_no_form_of_it_is_markup_or_script(bundle):
    assert "<script" not in json.dumps(bundle)
    assert "text/html" not in bundle


def test_the_picture_is_a_png_of_the_charts_size(bundle):
    data = base64.b64decode(bundle["image/png"])
    assert data.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", data[16:24])
    assert width > 300 * renderer.PNG_SCALE


def test_enabling_twice_is_harmless_and_charts_use_it():
    with alt.renderers.enable("default"):
        renderer.enable()
        renderer.enable()
        assert alt.renderers.active == "workbench"

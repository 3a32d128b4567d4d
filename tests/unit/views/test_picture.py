"""Pictures of charts: whole, and no larger than need be."""

import struct
import zlib

import pytest
import vl_convert

from workbench.views.picture import picture

CHART = {
    "data": {"values": [{"x": i, "y": i * i % 17} for i in range(40)]},
    "mark": {"type": "line", "tooltip": False},
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
    },
}


def chunks(png):
    """Kind and content of each chunk; the checksums must be right."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, found = 8, []
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, place + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        found.append((kind, content))
        place += 12 + length
    return found


def pixels(png):
    return zlib.decompress(b"".join(content for kind, content in chunks(png) if kind == b"IDAT"))


@pytest.fixture(scope="module")
def written():
    return bytes(vl_convert.vegalite_to_png(CHART, scale=1.5))


def test_every_pixel_is_the_converters_own(written):
    png = picture(CHART, "png", scale=1.5)
    assert pixels(png) == pixels(written)
    others = [c for c in chunks(png) if c[0] != b"IDAT"]
    assert others == [c for c in chunks(written) if c[0] != b"IDAT"]


def test_it_is_smaller_than_what_the_converter_writes(written):
    assert len(picture(CHART, "png", scale=1.5)) < 0.7 * len(written)


def test_text_with_a_nul_is_drawn():
    """Inside the converter it would end the process."""
    assert b"<svg" in picture({**CHART, "title": "a\x00b"}, "svg")

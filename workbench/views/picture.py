"""Vega-Lite as pixels or vectors, by vl-convert, without a browser."""

from __future__ import annotations

import json
import struct
import zlib
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
        return _denser(bytes(vl_convert.vegalite_to_png(text, scale=scale)))
    return str(vl_convert.vegalite_to_svg(text)).encode()


def _denser(png: bytes) -> bytes:
    """The same picture, its pixels packed better: a third of what the converter writes.

    A PNG is a signature of eight bytes and chunks of length, kind, content and checksum; the
    contents of all ``IDAT`` chunks make one stream of zlib (PNG 1.2, section 3.2).
    """
    parts: list[bytes] = [png[:8]]
    pixels = zlib.decompressobj()
    rows, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            rows += pixels.decompress(content)
        else:
            if kind == b"IEND":
                parts.append(_chunk(b"IDAT", zlib.compress(rows, 6)))
            parts.append(_chunk(kind, content))
        place += 12 + length
    return b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum

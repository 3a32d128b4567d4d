"""The hash of a label set, as Prometheus computes it: xxHash64 over its encoded labels.

Only `limit_ratio` needs it: with the same hash it chooses the same series as a server does.
The algorithm is Yann Collet's XXH64 with seed 0.
"""

from __future__ import annotations

from typing import Final

from workbench.samples import Labels

__all__ = ["label_hash", "xxhash64"]

_MASK: Final = (1 << 64) - 1
_P1: Final = 0x9E3779B185EBCA87
_P2: Final = 0xC2B2AE3D27D4EB4F
_P3: Final = 0x165667B19E3779F9
_P4: Final = 0x85EBCA77C2B2AE63
_P5: Final = 0x27D4EB2F165667C5


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _words(data: bytes, start: int, count: int, size: int = 8) -> list[int]:
    return [
        int.from_bytes(data[start + size * i : start + size * (i + 1)], "little")
        for i in range(count)
    ]


def xxhash64(data: bytes) -> int:
    """Hash bytes.

    Examples
    --------
    >>> hex(xxhash64(b""))
    '0xef46db3751d8e999'
    """
    position, length = 0, len(data)
    if length >= 32:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while position <= length - 32:
            lanes = [
                _round(lane, w) for lane, w in zip(lanes, _words(data, position, 4), strict=True)
            ]
            position += 32
        digest = (
            sum(_rotated(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        )
        for lane in lanes:
            digest = ((digest ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        digest = _P5
    digest = _tail(data[position:], (digest + length) & _MASK)
    digest = (digest ^ (digest >> 33)) * _P2 & _MASK
    digest = (digest ^ (digest >> 29)) * _P3 & _MASK
    return digest ^ (digest >> 32)


def _tail(rest: bytes, digest: int) -> int:
    whole = len(rest) // 8
    for word in _words(rest, 0, whole):
        digest = (_rotated(digest ^ _round(0, word), 27) * _P1 + _P4) & _MASK
    rest = rest[8 * whole :]
    if len(rest) >= 4:
        digest = (
            _rotated(digest ^ (_words(rest, 0, 1, 4)[0] * _P1 & _MASK), 23) * _P2 + _P3
        ) & _MASK
        rest = rest[4:]
    for byte in rest:
        digest = _rotated(digest ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    return digest


def label_hash(labels: Labels) -> int:
    """Hash a label set: names and values in order of the names, each with its length before it."""
    encoded = bytearray()
    for name in sorted(labels):
        for text in (name, labels[name]):
            raw = text.encode(errors="surrogateescape")
            encoded += _length(len(raw)) + raw
    return xxhash64(bytes(encoded))


def _length(size: int) -> bytes:
    """Prometheus' string labels: one byte below 255, else 255 and three bytes, low first."""
    return bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")

"""XOR chunks written and read one bit after the other: slow, short, and the judge of the decoder."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_TIME_WIDTHS = ((0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20))


class BitWriter:
    """A growing string of bits."""

    def __init__(self) -> None:
        self.bits: list[str] = []

    def add(self, value: int, width: int) -> None:
        """Append the lowest `width` bits of a number."""
        self.bits.append(format(value & ((1 << width) - 1), f"0{width}b"))

    def add_varint(self, value: int) -> None:
        """Append an unsigned number, seven bits a byte."""
        while value > 0x7F:
            self.add(value & 0x7F | 0x80, 8)
            value >>= 7
        self.add(value, 8)

    def to_bytes(self) -> bytes:
        """Give the bits, filled up with zeros to whole bytes."""
        text = "".join(self.bits)
        text += "0" * (-len(text) % 8)
        return int(text or "0", 2).to_bytes(len(text) // 8, "big")


def encode(samples: Sequence[tuple[int, int]]) -> bytes:
    """Write a chunk of samples, each a time and the 64 bits of a value."""
    out = BitWriter()
    out.add(len(samples), 16)
    time = delta = bits = 0
    leading = trailing = -1
    for number, (t, v) in enumerate(samples):
        if number == 0:
            out.add_varint((t << 1) ^ (t >> 63))
            out.add(v, 64)
        else:
            _add_time(out, number, t - time, delta)
            leading, trailing = _add_value(out, v ^ bits, leading, trailing)
            delta = t - time
        time, bits = t, v
    return out.to_bytes()


def _add_time(out: BitWriter, number: int, delta: int, before: int) -> None:
    change = delta - before
    if number == 1:
        out.add_varint(delta)
    elif change == 0:
        out.add(0, 1)
    else:
        for prefix, length, width in _TIME_WIDTHS:
            if -(1 << (width - 1)) < change <= 1 << (width - 1):
                out.add(prefix, length)
                out.add(change, width)
                return
        out.add(0b1111, 4)
        out.add(change, 64)


def _add_value(out: BitWriter, change: int, leading: int, trailing: int) -> tuple[int, int]:
    if change == 0:
        out.add(0, 1)
        return leading, trailing
    now_leading = min(64 - change.bit_length(), 31)
    now_trailing = (change & -change).bit_length() - 1
    if leading >= 0 and now_leading >= leading and now_trailing >= trailing:
        out.add(0b10, 2)
        out.add(change >> trailing, 64 - leading - trailing)
        return leading, trailing
    width = 64 - now_leading - now_trailing
    out.add(0b11, 2)
    out.add(now_leading, 5)
    out.add(width & 63, 6)
    out.add(change >> now_trailing, width)
    return now_leading, now_trailing


class BitReader:
    """Reads a string of bits from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(format(byte, "08b") for byte in data)
        self.at = 0

    def take(self, width: int) -> int:
        """Read a number of so many bits."""
        self.at += width
        return int(self.text[self.at - width : self.at] or "0", 2)

    def take_varint(self) -> int:
        """Read an unsigned number, seven bits a byte."""
        value = shift = 0
        while True:
            byte = self.take(8)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def decode(data: bytes) -> list[tuple[int, int]]:
    """Read a chunk: each sample's time and the 64 bits of its value."""
    reader = BitReader(data)
    count = reader.take(16)
    samples: list[tuple[int, int]] = []
    time = delta = bits = leading = trailing = 0
    for number in range(count):
        if number == 0:
            zigzag = reader.take_varint()
            time = (zigzag >> 1) ^ -(zigzag & 1)
            bits = reader.take(64)
        else:
            delta = reader.take_varint() if number == 1 else delta + _take_change(reader)
            time += delta
            if reader.take(1):
                if reader.take(1):
                    leading = reader.take(5)
                    trailing = 64 - leading - (reader.take(6) or 64)
                bits ^= reader.take(64 - leading - trailing) << trailing
        samples.append((time, bits))
    return samples


def _take_change(reader: BitReader) -> int:
    ones = 0
    while ones < 4 and reader.take(1):
        ones += 1
    if ones == 0:
        return 0
    if ones == 4:
        (signed,) = struct.unpack(">q", reader.take(64).to_bytes(8, "big"))
        return signed
    width = _TIME_WIDTHS[ones - 1][2]
    change = reader.take(width)
    return change - (1 << width) if change > 1 << (width - 1) else change

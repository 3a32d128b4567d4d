r"""A block of exposition text → which series stand on its lines, as columns of codes.

The block is cut behind every quote and newline, which leaves for each line ``up{job="``, ``api"``,
``,instance="``, ``a:1"``, ``} 1\n``. Arrow numbers the pieces so that equal ones have one code, and
lines with the same keys (every second piece but the last) become the rows of one matrix. Text is
looked at once for each distinct piece, not once for each line.

Only lines in the usual form go this way: names without quotes, a plain number, at most two labels
on an exemplar. All others are handed back, for the reader that knows every form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from workbench.exposition.byte_blocks import Block
from workbench.exposition.series_text import unescape
from workbench.inventory.table import Codes
from workbench.samples import Floats, Ints

__all__ = ["Rows", "ScannedBlock", "Template", "scan_block"]

_QUOTE, _NEWLINE, _HASH, _BACKSLASH = 34, 10, 35, 92
_MOST_PIECES: Final = 1001
"""Lines with more than five hundred labels are no usual lines."""

_FIRST: Final = re.compile(
    rb'([a-zA-Z_:][a-zA-Z0-9_:]*)\{[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"'
)
_NEXT: Final = re.compile(rb'[ \t]*,[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"')
_NUMBER: Final = r"(?:[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|Inf)|NaN)"
_TIME: Final = r"(?P<time>[0-9]{1,13}(?:\.[0-9]{1,9})?)"
_EXEMPLAR: Final = r'[ \t]+#[ \t]*\{[ \t]*(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"'
_CLOSE: Final = rf"^[ \t]*,?[ \t]*\}}[ \t]*{_NUMBER}"
_TAIL: Final = rf"{_CLOSE}(?:[ \t]*\n|{_EXEMPLAR})$"
_TIMED_TAIL: Final = rf"{_CLOSE}[ \t]+{_TIME}(?:[ \t]*\n|{_EXEMPLAR})$"
_OPENS_EXEMPLAR: Final = rf"{_CLOSE}(?:[ \t]+{_TIME})?{_EXEMPLAR}$"
_ENDS_EXEMPLAR: Final = rf"{_CLOSE}(?:[ \t]+{_NUMBER})?[ \t]*\n$"

Places = np.ndarray[Any, np.dtype[np.intp]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Template = tuple[str, tuple[str, ...]]
"""A metric's name, and the names of its labels in the order of the text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Lines of one metric with the same labels in the same order.

    Parameters
    ----------
    template
        The metric and the labels' names.
    codes
        int32, shape (labels, lines): places in `ScannedBlock.values`.
    lines
        int64, shape (lines,): where each stands in the block, from 0.
    times
        float64, shape (lines,): timestamps as written, NaN where there is none; None where no
        line has one.
    """

    template: Template
    codes: Codes
    lines: Ints
    times: Floats | None = None


@dataclass(frozen=True, slots=True)
class ScannedBlock:
    """What one block says.

    Parameters
    ----------
    line_count
        How many lines it has.
    values
        Distinct label values.
    rows
        The usual lines.
    others
        All other lines that are not empty: place in the block, from 0, and text.
    rejected
        Lines that could not be read at all.
    """

    line_count: int
    values: list[str] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)
    rejected: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """A block in pieces.

    Parameters
    ----------
    codes
        int32, shape (pieces,): equal where the text of pieces is.
    texts
        The distinct pieces, a pyarrow array.
    first, last
        Shape (lines,): each line's first and last piece.
    tail
        Shape (lines,): the piece with the value; the last one where there is no exemplar.
    begin
        Shape (lines + 1,): where each line begins in the text.
    kinds
        uint8, shape (lines,): each line's first byte.
    """

    codes: Codes
    texts: Any
    first: Places
    last: Places
    tail: Places
    begin: Places
    kinds: np.ndarray[Any, np.dtype[np.uint8]]


def scan_block(block: Block) -> ScannedBlock:
    r"""Read a block of whole lines.

    Examples
    --------
    >>> scanned = scan_block(Block(b'up{job="api"} 1\nup{job="db"} 0\nup 1\n'))
    >>> scanned.rows[0].template, scanned.rows[0].codes.tolist(), sorted(scanned.values)
    (('up', ('job',)), [[0, 1]], ['api', 'db'])
    >>> scanned.others
    [(2, 'up 1')]
    """
    text, rejected = _readable(block)
    cut = _cut(text)
    if b"# {" in text or b"#{" in text:
        _cut_exemplars(cut)
    pieces = cut.tail - cut.first + 1
    usual = (pieces % 2 == 1) & (pieces >= 3) & (pieces <= _MOST_PIECES) & (cut.kinds != _HASH)
    times = _read_tails(cut, usual)
    rows, values = _rows(cut, usual, pieces, times)
    if b"\\" in text:
        values = [unescape(value) for value in values]
    rest = np.flatnonzero(~usual & (cut.kinds != _NEWLINE)).tolist()
    begin = cut.begin
    others = [(i, text[begin[i] : begin[i + 1] - 1].decode()) for i in rest]
    return ScannedBlock(len(cut.first), values, rows, others, rejected)


def lines_of(block: Block) -> ScannedBlock:
    r"""Read nothing as columns: every line is one of the others.

    Examples
    --------
    >>> lines_of(Block(b'up{job="api"} 1\n\nup 1\n')).others
    [(0, 'up{job="api"} 1'), (2, 'up 1')]
    """
    text, rejected = _readable(block)
    lines = text.decode().split("\n")[:-1]
    others = [(i, line) for i, line in enumerate(lines) if line]
    return ScannedBlock(len(lines), others=others, rejected=rejected)


def _readable(block: Block) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """The text without carriage returns at line ends, and with lines that are no UTF-8 emptied."""
    text = block.text.replace(b"\r\n", b"\n") if b"\r" in block.text else block.text
    if text.isascii():
        return text, block.rejected
    try:
        text.decode()
    except UnicodeDecodeError:
        lines, rejected = text.split(b"\n"), list(block.rejected)
        for i, line in enumerate(lines):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                rejected.append((i, f"byte {error.start + 1} of the line is not UTF-8"))
                lines[i] = b""
        return b"\n".join(lines), tuple(rejected)
    return text, block.rejected


class _Texts:
    """What codes mean, fetched many at once."""

    def __init__(self, texts: Any) -> None:
        self._texts = texts
        self.known: dict[int, bytes] = {}

    def of(self, codes: Places) -> list[bytes]:
        """The texts of some codes."""
        texts: list[bytes] = self._texts.take(_arrow(codes)).to_pylist()
        return texts

    def learn(self, codes: set[int]) -> None:
        """Fetch those that are not known yet."""
        new = sorted(codes - self.known.keys())
        self.known.update(zip(new, self.of(np.array(new, np.intp)), strict=True))


def _cut_exemplars(cut: _Cut) -> None:
    """Let lines end in front of an exemplar of one or two labels, where it is a right one."""
    import pyarrow.compute as pc

    found = pc.extract_regex(cut.texts, _OPENS_EXEMPLAR)
    opens = _booleans(found.is_valid())
    at = np.flatnonzero(opens[cut.codes])
    line = np.searchsorted(cut.first, at, side="right") - 1
    outside = ((at - cut.first[line]) % 2 == 0) & (at > cut.first[line])
    # The first one of a line counts: a second one makes the line an unusual one below.
    line, first = np.unique(line[outside], return_index=True)
    at = at[outside][first]
    ends = _booleans(pc.match_substring_regex(cut.texts, _ENDS_EXEMPLAR))
    more = cut.last[line] - at
    labels = {b"__name__": 0}
    name_of = np.zeros(len(cut.texts), np.int64)
    opening = np.flatnonzero(opens)
    written = pc.struct_field(found.take(_arrow(opening)), "label").to_pylist()
    name_of[opening] = [labels.setdefault(name, len(labels)) for name in written]
    second = np.full(len(at), -1)
    two = np.flatnonzero(more == 4)
    texts = _Texts(cut.texts)
    next_codes = np.unique(cut.codes[at[two] + 2])
    next_names = np.zeros(len(cut.texts), np.int64)
    for code, text in zip(next_codes.tolist(), texts.of(next_codes), strict=True):
        match = _NEXT.fullmatch(text)
        next_names[code] = labels.setdefault(match[1], len(labels)) if match else 0
    second[two] = next_names[cut.codes[at[two] + 2]]
    names = name_of[cut.codes[at]]
    good = ends[cut.codes[cut.last[line]]] & (names > 0) & (names != second) & (second != 0)
    good &= (more == 2) | (more == 4)
    cut.tail[line[good]] = at[good]


def _cut(text: bytes) -> _Cut:
    import pyarrow as pa

    data = np.frombuffer(text, np.uint8)
    mask = data == _QUOTE
    np.logical_or(mask, data == _NEWLINE, out=mask)
    if b'\\"' in text:
        mask &= ~_escaped(data)
    ends = np.flatnonzero(mask)
    offsets = np.zeros(len(ends) + 1, np.int32)
    np.add(ends, 1, out=offsets[1:], casting="unsafe")
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    encoded = pa.Array.from_buffers(pa.binary(), len(ends), buffers).dictionary_encode()
    last = np.flatnonzero(data[ends] == _NEWLINE)
    first = np.concatenate([[0], last[:-1] + 1])
    begin = np.concatenate([offsets[first], offsets[-1:]]).astype(np.intp)
    codes: Codes = np.frombuffer(encoded.indices.buffers()[1], np.int32)[: len(ends)]
    return _Cut(codes, encoded.dictionary, first, last, last.copy(), begin, data[begin[:-1]])


def _arrow(places: np.ndarray[Any, Any]) -> Any:
    """Places as an Arrow column; handed over as numpy's, Arrow would import pandas."""
    import pyarrow as pa

    whole = np.ascontiguousarray(places, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])


def _booleans(array: Any) -> Mask:
    """An Arrow column of truths as numpy's; Arrow's own way imports pandas, a fifth of a second."""
    bits = np.frombuffer(array.buffers()[1], np.uint8)
    whole = np.unpackbits(bits, count=array.offset + len(array), bitorder="little")
    return whole[array.offset :].astype(np.bool_)


def _escaped(data: np.ndarray[Any, np.dtype[np.uint8]]) -> Mask:
    """Which bytes stand behind an odd number of backslashes."""
    slashes = np.flatnonzero(data == _BACKSLASH)
    place = np.arange(len(slashes))
    begins = np.concatenate([[True], np.diff(slashes) != 1])
    before = place - np.maximum.accumulate(np.where(begins, place, 0))
    mask = np.zeros(len(data), np.bool_)
    mask[slashes[before % 2 == 0] + 1] = True  # a newline is the last byte
    mask &= data != _NEWLINE
    return mask


def _read_tails(cut: _Cut, usual: Mask) -> Floats | None:
    """Strike lines off `usual` that do not end in a plain number; give timestamps, by line."""
    import pyarrow.compute as pc

    tails = cut.codes[cut.tail]
    good = np.zeros(len(cut.texts), np.bool_)
    good[tails[usual]] = True
    places = np.flatnonzero(good)
    texts = cut.texts.take(_arrow(places))
    plain = _booleans(pc.match_substring_regex(texts, _TAIL))
    good[places] = plain
    times: Floats | None = None
    if not plain.all():
        left = places[~plain]
        found = pc.extract_regex(cut.texts.take(_arrow(left)), _TIMED_TAIL)
        timed = _booleans(found.is_valid())
        if timed.any():
            good[left] = timed
            time_of = np.full(len(cut.texts), np.nan)
            written = pc.struct_field(found.take(_arrow(np.flatnonzero(timed))), "time").cast(
                "string"
            )
            time_of[left[timed]] = np.array(written.cast("float64").to_pylist())
            times = time_of[tails]
    usual &= good[tails]
    return times


def _rows(
    cut: _Cut, usual: Mask, pieces: Places, times: Floats | None
) -> tuple[list[Rows], list[str]]:
    """Lines of usual form by template; strikes those off `usual` that have none."""
    names: dict[tuple[int, ...], Template | None] = {}
    texts = _Texts(cut.texts)
    rows: list[Rows] = []
    seen = np.zeros(len(cut.texts), np.bool_)
    for count in np.unique(pieces[usual]).tolist():
        lines = np.flatnonzero(usual & (pieces == count))
        matrix = _matrix(cut, lines, count)
        keys = matrix[:, :-1:2]
        for template, chosen in _templates(keys, texts, names):
            if template is None:
                usual[lines[chosen]] = False
                continue
            codes = np.ascontiguousarray(matrix[chosen, 1::2].T)
            seen[codes] = True
            at = lines[chosen]
            rows.append(Rows(template, codes, at, None if times is None else times[at]))
    places = np.flatnonzero(seen)
    place_of = np.empty(len(seen), np.int32)
    place_of[places] = np.arange(len(places), dtype=np.int32)
    values = [text[:-1].decode() for text in texts.of(places)]
    return [replace(r, codes=place_of[r.codes]) for r in rows], values


def _matrix(cut: _Cut, lines: Places, count: int) -> Codes:
    """The codes of lines that all have `count` pieces, shape (lines, count)."""
    breaks = np.flatnonzero(np.diff(lines) != 1) + 1
    if len(breaks) * 100 > len(lines) or (cut.tail != cut.last)[lines].any():
        scattered: Codes = cut.codes[cut.first[lines][:, None] + np.arange(count)]
        return scattered
    starts = cut.first[lines[np.concatenate([[0], breaks])]]
    stops = cut.last[lines[np.concatenate([breaks, [len(lines)]]) - 1]] + 1
    runs = [cut.codes[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]
    whole: Codes = runs[0] if len(runs) == 1 else np.concatenate(runs)
    return whole.reshape(-1, count)


def _templates(
    keys: Codes, texts: _Texts, names: dict[tuple[int, ...], Template | None]
) -> Iterator[tuple[Template | None, Places | slice]]:
    """The templates of some lines, each with the lines that have it.

    Parameters
    ----------
    keys
        Shape (lines, labels): codes of what stands before each value.
    texts
        What the codes mean.
    names
        The templates known so far, by their codes; new ones are entered.
    """
    changed = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    starts = np.concatenate([[0], changed])
    parts: dict[tuple[int, ...], list[int]] = {}
    for i, key in enumerate(map(tuple, keys[starts].tolist())):
        parts.setdefault(key, []).append(i)
    ends = np.concatenate([changed, [len(keys)]])
    texts.learn({code for key in parts if key not in names for code in key})
    for key, runs in parts.items():
        if key not in names:
            names[key] = _template([texts.known[code] for code in key])
        if len(runs) == 1:
            yield names[key], slice(int(starts[runs[0]]), int(ends[runs[0]]))
        else:
            spans = [np.arange(starts[i], ends[i]) for i in runs]
            yield names[key], np.concatenate(spans)


def _template(keys: list[bytes]) -> Template | None:
    """What the texts before the values say; None where they are not of the usual form."""
    first = _FIRST.fullmatch(keys[0])
    rest = [_NEXT.fullmatch(key) for key in keys[1:]]
    if first is None or None in rest:
        return None
    labels = tuple(m[1].decode() for m in rest if m is not None)
    labels = (first[2].decode(), *labels)
    if len({"__name__", *labels}) <= len(labels):
        return None
    return first[1].decode(), labels

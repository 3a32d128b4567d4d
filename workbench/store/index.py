"""Which series meet a selector: label matchers evaluated on distinct values, not on series.

The rules are PromQL's: a series that lacks a label has it as ``""``; regular expressions are
RE2's, anchored at both ends, and their dot matches a newline. RE2 itself (through Arrow) does
the matching, so that no pattern can take exponential time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.promql.regex import compile_regex
from workbench.samples import Ints, Labels
from workbench.store.columns import as_arrow, as_numpy

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LabelIndex"]


@dataclass(frozen=True, slots=True)
class _Posting:
    """Who has one label: `series` (ascending) and, beside each, the code of its value."""

    series: Ints
    codes: Ints
    code_of: Mapping[str, int]


class LabelIndex:
    """The labels of many series by label, value and series.

    Parameters
    ----------
    size
        How many series there are.
    postings
        For each label who has it, with which value.

    Examples
    --------
    >>> index = LabelIndex.of([{"job": "a"}, {"job": "b"}, {}])
    >>> index.select([Matcher("job", "!=", "a")]).tolist()
    [1, 2]
    """

    def __init__(self, size: int, postings: Mapping[str, _Posting]) -> None:
        self._size = size
        self._postings = postings

    @classmethod
    def of(cls, labels: Sequence[Labels]) -> LabelIndex:
        """Index label sets; series are known by their place in the sequence."""
        columns: dict[str, tuple[list[int], list[int], dict[str, int]]] = {}
        for number, names in enumerate(labels):
            for name, value in names.items():
                if value != "":
                    series, codes, code_of = columns.setdefault(name, ([], [], {}))
                    series.append(number)
                    codes.append(code_of.setdefault(value, len(code_of)))
        return cls(
            len(labels),
            {
                name: _Posting(np.array(series, np.int64), np.array(codes, np.int64), code_of)
                for name, (series, codes, code_of) in columns.items()
            },
        )

    @classmethod
    def of_arrow(cls, labels: pa.MapArray) -> LabelIndex:
        """Index a map column, one map of label to value a series, without Python loops over it."""
        offsets = as_numpy(labels.offsets)
        series = np.repeat(np.arange(len(labels), dtype=np.int64), np.diff(offsets))
        names = labels.keys.dictionary_encode()
        name_codes = as_numpy(names.indices)
        order = np.argsort(name_codes, kind="stable")
        ends = np.cumsum(np.bincount(name_codes, minlength=len(names.dictionary)))
        postings = {}
        for name, rows in zip(
            names.dictionary.to_pylist(), np.split(order, ends)[:-1], strict=True
        ):
            values = labels.items.take(as_arrow(rows)).dictionary_encode()
            code_of = {value: code for code, value in enumerate(values.dictionary.to_pylist())}
            codes = as_numpy(values.indices).astype(np.int64)
            postings[name] = _Posting(series[rows], codes, code_of)
        return cls(len(labels), postings)

    def select(self, matchers: Sequence[Matcher]) -> Ints:
        """Numbers of the series that meet every matcher, ascending.

        Raises
        ------
        QueryError
            A regular expression is not one of RE2's.
        """
        met = np.ones(self._size, dtype=bool)
        for matcher in matchers:
            met &= self._met_by(matcher)
        return np.flatnonzero(met)

    def _met_by(self, matcher: Matcher) -> Bools:
        posting = self._postings.get(matcher.name, _NOBODY)
        if matcher.op in ("=", "!="):
            hits = posting.codes == posting.code_of.get(matcher.value, -1)
            absent_hits = matcher.value == ""
        else:
            by_value = compile_regex(matcher.value).matches(["", *posting.code_of])
            hits = by_value[1:][posting.codes]
            absent_hits = bool(by_value[0])
        met = np.full(self._size, absent_hits)
        met[posting.series] = hits
        return met if matcher.op in ("=", "=~") else ~met


_NOBODY: Final = _Posting(np.zeros(0, np.int64), np.zeros(0, np.int64), {})

"""Which series meet a selector: label matchers evaluated on distinct values, not on series.

The rules are PromQL's: a series that lacks a label has it as ``""``; regular expressions are
RE2's, anchored at both ends, and their dot matches a newline. RE2 itself (through Arrow) does
the matching, so that no pattern can take exponential time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import QueryError
from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.samples import Ints, Labels

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LabelIndex", "regex_hits"]

_LITERALS: Final = re.compile(r"[^\\.+*?()\[\]{}^$]*")
"""A pattern whose only operator is ``|``: a set of values, which needs no regular expression."""


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
        offsets = labels.offsets.to_numpy()
        series = np.repeat(np.arange(len(labels), dtype=np.int64), np.diff(offsets))
        names = labels.keys.dictionary_encode()
        name_codes = names.indices.to_numpy()
        order = np.argsort(name_codes, kind="stable")
        ends = np.cumsum(np.bincount(name_codes, minlength=len(names.dictionary)))
        postings = {}
        for name, rows in zip(
            names.dictionary.to_pylist(), np.split(order, ends)[:-1], strict=True
        ):
            values = labels.items.take(rows).dictionary_encode()
            code_of = {value: code for code, value in enumerate(values.dictionary.to_pylist())}
            codes = values.indices.to_numpy().astype(np.int64)
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
            by_value = regex_hits(matcher.value, ["", *posting.code_of])
            hits = by_value[1:][posting.codes]
            absent_hits = bool(by_value[0])
        met = np.full(self._size, absent_hits)
        met[posting.series] = hits
        return met if matcher.op in ("=", "=~") else ~met


_NOBODY: Final = _Posting(np.zeros(0, np.int64), np.zeros(0, np.int64), {})


def regex_hits(pattern: str, values: Sequence[str]) -> Bools:
    """Tell which values a PromQL regular expression matches from end to end.

    Parameters
    ----------
    pattern
        RE2 syntax; the dot matches newlines too.
    values
        What to look at; a value that is not valid Unicode is seen with ``?`` in its bad places.

    Returns
    -------
    ndarray
        bool, shape (values,).

    Raises
    ------
    QueryError
        The pattern is not one of RE2's, or too large for it.

    Examples
    --------
    >>> regex_hits("(?i)a.", ["ab", "AB", "abc"]).tolist()
    [True, True, False]
    """
    if _LITERALS.fullmatch(pattern):
        wanted = set(pattern.split("|"))
        return np.fromiter((value in wanted for value in values), bool, len(values))
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        column = pa.array(values, pa.large_string())
    except UnicodeEncodeError:
        column = pa.array([v.encode(errors="replace").decode() for v in values], pa.large_string())
    try:
        hits = pc.match_substring_regex(column, f"^(?s:{pattern})$")
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        reason = str(error).splitlines()[0].removeprefix("Invalid regular expression: ")
        msg = f"{pattern!r} is not a regular expression ({reason})"
        raise QueryError(
            msg, "write it in RE2's syntax: no look-around, no back-references"
        ) from None
    return np.asarray(hits.to_numpy(zero_copy_only=False), dtype=bool)

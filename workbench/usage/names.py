"""Which queries read a metric of a given name: exact names by lookup, patterns by RE2 on all names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from workbench.usage.query import Query
from workbench.usage.reading import Certainty, Reading, accepts

__all__ = ["NameIndex"]

Found = tuple[Query, Certainty, tuple[Reading, ...]]


class NameIndex:
    """The selectors of many queries, by the metric's name.

    Parameters
    ----------
    queries
        The queries.
    """

    def __init__(self, queries: Iterable[Query]) -> None:
        self._exact: dict[str, list[tuple[Query, Reading]]] = {}
        self._open: list[tuple[Query, Reading]] = []
        self._words: dict[str, list[Query]] = {}
        self.listings: list[tuple[Query, Reading]] = []
        for query in queries:
            for word in query.words:
                self._words.setdefault(word, []).append(query)
            for read in query.reads:
                if read.index_only:
                    self.listings.append((query, read))
                elif read.metric:
                    self._exact.setdefault(read.metric, []).append((query, read))
                else:
                    self._open.append((query, read))

    def lookup(self, names: Sequence[str]) -> dict[str, list[Found]]:
        """For each name the queries that read it, with the certainty and the selectors that do."""
        matched = [_matches(read, names) for _, read in self._open]
        result: dict[str, list[Found]] = {}
        for i, name in enumerate(names):
            pairs = [p for p in self._exact.get(name, ()) if _matches(p[1], (name,))[0]]
            pairs += [pair for pair, hits in zip(self._open, matched, strict=True) if bool(hits[i])]
            result[name] = self._gathered(name, pairs)
        return result

    def _gathered(self, name: str, pairs: list[tuple[Query, Reading]]) -> list[Found]:
        by_query: dict[int, tuple[Query, list[Reading]]] = {}
        for query, read in pairs:
            by_query.setdefault(id(query), (query, []))[1].append(read)
        found: list[Found] = [
            (query, max(read.strength for read in reads), tuple(reads))
            for query, reads in by_query.values()
        ]
        found += [(query, Certainty.POSSIBLE, ()) for query in self._words.get(name, ())]
        return found


def _matches(read: Reading, names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    result = np.ones(len(names), bool)
    for condition in read.name_conditions:
        result &= accepts(condition, names)
    return result

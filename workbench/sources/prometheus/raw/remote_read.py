"""Remote-read: the samples as the server keeps them, in packed chunks where it streams them.

https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/

Remote-read is meant for another Prometheus, which is why the server tells its external labels
apart from nothing: it adds them to each series that lacks them, and takes a condition that
demands one of them, or demands that a label be absent, for fulfilled. Neither is part of what the
server holds and what PromQL there shows, so both are undone here. Conditions of equality go as
regular expressions, which the server leaves alone. Which labels are external shows in a few
series that are read by themselves and compared with the series API, which adds nothing. What is
read is then divided by the external pairs that the series have of their own, one query for each
division, so that it is known of every answer which of its labels were added.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from workbench.errors import NotSupportedError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.quote import quote_regex
from workbench.samples import Labels
from workbench.sources.prometheus.raw.frames import Packed, decode, unpack
from workbench.sources.prometheus.raw.protobuf import field_of, snappy_literal
from workbench.sources.prometheus.raw.sampled import Sampled, unpack_sampled
from workbench.sources.prometheus.raw.samples import Raw
from workbench.sources.prometheus.transport import Transport

__all__ = ["RemoteRead", "request"]

Window = tuple[int, int]
"""First and last moment, both included, in milliseconds since the epoch."""

Lister = Callable[[Sequence[str], int, int], Sequence[Labels]]
"""Gives the label sets of the series that meet selectors: the `series` of a source."""

_HEADERS: Final = {
    "Accept": "application/x-streamed-protobuf",
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Read-Version": "0.1.0",
}
_STREAMED: Final = "application/x-streamed-protobuf"
_SAMPLED: Final = "application/x-protobuf"
_STREAMED_XOR_CHUNKS: Final = 1
_KINDS: Final = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_PROBES: Final = 20
"""Series read together to find external labels."""


def request(queries: Iterable[Sequence[Matcher]], window: Window) -> bytes:
    """Write a ``ReadRequest`` that accepts streamed chunks, as a snappy block."""
    message = b"".join(field_of(1, _query(matchers, window)) for matchers in queries)
    return snappy_literal(message + field_of(2, _STREAMED_XOR_CHUNKS))


def _query(matchers: Iterable[Matcher], window: Window) -> bytes:
    out = field_of(1, window[0]) + field_of(2, window[1])
    for matcher in matchers:
        op, value = matcher.op, matcher.value
        if op == "=":
            op, value = "=~", quote_regex(value)
        parts = field_of(1, _KINDS[op]) + field_of(2, matcher.name.encode())
        out += field_of(3, parts + field_of(3, value.encode()))
    return out


class RemoteRead:
    """Reads raw samples of one server; threads may share it.

    Parameters
    ----------
    transport
        The connection.
    list_series
        The series API of the same server.
    """

    def __init__(self, transport: Transport, list_series: Lister) -> None:
        self._transport = transport
        self._list_series = list_series
        self._external = _External()
        self._finding = threading.Lock()

    def read(self, matchers: Sequence[Matcher], window: Window) -> Raw:
        """Read the samples of the series that meet all matchers.

        Raises
        ------
        NotSupportedError
            The server has no remote-read.
        SourceError, QueryError
            It could not answer.
        """
        listed = self._list_series([render_selector(matchers)], *window)
        external = self._find_external(matchers, listed, window)
        own = [{k: v for k, v in external.items() if each.get(k) == v} for each in listed]
        divisions = list({tuple(sorted(each.items())): each for each in [{}, *own]}.values())
        queries = [(*matchers, *_division(external, each)) for each in divisions]
        answer = self._ask(queries, window)
        labels = [
            {k: v for k, v in got.items() if k in divisions[query] or external.get(k) != v}
            for query, got in answer.series
        ]
        if not isinstance(answer, Sampled):
            return decode(answer, labels, window)
        raw = answer.decode(labels, window)
        if (missing := len(listed) - len(raw.series)) <= 0:
            return raw
        # Prometheus 2.40 to 2.42 hold native histograms that they leave out of such answers.
        lack = f"{missing:,} series that are listed have no sample in answers that are not streamed"
        return Raw(raw.series, (*raw.problems, lack))

    def _ask(self, queries: Sequence[Sequence[Matcher]], window: Window) -> Packed | Sampled:
        takers: dict[str, Callable[[Iterator[bytes]], Packed | Sampled]] = {
            _STREAMED: lambda pieces: unpack(_joined(pieces)),
            _SAMPLED: lambda pieces: unpack_sampled(_joined(pieces)),
        }
        answer = self._transport.read("read", request(queries, window), takers, headers=_HEADERS)
        if any(query >= len(queries) for query, _ in answer.series):
            msg = f"{self._transport.name} answers remote-read queries that were not asked"
            raise NotSupportedError(msg, "read its samples in another way")
        return answer

    def _find_external(
        self, matchers: Sequence[Matcher], listed: Sequence[Labels], window: Window
    ) -> dict[str, str]:
        """External labels that any of the listed series may show."""
        every = sorted({name for labels in listed for name in labels})
        tried: set[int] = set()
        with self._finding:
            while probes := self._external.open_to(listed, tried):
                tried.update(probes)
                queries = [
                    (*matchers, *(Matcher(name, "=", listed[i].get(name, "")) for name in every))
                    for i in probes
                ]
                answers = self._ask(queries, window).series
                answered = Counter(query for query, _ in answers)
                for query, got in answers:
                    # Two answers: a series came up since the list was made. Which is it?
                    if answered[query] == 1:
                        self._external.learn(listed[probes[query]], got)
            return dict(self._external.found)


class _External:
    """What is known of the labels that a server adds."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._hidden: frozenset[str] | None = None

    def learn(self, own: Labels, got: Labels) -> None:
        """Compare a series' own labels with what remote-read shows of it.

        It shows all external labels but those whose names it uses itself.
        """
        self._hidden = frozenset(own) if self._hidden is None else self._hidden & own.keys()
        self.found |= {k: v for k, v in got.items() if k not in own}

    def open_to(self, listed: Sequence[Labels], tried: set[int]) -> list[int]:
        """Some series, not tried before, whose reading would show more external labels.

        Where all series use a name themselves, nobody need know whether it is external.
        """
        if self._hidden is None:
            order = sorted(range(len(listed)), key=lambda i: len(listed[i]))
            return [i for i in order if i not in tried][:_PROBES]
        for name in self._hidden:
            lacking = (i for i, labels in enumerate(listed) if name not in labels)
            if left := [i for i in lacking if i not in tried]:
                return left[:_PROBES]
        return []


def _joined(pieces: Iterator[bytes]) -> bytearray:
    body = bytearray()
    for piece in pieces:
        body += piece
    return body


def _division(external: dict[str, str], own: dict[str, str]) -> Iterator[Matcher]:
    """Conditions that only series meet which have these external pairs of their own."""
    for name, value in external.items():
        yield Matcher(name, "=" if name in own else "!=", value)

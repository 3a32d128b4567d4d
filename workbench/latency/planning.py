"""What to ask about latency: buckets over time and whole, who observes what, and where it is slow.

Increases are taken of each series before series are added up, so that a restart of one instance is
no fall of the sum. Over time the grid's own step is the range. For the whole window longer pieces
are asked, since what happens between two ranges is only extrapolated; but of two hours at most,
since a server holds the samples of a whole range in memory, and refuses two weeks of many series.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.latency.instrument import Instrument, Kind
from workbench.promql import Expression, Question
from workbench.units import format_duration
from workbench.window import Window

__all__ = ["MOST_VALUES", "Asked", "default_by", "pieces_of", "questions", "tail_labels"]

_LONGEST_PIECE_MS: Final = 2 * 3_600_000

MOST_VALUES: Final = 60
"""A label of more values is not looked at for where the tail comes from."""

_GROUPING: Final = (
    "route",
    "path",
    "handler",
    "endpoint",
    "uri",
    "http_route",
    "url",
    "operation",
    "grpc_method",
    "rpc_method",
    "model",
    "gen_ai_request_model",
    "method",
    "service",
    "job",
)
"""The names under which clients write what was asked for, the most telling first."""

_MOST_GROUPS: Final = 40

_NEVER_TAIL: Final = frozenset({"__name__", "le", "quantile"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The keys under which the answers about one instrument are found.

    Examples
    --------
    >>> from workbench.latency.instrument import Instrument, Kind
    >>> Asked.of(Instrument("request_seconds", Kind.CLASSIC)).whole
    'request_seconds whole'
    """

    over_time: str
    whole: str
    sums: str
    counts: str
    layouts: str
    resets: str
    tail: str

    @classmethod
    def of(cls, instrument: Instrument) -> Asked:
        """The keys of an instrument."""
        names = ("over time", "whole", "sums", "counts", "layouts", "resets", "tail")
        return cls(*(f"{instrument.key} {name}" for name in names))

    def tail_by(self, label: str) -> str:
        """The key of the question about one label's part in the tail."""
        return f"{self.tail} {label}"


def default_by(values: Mapping[str, int]) -> tuple[str, ...]:
    """Which label tells groups apart where nobody says it: what is asked for, else who answers.

    Parameters
    ----------
    values
        How many values each label of an instrument has.

    Examples
    --------
    >>> default_by({"instance": 40, "path": 6, "job": 1})
    ('path',)
    """
    fit = (name for name in _GROUPING if 2 <= values.get(name, 0) <= _MOST_GROUPS)
    return tuple(fit)[:1]


def tail_labels(values: Mapping[str, int], by: Sequence[str]) -> list[str]:
    """Which labels to look at for where the tail comes from.

    Parameters
    ----------
    values
        How many values each label has.
    by
        The labels that tell the study's groups apart, which are looked at first.
    """
    fit = [n for n, count in values.items() if n not in _NEVER_TAIL and 2 <= count <= MOST_VALUES]
    return sorted(fit, key=lambda n: (n not in by, n))


def questions(
    instruments: Iterable[Instrument],
    window: Window,
    *,
    history_ms: int = 0,
    tails: Mapping[str, Sequence[str]] | None = None,
) -> list[Question]:
    """What to ask for an analysis.

    Parameters
    ----------
    instruments
        What to study, each with the labels that tell its groups apart.
    window
        The range studied; its step is the range of each increase, and should hold four scrapes.
    history_ms
        How far before the window to begin, for comparisons that learn what is usual.
    tails
        Labels by an instrument's key, from `tail_labels`.

    Examples
    --------
    >>> one = Instrument("request_seconds", Kind.CLASSIC, by=("path",))
    >>> for q in questions([one], Window(0, 3_600_000, 300_000))[:2]:
    ...     print(q.expression)
    sum by (le, path) (increase(request_seconds_bucket[5m]))
    sum by (le, path) (increase(request_seconds_bucket[1h]))
    """
    asked: list[Question] = []
    for instrument in instruments:
        labels = (tails or {}).get(instrument.key, ())
        asked.extend(_of(instrument, window, history_ms, labels))
    return asked


def _of(
    instrument: Instrument, window: Window, history_ms: int, tails: Sequence[str]
) -> list[Question]:
    keys, by = Asked.of(instrument), instrument.by
    start_ms = window.start_ms - history_ms // window.step_ms * window.step_ms
    grid = Window(start_ms + window.step_ms, window.end_ms, window.step_ms)
    pieces = pieces_of(window)
    step, piece = format_duration(window.step_ms), format_duration(pieces.step_ms)
    if instrument.kind is Kind.SUMMARY:
        quantiles = Expression(instrument.select())
        return [
            Question(keys.over_time, quantiles.max(by=(*by, "quantile")), grid),
            Question(f"{keys.over_time} least", quantiles.min(by=(*by, "quantile")), grid),
            Question(keys.counts, _increase(instrument, "_count", piece, by), pieces),
            Question(keys.sums, _increase(instrument, "_sum", piece, by), pieces),
        ]
    native = instrument.kind is Kind.NATIVE
    suffix, le = ("", ()) if native else ("_bucket", ("le",))
    asked = [
        Question(keys.over_time, _increase(instrument, suffix, step, (*le, *by)), grid),
        Question(keys.whole, _increase(instrument, suffix, piece, (*le, *by)), pieces),
    ]
    if not native:
        layouts = Expression(instrument.select("_bucket")).count_series(by=(*le, *by))
        asked += [
            Question(keys.sums, _increase(instrument, "_sum", piece, by), pieces),
            Question(keys.layouts, layouts, pieces),
        ]
    resets = Expression(f"resets({instrument.counted}[{piece}])").sum(by=by or None)
    asked.append(Question(keys.resets, resets, pieces))
    for label in tails:
        grouped = tuple(dict.fromkeys((*le, label)))
        asked.append(
            Question(keys.tail_by(label), _increase(instrument, suffix, piece, grouped), pieces)
        )
    return asked


def pieces_of(window: Window) -> Window:
    """The window in equal pieces of whole steps, two hours long at most: each ends at a step.

    Examples
    --------
    >>> print(pieces_of(Window(0, 86_400_000, 900_000)))
    1970-01-01T02:00:00Z to 1970-01-02T00:00:00Z, step 2h
    """
    steps = (window.end_ms - window.start_ms) // window.step_ms
    longest = max(_LONGEST_PIECE_MS // window.step_ms, 1)
    together = max(k for k in range(1, min(longest, max(steps, 1)) + 1) if steps % k == 0)
    piece = together * window.step_ms
    end_ms = window.start_ms + max(steps, 1) * window.step_ms
    return Window(window.start_ms + piece, max(end_ms, window.start_ms + piece), piece)


def _increase(instrument: Instrument, suffix: str, span: str, by: tuple[str, ...]) -> Expression:
    return Expression(f"increase({instrument.select(suffix)}[{span}])").sum(by=by or None)

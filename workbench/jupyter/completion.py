"""What may come next in a PromQL text: metrics, label names, label values, functions.

Pure but for the vocabulary, which asks a source and remembers its answers for a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from workbench.errors import WorkbenchError
from workbench.promql import quote_label, quote_string, selector
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS, KEYWORDS
from workbench.promql.quote import is_bare_metric
from workbench.promql.tokens import Token, open_brackets, tokenize

__all__ = ["Completion", "SourceVocabulary", "Vocabulary", "complete"]

_FRESH_SECONDS: Final = 60.0
_MOST: Final = 500
_LABEL_LISTS: Final = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_COMPARISONS: Final = frozenset(("=", "!=", "=~", "!~"))


class Vocabulary(Protocol):
    """The names that exist."""

    def metrics(self) -> list[str]:
        """Names of metrics."""
        ...

    def labels(self, metric: str) -> list[str]:
        """Label names of one metric, or of all where it is ``""``."""
        ...

    def values(self, label: str, metric: str) -> list[str]:
        """Values of a label, on one metric or on all."""
        ...


@dataclass(frozen=True, slots=True)
class Completion:
    """What may replace the last `length` characters before the cursor.

    Parameters
    ----------
    length
        How much of the text is replaced.
    candidates
        Whole words, in order.
    """

    length: int
    candidates: tuple[str, ...]


def complete(text: str, vocabulary: Vocabulary) -> Completion:
    """Say what may come next.

    Parameters
    ----------
    text
        PromQL up to the cursor.
    vocabulary
        The names that exist.

    Returns
    -------
    Completion
        Only what begins with the word before the cursor.
    """
    tokens = list(tokenize(text))
    last = tokens[-1] if tokens else None
    if last and last.kind == "broken":
        return _values(text, tokens[:-1], last, vocabulary)
    word = last.text if last and last.kind == "word" and last.end == len(text) else ""
    before = tokens[:-1] if word else tokens
    brackets = open_brackets(before)
    inner = brackets[-1] if brackets else None
    if inner and inner.text == "{":
        if before[-1].text not in ("{", ","):
            return Completion(0, ())
        metric = _metric_before(before, inner)
        return _matching(word, [quote_label(n) for n in vocabulary.labels(metric)])
    if inner and inner.text == "(" and _previous(before, inner) in _LABEL_LISTS:
        return _matching(word, [quote_label(n) for n in vocabulary.labels(_metric_of(tokens))])
    if inner and inner.text == "[":
        return Completion(0, ())
    metrics = [n if is_bare_metric(n) else selector(n) for n in vocabulary.metrics()]
    return _matching(word, [*metrics, *AGGREGATIONS, *FUNCTIONS, *KEYWORDS])


def _values(text: str, tokens: list[Token], string: Token, vocabulary: Vocabulary) -> Completion:
    """Values for an open string that stands after a label and its operator."""
    brackets = open_brackets(tokens)
    inside = brackets and brackets[-1].text == "{"
    if not inside or len(tokens) < 2 or tokens[-1].text not in _COMPARISONS:
        return Completion(0, ())
    label = tokens[-2].text.strip("\"'`")
    typed = text[string.start + 1 :]
    found = vocabulary.values(label, _metric_before(tokens, brackets[-1]))
    return _matching(typed, [quote_string(value)[1:-1] for value in found])


def _matching(word: str, names: Iterable[str]) -> Completion:
    found = dict.fromkeys(name for name in names if name.startswith(word))
    return Completion(len(word), tuple(found)[:_MOST])


def _previous(tokens: list[Token], bracket: Token) -> str:
    position = tokens.index(bracket)
    return tokens[position - 1].text if position else ""


def _metric_before(tokens: list[Token], brace: Token) -> str:
    """The metric whose braces these are: right before them."""
    position = tokens.index(brace)
    if position and tokens[position - 1].kind == "word" and tokens[position - 1].end == brace.start:
        return tokens[position - 1].text
    return ""


def _metric_of(tokens: list[Token]) -> str:
    """The first metric of an expression: a word that nothing else can be."""
    language = {*AGGREGATIONS, *KEYWORDS}
    for i, token in enumerate(tokens[:-1]):
        if token.kind == "word" and token.text not in language and tokens[i + 1].text in ("{", "["):
            return token.text
    return ""


@dataclass(slots=True)
class SourceVocabulary:
    """The names of a source, asked when they are needed and kept for a minute.

    Parameters
    ----------
    names, values_of
        Ask for label names and for the values of one label; each takes selectors.
    """

    names: Callable[..., list[str]]
    values_of: Callable[..., list[str]]
    _known: dict[tuple[str, ...], tuple[float, list[str]]] = field(default_factory=dict)

    def metrics(self) -> list[str]:
        """Names of metrics."""
        return self._remembered(("__name__",), lambda: self.values_of("__name__"))

    def labels(self, metric: str) -> list[str]:
        """Label names of one metric, or of all where it is ``""``."""
        found = self._remembered(("", metric), lambda: self.names(*_selectors(metric)))
        return [name for name in found if name != "__name__"]

    def values(self, label: str, metric: str) -> list[str]:
        """Values of a label, on one metric or on all."""
        key = ("value", label, metric)
        return self._remembered(key, lambda: self.values_of(label, *_selectors(metric)))

    def _remembered(self, key: tuple[str, ...], ask: Callable[[], list[str]]) -> list[str]:
        now = time.monotonic()
        known = self._known.get(key)
        if known is None or now - known[0] > _FRESH_SECONDS:
            try:
                known = (now, ask())
            except WorkbenchError:  # a completion must never disturb who is typing
                known = (now, [])
            self._known[key] = known
        return known[1]


def _selectors(metric: str) -> list[str]:
    return [selector(metric)] if metric else []

"""The function ``info()``: labels of info metrics, such as ``target_info``, on other series.

A series takes the labels of the info series with the same ``instance`` and ``job``, at each step
those of the newest one. Info series are looked up where the first selector of the argument looks:
its ``@`` and offsets apply to them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.labels import NAME
from workbench.engine.selectors import sample_times, vector_selector
from workbench.engine.values import Grid, Value, Vector, merged
from workbench.errors import QueryError
from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.promql.quote import quote_regex
from workbench.promql.regex import compile_regex
from workbench.promql.tree import VectorSelector
from workbench.promql.visit import path_to_selector
from workbench.samples import Ints, Labels, format_labels

__all__ = ["INFO"]

_IDENTIFYING: Final = ("instance", "job")
_DEFAULT: Final = Matcher(NAME, "=", "target_info")
_ANY_INFO: Final = Matcher(NAME, "=~", ".+_info")

_Key = tuple[str, ...]


def _info(call: Call) -> Value:
    base = call.vector(0)
    conditions = _conditions(call)
    named = tuple(m for m in conditions if m.name == NAME)
    wanted = tuple(m for m in conditions if m.name != NAME)
    itself = [_is_info(call, labels, named) for labels in base.labels]
    others = [labels for labels, is_info in zip(base.labels, itself, strict=True) if not is_info]
    infos = _Infos.of(call, others, (*_sources(named), *wanted))
    keeps = all(_meets(m, "") for m in wanted)
    rows: list[int] = []
    labels: list[Labels] = []
    masks: list[Bools] = []
    for row, mine in enumerate(base.labels):
        whole = [(mine, base.present[row])]
        only = {m.name for m in wanted}
        parts = whole if itself[row] else infos.enriched(mine, base.present[row], only, keeps=keeps)
        for label_set, mask in parts:
            rows.append(row)
            labels.append(label_set)
            masks.append(mask)
    found = base.take(np.array(rows, np.int64))
    found.labels = labels
    found.present = np.array(masks, bool).reshape(len(rows), len(call.grid))
    return merged(found)


def _conditions(call: Call) -> tuple[Matcher, ...]:
    if len(call) < 2:
        return ()
    selector = call.arguments[1]
    if not isinstance(selector, VectorSelector) or not selector.is_plain:
        msg = "the second argument of info() is no plain selector of labels"
        raise QueryError(msg, 'write conditions in braces, such as {version=~".+"}')
    return selector.matchers


def _sources(named: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    """Which metrics give labels: those named; where names are only excluded, any other ``_info``."""
    if not named:
        return (_DEFAULT,)
    return named if any(m.op in ("=", "=~") for m in named) else (*named, _ANY_INFO)


def _is_info(call: Call, labels: Labels, named: tuple[Matcher, ...]) -> bool:
    """Whether a series is an info series itself, and so is left as it is.

    Conditions that only exclude names tell nothing of that.
    """
    wanted = named if len(call) > 1 else (_DEFAULT,)
    return any(m.op in ("=", "=~") for m in wanted) and all(
        _meets(m, labels.get(NAME, "")) for m in wanted
    )


def _meets(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return bool(compile_regex(matcher.value).matches([value])[0]) == (matcher.op == "=~")


def _key(labels: Labels) -> _Key:
    return tuple(labels.get(name, "") for name in _IDENTIFYING)


@dataclass(slots=True)
class _Infos:
    """Info series: when each was last sampled, and which belong to an instance and job.

    Parameters
    ----------
    vector
        Times of the samples that count at each step.
    by_key
        For each instance and job the rows of each info metric.
    """

    vector: Vector
    by_key: dict[_Key, dict[str, list[int]]]

    @classmethod
    def of(cls, call: Call, base: Sequence[Labels], conditions: tuple[Matcher, ...]) -> _Infos:
        """Look up the info series of the base series."""
        identity = _identity(base)
        if not identity:
            return cls(Vector.empty(len(call.grid)), {})
        selector = VectorSelector((*conditions, *identity))
        grid = _moved(call)
        if vector_selector(call.query, selector, grid).native.any():
            msg = "info sample should be float"
            raise QueryError(msg, "name a metric whose value is 1, such as target_info")
        found = sample_times(call.query, selector, grid)
        by_key: dict[_Key, dict[str, list[int]]] = {}
        for row, labels in enumerate(found.labels):
            names = by_key.setdefault(_key(labels), {})
            names.setdefault(labels.get(NAME, ""), []).append(row)
        return cls(found, by_key)

    def enriched(
        self, base: Labels, present: Bools, only: set[str], *, keeps: bool
    ) -> Iterator[tuple[Labels, Bools]]:
        """A series with the labels of its info series: one label set for each run of them.

        Parameters
        ----------
        base, present
            The series' labels, and the steps at which it is there.
        only
            Names of the labels to take; all of them where it is empty.
        keeps
            Whether the series stays at steps without an info series.
        """
        names = self.by_key.get(_key(base), {})
        choices = np.array([self._newest(rows, present) for rows in names.values()], np.int64)
        choices = choices.reshape(len(names), len(present))
        patterns, codes = np.unique(choices[:, present], axis=1, return_inverse=True)
        if not names:
            patterns, codes = np.empty((0, 1), np.int64), np.zeros(int(present.sum()), np.int64)
        for code, pattern in enumerate(patterns.T):
            chosen = pattern[pattern >= 0]
            if len(chosen) or keeps:
                mask = np.zeros(len(present), bool)
                mask[np.flatnonzero(present)[codes.ravel() == code]] = True
                yield self._joined(base, chosen, only), mask

    def _newest(self, rows: list[int], present: Bools) -> Ints:
        """At each step the row sampled last, -1 where none is there."""
        there = self.vector.present[rows]
        times = np.where(there, self.vector.values[rows], -np.inf)
        latest = times.max(axis=0)
        if (((times == latest) & there).sum(axis=0)[present] > 1).any():
            msg = (
                "found duplicate series for info metric: several like "
                f"{format_labels(self.vector.labels[rows[0]])} at one time"
            )
            raise QueryError(msg, "add a condition on a label that tells them apart")
        return np.where(there.any(axis=0), np.array(rows)[times.argmax(axis=0)], -1)

    def _joined(self, base: Labels, rows: Ints, only: set[str]) -> Labels:
        added: dict[str, str] = {}
        for row in rows.tolist():
            for name, value in self.vector.labels[row].items():
                if name == NAME or (only and name not in only):
                    continue
                if added.get(name, value) != value:
                    msg = f"conflicting label: {name}"
                    raise QueryError(msg, "name one info metric, or the labels to take")
                if name not in base:
                    added[name] = value
        return {**base, **added}


def _identity(base: Sequence[Labels]) -> tuple[Matcher, ...]:
    """Conditions that the info series of some series meet."""
    values = {name: {labels.get(name, "") for labels in base} - {""} for name in _IDENTIFYING}
    return tuple(
        Matcher(name, "=~", "|".join(sorted(map(quote_regex, found))))
        for name, found in values.items()
        if found
    )


def _moved(call: Call) -> Grid:
    """The moments at which the first selector of the argument looks."""
    times = call.grid.times_ms
    for node in path_to_selector(call.arguments[0]):
        if node.at is not None:
            times = np.full(len(times), call.grid.fixed(node.at), np.int64)
        times = times - node.offset_ms
    return call.grid.at(times)


INFO: Final[dict[str, Function]] = {"info": _info}
"""The function of info metrics, by name."""

"""Series that an indicator's selectors select: made up from their conditions, for tests of rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from workbench.errors import WorkbenchError
from workbench.promql import Matcher, parse, tree
from workbench.promql.condition import number
from workbench.promql.regex import compile_regex
from workbench.samples import Labels
from workbench.slo.indicator import Availability, Latency, Query
from workbench.slo.objective import Indicator

__all__ = ["Counted", "counted_series"]

_ORDINARY: Final = ("", "x", "200", "2xx", "ok", "other", "get", "404", "500", "1")
_CLASS: Final = re.compile(r"\[(\^?)(\\?.)[^\]]*\]")
_OPTIONAL: Final = re.compile(r"\.\*|(?:\\?.)[?*]")
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter that is made up.

    Parameters
    ----------
    labels
        Its labels, ``__name__`` among them.
    counts
        What it counts: ``all`` events, the ``bad`` or the ``good`` ones.
    """

    labels: Labels
    counts: Literal["all", "bad", "good"]


def counted_series(sli: Indicator) -> tuple[Counted, ...] | None:
    """Make up counters for an indicator, so that all its selectors find what they look for.

    Parameters
    ----------
    sli
        The indicator: counters, a classic histogram, or queries that only add up counters.

    Returns
    -------
    tuple of Counted or None
        None where no such counters can be told from its conditions.

    Examples
    --------
    >>> sli = Availability(total='hits{job="a"}', bad='hits{job="a",code=~"5.."}')
    >>> [(one.labels.get("code", ""), one.counts) for one in counted_series(sli)]
    [('500', 'bad'), ('', 'good')]
    """
    if isinstance(sli, Latency) and not sli.native:
        return _of_histogram(sli)
    total, part, is_bad = _selectors(sli)
    if total is None or part is None:
        return None
    both = _labels((*total, *part))
    if both is not None and both.get("__name__"):
        rest = _outside(total, part)
        if rest is None:
            return None
        kinds: tuple[Literal["bad", "good"], ...] = ("bad", "good") if is_bad else ("good", "bad")
        return Counted(both, kinds[0]), Counted(rest, kinds[1])
    whole, some = _labels(total), _labels(part)
    if whole is None or some is None or _accepted(part, whole) or _accepted(total, some):
        return None
    return Counted(some, "bad" if is_bad else "good"), Counted(whole, "all")


def _of_histogram(sli: Latency) -> tuple[Counted, ...] | None:
    base = _labels((*sli.matchers, Matcher("__name__", "=", sli.family)))
    if base is None:
        return None
    le = number(sli.bound).value.partition("|")[0]
    return (
        Counted({**base, "__name__": f"{sli.family}_bucket", "le": le}, "good"),
        Counted({**base, "__name__": f"{sli.family}_count"}, "all"),
    )


Conditions = tuple[Matcher, ...]


def _selectors(sli: Indicator) -> tuple[Conditions | None, Conditions | None, bool]:
    """The conditions of all events, those of the bad or good ones, and whether these are bad."""
    if isinstance(sli, Availability):
        found = [parse(text) for text in (sli.total, sli.bad or sli.good or "")]
    elif isinstance(sli, Query) and sli.has_counts:
        found = [_counter(parse(text)) for text in (sli.counts_of("total"), sli.counts_of("part"))]
    else:
        return None, None, True
    total, part = (n.matchers if isinstance(n, tree.VectorSelector) else None for n in found)
    return total, part, sli.bad is not None


def _counter(node: tree.Expr) -> tree.Expr:
    """The selector of ``sum(rate(selector[window]))`` and the like; else what it is."""
    while True:
        match node:
            case tree.ParenExpr(inner):
                node = inner
            case tree.AggregateExpr(op="sum"):
                node = node.expr
            case tree.Call(name="rate" | "increase"):
                node = node.args[0]
            case tree.MatrixSelector():
                return node.vector_selector
            case _:
                return node


def _accepts(condition: Matcher, value: str) -> bool:
    if condition.op in ("=", "!="):
        return (condition.value == value) is (condition.op == "=")
    try:
        found = bool(compile_regex(condition.value).matches([value])[0])
    except WorkbenchError:
        return False
    return found is (condition.op == "=~")


def _accepted(conditions: Iterable[Matcher], labels: Labels) -> bool:
    return all(_accepts(m, labels.get(m.name, "")) for m in conditions)


def _labels(conditions: Sequence[Matcher]) -> Labels | None:
    """Labels that meet every condition; None where none are found."""
    labels: dict[str, str] = {}
    for name in sorted({m.name for m in conditions}):
        own = [m for m in conditions if m.name == name]
        value = next((v for v in _values(own) if all(_accepts(m, v) for m in own)), None)
        if value is None or not (_METRIC if name == "__name__" else _LABEL).fullmatch(
            value if name == "__name__" else name
        ):
            return None
        if value:
            labels[name] = value
    return labels if "__name__" in labels else None


def _outside(total: Conditions, part: Conditions) -> Labels | None:
    """Labels that meet the conditions of all events, but not those of a part of them."""
    base = _labels(total)
    if base is None:
        return None
    for condition in part:
        known = [m for m in total if m.name == condition.name]
        for value in (*_values([*known, condition]), *_ORDINARY[1:], ""):
            labels = {**base, condition.name: value}
            if _accepted(total, labels) and not _accepts(condition, value):
                return {k: v for k, v in labels.items() if v}
    return None


def _values(conditions: Iterable[Matcher]) -> list[str]:
    """Values that may meet conditions: those that stand in them, then ordinary ones."""
    exact = [m.value for m in conditions if m.op == "="]
    guessed = [v for m in conditions if m.op == "=~" for v in _examples(m.value)]
    return [*exact, *guessed, *_ORDINARY]


def _examples(pattern: str) -> list[str]:
    """Texts that a simple pattern may match; whether they do is for others to find out."""
    bare = pattern.removeprefix("^").removesuffix("$")
    flat = bare.replace("(?:", "(").replace("(", "").replace(")", "")
    return [_example(one) for text in (flat, bare) for one in text.split("|")]


def _example(pattern: str) -> str:
    text = _CLASS.sub(lambda found: "x" if found[1] else found[2], pattern)
    text = _OPTIONAL.sub("", text.replace(".+", "x").replace("\\d", "0").replace("\\w", "x"))
    text = re.sub(r"(?<!\\)\.", "0", re.sub(r"(?<!\\)\+|\{\d+(,\d*)?\}", "", text))
    return text.replace("\\", "")

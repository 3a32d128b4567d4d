"""One selector of a query, and what the query does with each label of the series it selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Final

from workbench.errors import WorkbenchError
from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.promql.regex import compile_regex
from workbench.usage.labelset import NONE, Labels

__all__ = ["Certainty", "LabelRole", "Reading", "accepts"]

_ANY_NAME: Final = ("a", "Zq_:9_zqx")
"""Two names that nobody has: a pattern that matches both says nothing about a metric."""


class Certainty(IntEnum):
    """How surely a query reads a metric."""

    NO = 0
    POSSIBLE = 1
    """No condition says that this metric is meant, but none rules it out."""
    PATTERN = 2
    """A regular expression on the name matches."""
    CERTAIN = 3
    """It is named."""


class LabelRole(IntEnum):
    """What a query does with a label of a metric, the strongest of several counting."""

    UNUSED = 0
    """Without the label, its series added up, the query gives the same."""
    SEPARATING = 1
    """It does not reach the answer, but keeps apart series that are counted, averaged, compared or
    matched one by one."""
    SHOWN = 2
    """It reaches the answer without being named."""
    REQUIRED = 3
    """It is named: by a matcher, ``by``, ``on``, a legend, a template …"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One selector of a query.

    Parameters
    ----------
    matchers
        Its conditions as far as they are known without a dashboard's variables.
    required
        Labels that are named on the way from the selector to the reader's eye, each to where:
        ``matcher``, ``by``, ``on``, ``legend`` …
    shown
        Labels that reach the answer unnamed.
    apart
        Labels that keep series apart which an operation on the way takes one by one, and that
        operation: ``count``, ``>`` …
    vague
        Whether the name's pattern comes from a variable whose values are not known.
    absent
        Whether the query asks if there is any such series (``absent``).
    index_only
        Whether names or values are listed and no sample is read: ``label_values(job)``.
    """

    matchers: tuple[Matcher, ...]
    required: Mapping[str, str] = field(default_factory=dict)
    shown: Labels = NONE
    apart: tuple[tuple[Labels, str], ...] = ()
    vague: bool = False
    absent: bool = False
    index_only: bool = False

    @property
    def metric(self) -> str:
        """The metric where it is told exactly, else ``""``."""
        return next((m.value for m in self.name_conditions if m.op == "="), "")

    @property
    def name_conditions(self) -> tuple[Matcher, ...]:
        """What it asks of the metric's name."""
        return tuple(m for m in self.matchers if m.name == "__name__")

    @property
    def strength(self) -> Certainty:
        """How surely a metric is meant that the name's conditions accept."""
        ops = {m.op for m in self.name_conditions}
        if "=" in ops:
            return Certainty.CERTAIN
        telling = any(m.op == "=~" and not _matches_any(m.value) for m in self.name_conditions)
        return Certainty.PATTERN if telling and not self.vague else Certainty.POSSIBLE

    def role(self, label: str) -> LabelRole:
        """What it does with a label."""
        if label in self.required:
            return LabelRole.REQUIRED
        if label in self.shown:
            return LabelRole.SHOWN
        separates = any(label in labels for labels, _ in self.apart)
        return LabelRole.SEPARATING if separates else LabelRole.UNUSED

    def reason(self, label: str) -> str:
        """Where the label is named, or why it counts all the same."""
        match self.role(label):
            case LabelRole.REQUIRED:
                return self.required[label]
            case LabelRole.SHOWN:
                return "output"
            case LabelRole.SEPARATING:
                return next(why for labels, why in self.apart if label in labels)
            case _:
                return ""


def accepts(matcher: Matcher, values: Sequence[str]) -> Bools:
    """Which values a condition accepts; bool, shape (values,). A broken pattern accepts all."""
    import numpy as np

    if matcher.op in ("=", "!="):
        equal = np.fromiter((v == matcher.value for v in values), bool, len(values))
        return equal if matcher.op == "=" else ~equal
    try:
        found = compile_regex(matcher.value).matches(values)
    except WorkbenchError:
        return np.ones(len(values), bool)
    return found if matcher.op == "=~" else ~found


@lru_cache(maxsize=1024)
def _matches_any(pattern: str) -> bool:
    return bool(accepts(Matcher("__name__", "=~", pattern), _ANY_NAME).all())

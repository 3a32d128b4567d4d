"""The lint's rules: their names, by which each can be switched off, and how much each matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workbench.errors import InputError, did_you_mean
from workbench.findings import Severity
from workbench.inventory import Place

__all__ = ["SEVERITIES", "LintProblem", "LintRule", "chosen_rules"]


class LintRule(StrEnum):
    """What is checked. The first nine are those of Prometheus' own lint, ``promlint``."""

    HELP = "help"
    """A family says in a sentence what it counts."""
    METRIC_UNITS = "metric-units"
    """Units in names are base units: seconds, bytes, not milliseconds, megabytes."""
    COUNTER = "counter"
    """Counters end in ``_total``, and only they do."""
    HISTOGRAM_SUMMARY_RESERVED = "histogram-summary-reserved"
    """``_bucket``, ``_count``, ``_sum``, ``le`` and ``quantile`` belong to their types."""
    METRIC_TYPE_IN_NAME = "metric-type-in-name"
    """The type is metadata, not part of the name."""
    RESERVED_CHARS = "reserved-chars"
    """``:`` is for recording rules."""
    CAMEL_CASE = "camel-case"
    """Names of metrics and labels are in snake_case."""
    UNIT_ABBREVIATIONS = "unit-abbreviations"
    """Units are written out."""
    DUPLICATE_METRIC = "duplicate-metric"
    """A series stands once."""
    LABEL_RESERVED = "label-reserved"
    """Label names that begin with ``__`` are Prometheus' own."""
    LABEL_TARGET = "label-target"
    """``job`` and ``instance`` are given by the server (source code only)."""
    LABEL_REPEATS_NAME = "label-repeats-name"
    """The name does not say ``by_path`` where ``path`` is a label, nor the label the name."""
    LABEL_HIGH_RISK = "label-high-risk"
    """A label's name promises values without a bound: ``user_id``, ``email``, ``trace_id``."""
    NAME_CHARACTERS = "name-characters"
    """Names that only Prometheus 3 takes, and PromQL only in quotes."""
    DECLARED_TWICE = "declared-twice"
    """Code declares one name with other types, labels or buckets elsewhere."""


SEVERITIES: Final[Mapping[LintRule, Severity]] = {
    LintRule.HELP: Severity.WARNING,
    LintRule.METRIC_UNITS: Severity.WARNING,
    LintRule.COUNTER: Severity.WARNING,
    LintRule.HISTOGRAM_SUMMARY_RESERVED: Severity.WARNING,
    LintRule.METRIC_TYPE_IN_NAME: Severity.WARNING,
    LintRule.RESERVED_CHARS: Severity.WARNING,
    LintRule.CAMEL_CASE: Severity.WARNING,
    LintRule.UNIT_ABBREVIATIONS: Severity.WARNING,
    LintRule.DUPLICATE_METRIC: Severity.ERROR,
    LintRule.LABEL_RESERVED: Severity.ERROR,
    LintRule.LABEL_TARGET: Severity.WARNING,
    LintRule.LABEL_REPEATS_NAME: Severity.INFO,
    LintRule.LABEL_HIGH_RISK: Severity.INFO,
    LintRule.NAME_CHARACTERS: Severity.INFO,
    LintRule.DECLARED_TWICE: Severity.WARNING,
}
"""How much a breach of each rule matters: an error is a loss of data or a refusal, a warning costs
those who ask, an info is a habit or a suspicion."""


@dataclass(frozen=True, slots=True)
class LintProblem:
    """A rule that a metric breaks.

    Parameters
    ----------
    rule
        Which.
    metric
        The family, as declared.
    text
        What is the case, one sentence.
    mend
        What to write instead.
    place
        Where it stands, if that is known.
    label
        The label that it is about; empty where it is about the whole metric.
    """

    rule: LintRule
    metric: str
    text: str
    mend: str
    place: Place | None = None
    label: str = ""

    @property
    def severity(self) -> Severity:
        """How much it matters: that of its rule."""
        return SEVERITIES[self.rule]


def chosen_rules(
    only: Iterable[str] | None = None, *, without: Iterable[str] = ()
) -> frozenset[LintRule]:
    """Tell which rules are on.

    Parameters
    ----------
    only
        Names of the rules to check; all where it is not given.
    without
        Names of those to leave out.

    Raises
    ------
    InputError
        There is no rule of that name.

    Examples
    --------
    >>> sorted(chosen_rules(["help", "counter"], without=["help"]))
    [<LintRule.COUNTER: 'counter'>]
    """
    on = frozenset(LintRule) if only is None else frozenset(map(_named, only))
    return on - frozenset(map(_named, without))


def _named(name: str) -> LintRule:
    known = [rule.value for rule in LintRule]
    if name not in known:
        msg = f"there is no lint rule {name!r}"
        raise InputError(msg, did_you_mean(name, known) or f"choose from {', '.join(known)}")
    return LintRule(name)

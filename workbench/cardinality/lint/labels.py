"""Rules on label names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workbench.cardinality.lint.names import CAMEL_CASE, snake_case
from workbench.cardinality.lint.rule import LintRule
from workbench.cardinality.lint.subject import Breach, Check, Subject
from workbench.samples import MetricType

__all__ = ["LABEL_CHECKS"]

_CLASSIC: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)

_RISKY: Final = re.compile(
    r"(?:.*_)?(?:id|uid|uuid|guid|e?mail|email_address|phone|ip|ip_?addr(?:ess)?|remote_?addr(?:ess)?"
    r"|session|token|api_?key|secret|password|user|user_?name|login|customer|url|uri|query|sql"
    r"|statement|referr?er|user_?agent|message|error_?msg|exception|stack_?trace|time_?stamp"
    r"|datetime|hash|sha|checksum|nonce|latitude|longitude)"
)
"""Names of labels whose values grow with users, traffic or time, in snake_case."""

_TARGET: Final = ("job", "instance")


def _types_own(subject: Subject) -> Iterator[Breach]:
    """``le`` and ``quantile`` outside their types; in code always, for the library writes them."""
    kinds = {
        "le": (MetricType.HISTOGRAM, MetricType.GAUGEHISTOGRAM),
        "quantile": (MetricType.SUMMARY,),
    }
    for label, types in kinds.items():
        if label not in subject.labels or subject.type is MetricType.UNKNOWN:
            continue
        if subject.type in types:
            text = f"code gives it the label {label}, which the client library writes itself"
        else:
            text = f"it has the label {label}, but it is a {subject.type}"
        yield (
            LintRule.HISTOGRAM_SUMMARY_RESERVED,
            label,
            text,
            f"call the label something else: {label} tells the parts of a {types[0]} apart",
        )


def _camel_case(subject: Subject) -> Iterator[Breach]:
    for label in subject.labels:
        if CAMEL_CASE.search(label):
            yield (
                LintRule.CAMEL_CASE,
                label,
                f"the label {label} is in camelCase",
                f"call it {snake_case(label)}",
            )


def _reserved(subject: Subject) -> Iterator[Breach]:
    for label in subject.labels:
        if label.startswith("__"):
            yield (
                LintRule.LABEL_RESERVED,
                label,
                f"the label {label} begins with two underscores, which is Prometheus' own",
                "call it something else: client libraries refuse it, relabelling may remove it",
            )


def _target(subject: Subject) -> Iterator[Breach]:
    if not subject.in_code:
        return  # a server gives both to every series; whose they are cannot be told there
    for label in _TARGET:
        if label in subject.labels:
            yield (
                LintRule.LABEL_TARGET,
                label,
                f"code gives it the label {label}, which Prometheus gives to every target",
                f"call it something else: it would be stored as exported_{label}",
            )


def _repeats(subject: Subject) -> Iterator[Breach]:
    stem = re.sub("_(?:total|info|seconds|bytes|ratio)$", "", subject.name)
    padded = f"_{subject.name}_"
    for label in subject.labels:
        if any(f"_{word}_{label}_" in padded for word in ("by", "per")):
            yield (
                LintRule.LABEL_REPEATS_NAME,
                label,
                f"its name says the label {label}",
                f"take it out of the name: after sum without ({label}) the name would be wrong",
            )
        elif label.startswith(f"{stem}_"):
            yield (
                LintRule.LABEL_REPEATS_NAME,
                label,
                f"the label {label} repeats the metric's name",
                f"call it {label.removeprefix(f'{stem}_')}",
            )


def _risky(subject: Subject) -> Iterator[Breach]:
    if subject.type is MetricType.INFO or subject.name.endswith("_info"):
        return  # one series a target: its labels say what runs there
    for label, count in subject.labels.items():
        if _RISKY.fullmatch(snake_case(label)):
            seen = "" if count is None else f"; {count} seen" if count != 1 else "; one seen"
            yield (
                LintRule.LABEL_HIGH_RISK,
                label,
                f"a label called {label} has mostly no bound on its values{seen}",
                "keep what identifies one of many in logs and traces; count by kind",
            )


def _characters(subject: Subject) -> Iterator[Breach]:
    for label in subject.labels:
        if not _CLASSIC.fullmatch(label):
            yield (
                LintRule.NAME_CHARACTERS,
                label,
                f"the label {label!r} has characters that only Prometheus 3 takes",
                "use ASCII letters, digits and _, so that PromQL needs no quotes",
            )


LABEL_CHECKS: Final[tuple[Check, ...]] = (
    _types_own,
    _camel_case,
    _reserved,
    _target,
    _repeats,
    _risky,
    _characters,
)
"""Each looks at the names of one family's labels."""

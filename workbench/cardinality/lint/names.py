"""Rules on a metric's name, type and help."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from workbench.cardinality.lint.rule import LintRule
from workbench.cardinality.lint.subject import Breach, Check, Subject
from workbench.samples import MetricType

__all__ = ["CAMEL_CASE", "NAME_CHECKS", "snake_case"]

CAMEL_CASE: Final = re.compile(r"[a-z][A-Z]")

_PREFIXES: Final = (
    *("pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto"),
    *("kilo", "mega", "giga", "tera", "peta"),
    *("kibi", "mebi", "mibi", "gibi", "tebi", "pebi"),
)
"""``mibi`` is what promlint knows for ``mebi``."""

_BASE_UNITS: Final[Mapping[str, str]] = {
    **{unit: unit for unit in ("seconds", "bytes", "meters", "metres", "grams", "joules")},
    **{unit: unit for unit in ("volts", "amperes", "celsius", "kelvin")},
    **dict.fromkeys(("minutes", "hours", "days", "weeks"), "seconds"),
    **dict.fromkeys(("fahrenheit", "rankine"), "celsius"),
    **dict.fromkeys(("inches", "yards", "miles"), "meters"),
    **dict.fromkeys(("pounds", "ounces"), "grams"),
    "bits": "bytes",
    "calories": "joules",
    "kelvins": "kelvin",
}
"""Units that are written out, each to the one that Prometheus wants."""

_ABBREVIATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("s", "ms", "us", "ns", "sec", "m", "h", "d"), "seconds"),
    **dict.fromkeys(("b", "kb", "mb", "gb", "tb", "pb"), "bytes"),
}

_TYPE_WORDS: Final = ("counter", "gauge", "histogram", "summary")

_RESERVED_ENDS: Final[Mapping[str, frozenset[MetricType]]] = {
    "_bucket": frozenset((MetricType.HISTOGRAM, MetricType.GAUGEHISTOGRAM)),
    "_count": frozenset((MetricType.HISTOGRAM, MetricType.SUMMARY, MetricType.GAUGEHISTOGRAM)),
    "_sum": frozenset((MetricType.HISTOGRAM, MetricType.SUMMARY, MetricType.GAUGEHISTOGRAM)),
}
"""What a name can end in only for some types: elsewhere it is taken for a member of another
family."""

_CLASSIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)


def snake_case(name: str) -> str:
    """Write a name with underscores.

    Examples
    --------
    >>> snake_case("node_memory_MemFree_bytes"), snake_case("httpURLPath")
    ('node_memory_mem_free_bytes', 'http_url_path')
    """
    parts = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    return parts.lower()


def _help(subject: Subject) -> Iterator[Breach]:
    if not subject.help and not subject.undescribed:
        yield (
            LintRule.HELP,
            "",
            "it has no help text",
            "say in one sentence what is counted, and in what unit",
        )


def _units(subject: Subject) -> Iterator[Breach]:
    """Judge the first unit in the name, as promlint does now; it once took any of several."""
    for word in subject.words:
        base = _BASE_UNITS.get(word) or next(
            (
                _BASE_UNITS[word.removeprefix(prefix)]
                for prefix in _PREFIXES
                if word.startswith(prefix) and word.removeprefix(prefix) in _BASE_UNITS
            ),
            None,
        )
        if base is not None:
            if base != word:
                yield (
                    LintRule.METRIC_UNITS,
                    "",
                    f"its name counts in {word}",
                    f"count in {base}: rules and dashboards convert, they cannot guess",
                )
            return


def _counter(subject: Subject) -> Iterator[Breach]:
    ends = subject.name.endswith("_total")
    if subject.type is MetricType.COUNTER and not ends:
        yield (
            LintRule.COUNTER,
            "",
            "it is a counter, but its name does not end in _total",
            f"call it {subject.name}_total",
        )
    elif ends and subject.type not in (MetricType.COUNTER, MetricType.UNKNOWN):
        yield (
            LintRule.COUNTER,
            "",
            f"its name ends in _total, but it is a {subject.type}",
            "make it a counter if it only grows, else take _total off",
        )


def _reserved_ends(subject: Subject) -> Iterator[Breach]:
    if subject.type is MetricType.UNKNOWN:
        return
    for end, types in _RESERVED_ENDS.items():
        if subject.name.endswith(end) and subject.type not in types:
            yield (
                LintRule.HISTOGRAM_SUMMARY_RESERVED,
                "",
                f"it is a {subject.type}, but its name ends in {end} as parts of others do",
                f"choose a name that does not end in {end}",
            )


def _type_in_name(subject: Subject) -> Iterator[Breach]:
    words = subject.name.lower().split("_")[1:]
    for kind in _TYPE_WORDS:
        if kind in words:
            yield (
                LintRule.METRIC_TYPE_IN_NAME,
                "",
                f"its name says the type: {kind}",
                f"take {kind} out: the type stands in the metadata, and may change",
            )


def _colon(subject: Subject) -> Iterator[Breach]:
    if ":" in subject.name:
        yield (
            LintRule.RESERVED_CHARS,
            "",
            "its name holds a colon, which marks what recording rules make",
            "use _ in names that are exposed",
        )


def _camel_case(subject: Subject) -> Iterator[Breach]:
    if CAMEL_CASE.search(subject.name):
        yield (
            LintRule.CAMEL_CASE,
            "",
            "its name is in camelCase",
            f"call it {snake_case(subject.name)}",
        )


def _abbreviations(subject: Subject) -> Iterator[Breach]:
    for word in dict.fromkeys(subject.name.lower().split("_")[1:]):
        if word in _ABBREVIATIONS:
            yield (
                LintRule.UNIT_ABBREVIATIONS,
                "",
                f"its name has the abbreviated unit {word}",
                f"write it out: {_ABBREVIATIONS[word]}",
            )


def _characters(subject: Subject) -> Iterator[Breach]:
    # Where a part of a name in code is not literal, "…" stands for it.
    name = subject.name.replace("…", "x") if subject.in_code else subject.name
    if not _CLASSIC.fullmatch(name):
        yield (
            LintRule.NAME_CHARACTERS,
            "",
            "its name has characters that only Prometheus 3 takes",
            "use ASCII letters, digits and _, so that PromQL needs no quotes",
        )


NAME_CHECKS: Final[tuple[Check, ...]] = (
    _help,
    _units,
    _counter,
    _reserved_ends,
    _type_in_name,
    _colon,
    _camel_case,
    _abbreviations,
    _characters,
)
"""Each looks at one family's name, type and help."""

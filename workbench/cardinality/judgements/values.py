"""What label values look like: identifiers that grow without end, personal data, secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from workbench.cardinality.families import Family
from workbench.cardinality.masking import is_sensitive, mask
from workbench.cardinality.shapes import GROWING, PERSONAL, SECRET, Shape, ValueShapes, classify
from workbench.findings import Finding, Severity

__all__ = ["judge_values"]

_FEW: Final = 10
"""Fewer values than this are no growing label yet, whatever they look like."""

_MANY: Final = 100
"""From as many values on a growing label is an error."""

_MENDS: Final[Mapping[Shape, str]] = {
    Shape.RAW_PATH: "write the route's template (/users/{id}), not the path that was asked for",
    Shape.URL: "write the route's template, or the host alone",
    Shape.SQL: "write the statement's name or its kind (select, insert), not its text",
    Shape.SENTENCE: "write a code or a class of errors; the text belongs into the log",
    Shape.EPOCH: "a time is a gauge's value, not a label",
    Shape.TIME: "a time is a gauge's value, not a label",
    Shape.EMAIL: "leave it out: it identifies a person, and each one is a series",
}
_MEND: Final = "leave it out: put the id into the trace, the log or an exemplar"


def judge_values(
    families: Mapping[str, Family], owner: Callable[[str, str], str], *, spare: set[str]
) -> Iterator[Finding]:
    """Name labels whose values identify requests, users or moments.

    Parameters
    ----------
    families
        What is exposed.
    owner
        From a metric's name and a file to who is to act.
    spare
        Labels that tell targets apart: those are bounded by the targets.
    """
    known: dict[tuple[str, ...], ValueShapes] = {}  # a team's name stands on a hundred metrics
    for family in families.values():
        table = family.children
        if table is None:
            continue
        for label in table.labels:
            values = tuple(sorted(table.values_of(label)))
            shapes = known.get(values) or known.setdefault(values, classify(values))
            if shapes.share(PERSONAL | SECRET):
                yield _sensitive(family, label, shapes, owner(family.name, ""))
            elif label not in spare and shapes.distinct >= _FEW and shapes.share(GROWING) >= 0.5:
                yield _growing(family, label, shapes, owner(family.name, ""))


def _growing(family: Family, label: str, shapes: ValueShapes, owner: str) -> Finding:
    table = family.children
    shape = next(s for s in shapes.shares if s in GROWING)
    left = table.without([label]) if table is not None else 0
    series = family.series
    kept = round(series * left / max(1, table.series if table is not None else 1))
    examples = [mask(v) for v in table.values_of(label)[:3]] if table is not None else []
    return Finding(
        "CARD-GROWING-LABEL",
        Severity.ERROR if shapes.distinct >= _MANY else Severity.WARNING,
        f"metric {family.name} label {label}",
        f"label {label} of {family.name} has {shapes.distinct:,} values, "
        f"{shapes.share(GROWING):.0%} of which look like {_plural(shape)}: {', '.join(examples)}; "
        f"without it {kept:,} of {series:,} series are left",
        _MENDS.get(shape, _MEND),
        evidence={
            "metric": family.name,
            "label": label,
            "values": shapes.distinct,
            "shapes": shapes.to_dict()["shares"],
            "examples": examples,
            "series": series,
            "series_without": kept,
        },
        where=family.name,
        place=family.main.place if family.main is not None else None,
        owner=owner,
    )


def _sensitive(family: Family, label: str, shapes: ValueShapes, owner: str) -> Finding:
    table = family.children
    found = [v for v in table.values_of(label) if is_sensitive(v)] if table is not None else []
    kinds = [s for s in shapes.shares if s in PERSONAL | SECRET]
    secret = any(k in SECRET for k in kinds)
    return Finding(
        "CARD-PERSONAL-DATA",
        Severity.ERROR,
        f"metric {family.name} label {label}",
        f"label {label} of {family.name} holds what looks like {' and '.join(map(_plural, kinds))}: "
        f"{', '.join(mask(v) for v in found[:3])}",
        "revoke it, then take it out of the label: metrics are read by many and kept for long"
        if secret
        else "take it out of the label: metrics are read by many, kept for long, and hard to erase",
        evidence={
            "metric": family.name,
            "label": label,
            "values": shapes.distinct,
            "sensitive": len(found),
        },
        where=family.name,
        place=family.main.place if family.main is not None else None,
        owner=owner,
    )


def _plural(shape: Shape) -> str:
    if shape is Shape.SQL:
        return "SQL"
    words = shape.value
    if words.endswith("y") and not words.endswith("ey"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("s") else f"{words}s"

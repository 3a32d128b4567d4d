"""Vector matching: which series of the two sides belong together, at every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.engine.context import Query
from workbench.engine.labels import NAME, Signature, keep, signing, without_metadata
from workbench.engine.native.operators import Sides, combined
from workbench.engine.operators import ARITHMETIC, COMPARISON
from workbench.engine.values import Vector, merged, stacked
from workbench.errors import QueryError
from workbench.frame import Bools
from workbench.native import Histograms, no_histograms
from workbench.promql import tree
from workbench.samples import Floats, Ints, Labels, format_labels

__all__ = ["Matching", "matched", "set_operation"]


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides are matched.

    Parameters
    ----------
    on
        The labels are those to match on, not those to ignore.
    labels
        The labels named.
    many
        Which side may have several series a match: ``left``, ``right`` or neither.
    include
        Labels that the result takes from the side that has one.
    fill_left, fill_right
        What stands for a missing series. With ``group_right`` the two change sides: `fill_left`
        is always the side that may have many, as Prometheus has it.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    many: str = ""
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None

    @classmethod
    def of(cls, said: tree.VectorMatching | None) -> Matching:
        """What the query says, or what holds where it says nothing."""
        if said is None:
            return cls()
        return cls(
            said.on, said.labels or (), said.many, said.include, said.fill_left, said.fill_right
        )

    def signature(self) -> Callable[[Labels], Signature]:
        """What two series must share."""
        return signing(self.labels, on=self.on)

    def shared(self, labels: Labels) -> Labels:
        """The labels of a series that stands for a missing one."""
        if self.on:
            return keep(labels, self.labels)
        return {k: v for k, v in labels.items() if k != NAME and k not in self.labels}


def _codes(left: Vector, right: Vector, matching: Matching) -> tuple[Ints, Ints, int]:
    """Number the signatures: codes of the left and right series, and how many there are."""
    sign = matching.signature()
    known: dict[Signature, int] = {}
    codes = [
        np.array([known.setdefault(sign(each), len(known)) for each in side.labels], np.int64)
        for side in (left, right)
    ]
    return codes[0], codes[1], len(known)


def _any_by_code(present: Bools, codes: Ints, groups: int) -> Bools:
    """Where any series of a group is present: bool, shape (groups, steps)."""
    result = np.zeros((groups, present.shape[1]), bool)
    if len(np.unique(codes)) == len(codes):
        result[codes] = present
    else:
        np.logical_or.at(result, codes, present)
    return result


def set_operation(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """``and``, ``or``, ``unless``: which series stay, by the other side's presence."""
    left_codes, right_codes, groups = _codes(left, right, matching)
    if op != "or":
        there = _any_by_code(right.present, right_codes, groups)[left_codes]
        mask = left.present & (there if op == "and" else ~there)
        return left.masked(mask)
    there = _any_by_code(left.present, left_codes, groups)[right_codes]
    return merged(stacked([left, right.masked(~there)]))


@dataclass(slots=True)
class _Pairs:
    """Matched pairs, many side first: values, presence and labels of each pair."""

    many: list[Floats] = field(default_factory=list)
    one: list[Floats] = field(default_factory=list)
    present: list[Bools] = field(default_factory=list)
    labels: list[tuple[Labels, Labels]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    drop: list[bool] = field(default_factory=list)
    native: list[tuple[Histograms | None, Histograms | None]] = field(default_factory=list)

    def add(
        self,
        code: int,
        values: tuple[Any, Any],
        present: Bools,
        labels: tuple[Labels, Labels],
        *,
        drop: bool = False,
        native: tuple[Histograms | None, Histograms | None] = (None, None),
    ) -> None:
        """Note a pair, unless it is present nowhere."""
        if present.any():
            self.drop.append(drop)
            self.many.append(np.broadcast_to(values[0], present.shape))
            self.one.append(np.broadcast_to(values[1], present.shape))
            self.present.append(present)
            self.labels.append(labels)
            self.codes.append(code)
            self.native.append(native)

    def histograms(self, side: int) -> Histograms | None:
        """The histograms of one side, shape (pairs, steps); None where there are none."""
        rows = [native[side] for native in self.native]
        if all(row is None for row in rows):
            return None
        nothing = no_histograms(self.present[0].shape)
        return np.stack([nothing if row is None else row for row in rows])


def matched(
    query: Query, op: str, left: Vector, right: Vector, matching: Matching, *, as_bool: bool
) -> Vector:
    """Arithmetic and comparison between the series that match.

    Raises
    ------
    QueryError
        Several series of the side that must have one match, or results collide.
    """
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    pairs = _paired(many, one, matching, "left" if swapped else "right")
    steps = many.present.shape[1]
    if not pairs.codes:
        return Vector.empty(steps)
    query.meter.hold(len(pairs.codes), steps)
    first, second = np.stack(pairs.many), np.stack(pairs.one)
    present = np.stack(pairs.present)
    labels = [_result_labels(op, a, b, matching) for a, b in pairs.labels]
    _check_unique(pairs.codes, labels, present, matching)
    both, native = present, [pairs.histograms(0), pairs.histograms(1)]
    if swapped:
        first, second = second, first
        native.reverse()
    if op in ARITHMETIC:
        values = ARITHMETIC[op](first, second)
    elif op in COMPARISON:
        holds = COMPARISON[op](first, second)
        values = holds.astype(np.float64) if as_bool else first
        present = present if as_bool else present & holds
    else:
        values, present = first, np.zeros(present.shape, bool)
    result = Vector(labels, values, present, np.array(pairs.drop) | as_bool)
    sides = Sides((first, second), (native[0], native[1]), both)
    return merged(combined(op, sides, result, query.notes, as_bool=as_bool))


def _paired(
    many: Vector,
    one: Vector,
    matching: Matching,
    one_side: str,
) -> _Pairs:
    many_codes, one_codes, groups = _codes(many, one, matching)
    one_rows = _rows_by_code(one_codes, groups)
    many_rows = _rows_by_code(many_codes, groups)
    _check_one_side(many, one, one_rows, matching, one_side)
    pairs = _Pairs()
    for row, code in enumerate(many_codes.tolist()):
        mine, drop = many.present[row], bool(many.drop_name[row])
        rest = mine
        for other in one_rows[code]:
            both = mine & one.present[other]
            values = many.values[row], one.values[other]
            labels = many.labels[row], one.labels[other]
            native = many.histograms_of(row), one.histograms_of(other)
            pairs.add(code, values, both, labels, drop=drop, native=native)
            rest = rest & ~one.present[other]
        if matching.fill_right is not None:
            stand_in = matching.shared(many.labels[row])
            labels = many.labels[row], stand_in
            filled = many.values[row], matching.fill_right
            native = many.histograms_of(row), None
            pairs.add(code, filled, rest, labels, drop=drop, native=native)
    if matching.fill_left is not None:
        for row, code in enumerate(one_codes.tolist()):
            rest = one.present[row]
            for other in many_rows[code]:
                rest = rest & ~many.present[other]
            labels = matching.shared(one.labels[row]), one.labels[row]
            filled = matching.fill_left, one.values[row]
            pairs.add(code, filled, rest, labels, native=(None, one.histograms_of(row)))
    return pairs


def _rows_by_code(codes: Ints, groups: int) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(groups)]
    for row, code in enumerate(codes.tolist()):
        rows[code].append(row)
    return rows


def _check_one_side(
    many: Vector,
    one: Vector,
    one_rows: Sequence[Sequence[int]],
    matching: Matching,
    side: str,
) -> None:
    """Refuse a match group in which the side that must have one series has two at one step."""
    relevant = (
        np.ones(one.present.shape[1], bool)
        if matching.fill_left is not None
        else many.present.any(axis=0)
    )
    for rows in one_rows:
        if len(rows) < 2:
            continue
        crowded = np.flatnonzero((one.present[rows].sum(axis=0) > 1) & relevant)
        if len(crowded):
            pair = [r for r in rows if one.present[r, crowded[0]]][:2]
            shown = ", ".join(_shown(one.labels[r]) for r in pair)
            group = _shown(matching.shared(one.labels[pair[0]]))
            msg = (
                f"found duplicate series for the match group {group} on the {side} hand-side of the "
                f"operation: [{shown}];many-to-many matching not allowed: matching labels must be "
                "unique on one side"
            )
            raise QueryError(msg, "match on more labels, or aggregate that side first")


def _shown(labels: Labels) -> str:
    """Labels in Prometheus' form for messages: every one as a pair, the name too."""
    pairs = (f"{name}={format_labels({'v': labels[name]})[3:-1]}" for name in sorted(labels))
    return "{" + ", ".join(pairs) + "}"


def _result_labels(op: str, many: Labels, one: Labels, matching: Matching) -> Labels:
    labels = dict(without_metadata(many) if op in ARITHMETIC else many)
    if not matching.many:
        if matching.on:
            labels = {k: v for k, v in labels.items() if k in matching.labels}
        else:
            labels = {k: v for k, v in labels.items() if k not in matching.labels}
    for name in matching.include:
        if one.get(name):
            labels[name] = one[name]
        else:
            labels.pop(name, None)
    return labels


def _check_unique(
    codes: Sequence[int], labels: Sequence[Labels], present: Bools, matching: Matching
) -> None:
    """Refuse two results of one match group at one step."""
    groups: dict[Any, list[int]] = {}
    for row, code in enumerate(codes):
        key = (code, tuple(sorted(labels[row].items()))) if matching.many else code
        groups.setdefault(key, []).append(row)
    for rows in groups.values():
        if len(rows) > 1 and (present[rows].sum(axis=0) > 1).any():
            if matching.many:
                msg = "multiple matches for labels: grouping labels must ensure unique matches"
                raise QueryError(msg, "name more labels in group_left or group_right")
            msg = (
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)"
            )
            raise QueryError(msg, "add group_left or group_right, or aggregate that side first")

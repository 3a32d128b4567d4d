"""The table of labels against counting by sets of strings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.inventory import LabelTable

ROWS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "x", "y", "é\n"])), max_size=30
)


def distinct(rows: list[dict[str, str]], keep: set[str]) -> set[frozenset[tuple[str, str]]]:
    """Distinct label sets over some labels; an empty value is an absent label."""
    return {frozenset((k, v) for k, v in row.items() if k in keep and v) for row in rows}


@given(ROWS)
def test_counts_are_those_of_sets(rows: list[dict[str, str]]) -> None:
    """Series, values, combinations and what is left without labels, for every choice of labels."""
    table = LabelTable.of(rows)
    assert table.series == len(distinct(rows, set("abcd")))
    for n in range(5):
        for chosen in combinations("abcd", n):
            assert table.combinations(chosen) == len(distinct(rows, set(chosen)))
            assert table.without(chosen) == len(distinct(rows, set("abcd") - set(chosen)))
    for label in "abcd":
        assert set(table.values_of(label)) == {r[label] for r in rows if r.get(label)}
        assert len(table.counts(label)) == table.distinct(label)


@given(ROWS, ROWS)
def test_union_has_each_series_once(one: list[dict[str, str]], two: list[dict[str, str]]) -> None:
    """A union is the union of the sets, and every value of it occurs."""
    union = LabelTable.of(one).union(LabelTable.of(two))
    assert {frozenset(r.items()) for r in union.rows()} == distinct(one + two, set("abcd"))
    assert union.series == len(distinct(one + two, set("abcd")))


@given(ROWS, st.data())
def test_take_keeps_the_chosen(rows: list[dict[str, str]], data: st.DataObject) -> None:
    """A part holds just its series, and no value that none of them has."""
    table = LabelTable.of(rows)
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=table.series, max_size=table.series)), bool
    )
    part = table.take(mask)
    wanted = [row for row, keep in zip(table.rows(), mask, strict=True) if keep]
    assert list(part.rows()) == wanted
    for label in part.labels:
        assert (part.counts(label) > 0).all()


@given(ROWS, st.sets(st.sampled_from("abcd")))
def test_projection_is_that_of_sets(rows: list[dict[str, str]], keep: set[str]) -> None:
    """On some labels each combination stands once, and every value of them occurs."""
    table = LabelTable.of(rows).project(keep)
    assert {frozenset(r.items()) for r in table.rows()} == distinct(rows, keep)
    assert table.series == len(distinct(rows, keep))


def test_many_wide_labels_do_not_overflow() -> None:
    """Twelve labels of a thousand values each are more combinations than an int64 holds."""
    rows = [{f"l{j}": str((i * (j + 1)) % 1000) for j in range(12)} for i in range(1000)]
    table = LabelTable.of(rows)
    assert table.combinations(table.labels) == len(distinct(rows, set(table.labels)))


@given(ROWS)
def test_each_label_dropped_alone_is_what_dropping_it_says(rows: list[dict[str, str]]) -> None:
    """The short way for all labels together agrees with sets."""
    table = LabelTable.of(rows)
    wanted = {x: len(distinct(rows, set("abcd") - {x})) for x in table.labels}
    assert table.without_each() == wanted


def test_each_of_many_wide_labels_dropped_alone() -> None:
    """Labels that need several keys of 63 bits: one that matters, one absent half of the time."""
    rows = [{f"l{j}": str(i * (j + 1) % 997) for j in range(14)} for i in range(900)]
    rows += [{**row, "extra": "yes"} for row in rows[::2]]
    table = LabelTable.of(rows)
    everything = set(table.labels)
    wanted = {x: len(distinct(rows, everything - {x})) for x in table.labels}
    assert table.without_each() == wanted
    assert wanted["extra"] == 900


@given(ROWS, st.data())
def test_codes_whose_rows_repeat(rows: list[dict[str, str]], data: st.DataObject) -> None:
    """Repeated rows are kept once, and each finds its series."""
    table = LabelTable.of(rows)
    order = st.integers(0, max(0, table.series - 1))
    more = data.draw(st.lists(order, max_size=20)) if table.series else []
    picked = [*range(table.series), *more]
    built, place = LabelTable.of_codes(table.labels, table.values, table.codes[picked])
    assert list(built.rows()) == list(table.rows())
    assert (place is None) == (not more)
    assert place is None or place.tolist() == picked

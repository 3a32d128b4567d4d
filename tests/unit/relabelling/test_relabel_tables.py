"""All series at once against one series after the other."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.inventory import Inventory, LabelTable, ObservedMetric
from workbench.relabelling import Action, RelabelRule, relabel, relabel_tables

LABELS = ["__name__", "a", "b", "c", "__tmp_x"]
VALUES = ["", "x", "y", "X", "xy", "é\n", "m", "a", "b"]
REGEXES = [
    "(.*)",
    ".*",
    "x",
    "(x|y).*",
    "(?P<one>.)(.*)",
    "a|b",
    "(a|b)",
    "__.*|m",
    "",
    "[^;]+;(.*)",
]

ROWS = st.lists(
    st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES)).map(
        lambda row: {**row, "__name__": row.get("__name__") or "m"}
    ),
    max_size=25,
)


@st.composite
def rules(draw: st.DrawFn) -> RelabelRule:
    """Draw a rule that Prometheus would take."""
    action = draw(st.sampled_from(Action))
    label = draw(st.sampled_from(LABELS))
    sources = tuple(draw(st.lists(st.sampled_from(LABELS), max_size=3)))
    regex = draw(st.sampled_from(REGEXES))
    if action in (Action.LABELDROP, Action.LABELKEEP):
        return RelabelRule(action, regex=regex)
    if action in (Action.KEEPEQUAL, Action.DROPEQUAL):
        return RelabelRule(action, sources, target_label=label)
    separator = draw(st.sampled_from([";", "", "--"]))
    if action in (Action.LOWERCASE, Action.UPPERCASE):
        return RelabelRule(action, sources, separator, label, regex)
    if action is Action.HASHMOD:
        return RelabelRule(action, sources, separator, label, modulus=draw(st.integers(1, 3)))
    target = draw(st.sampled_from([*LABELS, "$1", "l_${one}"]))
    replacement = draw(st.sampled_from(["$1", "z", "", "$1$2", "${one}!", "$$"]))
    if action is Action.LABELMAP:
        replacement = draw(st.sampled_from(["$1", "z_$1", "b"]))
    return RelabelRule(action, sources, separator, target, regex, replacement=replacement)


def inventory(rows: list[dict[str, str]]) -> Inventory:
    """The rows as an inventory."""
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row["__name__"], []).append(row)
    tables = {name: LabelTable.of(some) for name, some in by_name.items()}
    return Inventory(
        "rows", {n: ObservedMetric(n, n, t.series, table=t) for n, t in tables.items()}
    )


def one_by_one(
    rows: list[dict[str, str]], chain: list[RelabelRule]
) -> tuple[Counter[frozenset[tuple[str, str]]], int, int]:
    """What becomes of each distinct row: series left and how many became each, dropped, refused."""
    distinct = {frozenset((k, v) for k, v in row.items() if v) for row in rows}
    left: Counter[frozenset[tuple[str, str]]] = Counter()
    dropped = refused = 0
    for row in distinct:
        new = relabel(dict(row), chain)
        if not new:
            dropped += 1
        elif "__name__" not in new or "" in new:
            refused += 1
        else:
            left[frozenset(new.items())] += 1
    return left, dropped, refused


@settings(max_examples=200)
@given(ROWS, st.lists(rules(), max_size=4))
def test_all_at_once_is_one_by_one(rows: list[dict[str, str]], chain: list[RelabelRule]) -> None:
    """Series left, dropped, refused and merged are those of each series by itself."""
    left, dropped, refused = one_by_one(rows, chain)
    result = relabel_tables(inventory(rows), chain)
    found = {
        frozenset({"__name__": name, **row}.items())
        for name, metric in result.metrics.items()
        if metric.table is not None
        for row in metric.table.rows()
    }
    assert found == set(left)
    assert result.before == left.total() + dropped + refused
    assert (result.after, result.dropped, result.refused) == (len(left), dropped, refused)
    assert result.merged == left.total() - len(left)
    assert result.collision_count == sum(n > 1 for n in left.values())
    assert result.safe == (result.merged == 0 and refused == 0)
    assert all(m.series == m.table.series for m in result.metrics.values() if m.table is not None)
    for collision in result.collisions:
        assert left[frozenset(collision.becomes.items())] == collision.series > 1
        for example in collision.examples:
            assert relabel(example, chain) == collision.becomes
            assert {k: v for k, v in example.items() if v} in [
                {k: v for k, v in row.items() if v} for row in rows
            ]


def test_tables_hold_only_values_that_occur() -> None:
    """What is left of a label's values after a drop are those that some series has."""
    rows = [{"__name__": "m", "a": str(i), "b": str(i % 2)} for i in range(10)]
    result = relabel_tables(inventory(rows), [RelabelRule(Action.DROP, ("b",), regex="1")])
    table = result.metrics["m"].table
    assert table is not None
    assert (table.distinct("a"), table.distinct("b")) == (5, 1)


def test_losses_are_told_by_metric() -> None:
    """Two metrics given one name: the second one's series are lost in the first one's."""
    rows = [{"__name__": name, "a": a} for name in ("m1", "m2", "n") for a in "xyz"]
    chain = [RelabelRule(Action.REPLACE, ("__name__",), target_label="__name__", regex="(m).")]
    result = relabel_tables(inventory(rows), chain)
    assert {c.name: (c.before, c.after, c.merged) for c in result.changes} == {
        "m1": (3, 3, 0),
        "m2": (3, 0, 3),
        "n": (3, 3, 0),
    }
    assert {e["__name__"] for c in result.collisions for e in c.examples} == {"m1", "m2"}
    assert set(result.metrics) == {"m", "n"}


def test_a_lost_name_is_refused() -> None:
    """``labelkeep`` without ``__name__`` breaks the scrape; a series without any label just goes."""
    rows = [{"__name__": "m", "a": "x"}, {"__name__": "n"}]
    result = relabel_tables(inventory(rows), [RelabelRule(Action.LABELKEEP, regex="a")])
    assert (result.refused, result.dropped, result.after, result.safe) == (1, 1, 0, False)


@pytest.mark.parametrize(
    ("rule", "after", "unjudged"),
    [
        (RelabelRule(Action.DROP, ("__name__",), regex="go_.*"), 5, ()),
        (RelabelRule(Action.KEEP, ("__name__",), regex="go_.*"), 7, ()),
        (RelabelRule(Action.DROP, ("__name__", "a"), regex="go_.*"), 12, ("go_x", "up")),
        (RelabelRule(Action.LABELDROP, regex="a"), 12, ("go_x", "up")),
    ],
)
def test_a_metric_without_labels_is_judged_by_its_name(
    rule: RelabelRule, after: int, unjudged: tuple[str, ...]
) -> None:
    """A server that only counts: drops by name are known, all else is said to be unknown."""
    metrics = [ObservedMetric("up", "up", 5), ObservedMetric("go_x", "go_x", 7)]
    result = relabel_tables(metrics, [rule])
    assert (result.after, result.unjudged) == (after, unjudged)


def test_a_label_of_few_values_is_rewritten_in_all_series() -> None:
    """Sixty thousand series, of which two of three values match."""
    rows = [{"__name__": "m", "a": str(i), "b": "xyz"[i % 3]} for i in range(60_000)]
    chain = [
        RelabelRule(Action.REPLACE, ("b",), target_label="b", regex="(x|y)", replacement="1$1")
    ]
    result = relabel_tables(inventory(rows), chain)
    table = result.metrics["m"].table
    assert table is not None
    assert not result.merged
    counts = dict(zip(table.values_of("b"), table.counts("b").tolist(), strict=True))
    assert counts == {"1x": 20_000, "1y": 20_000, "z": 20_000}

"""Cardinality as tables for people: what a deploy changes, labels, budgets, use, fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.cardinality.audit import Audit
from workbench.cardinality.counts import FamilyCount, LabelCount, LabelOfFamily
from workbench.cardinality.fixes import Fix, FixKind
from workbench.cardinality.masking import mask
from workbench.cardinality.prediction import Status
from workbench.cardinality.summary import because, change_columns, written
from workbench.inventory import Bound, DeclaredMetric
from workbench.units import counted
from workbench.usage import Status as UseStatus
from workbench.views.axis import plain_text
from workbench.views.listing import Listing

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "budgets_listing",
    "cardinality_table",
    "changes_listing",
    "costliest",
    "fixes_listing",
    "jobs_listing",
    "labels_listing",
    "metrics_listing",
    "use_listing",
]

_NONE: Final = "–"
_MOST: Final = 50
"""Rows of the main table: a notebook would cut more of them out of the middle."""

_WIDTH: Final = 48
"""Characters of a cell of the main table, for the same reason."""

_PARTS: Final = ("le", "quantile")
"""Labels that tell the parts of one child apart, not children."""

_COUNTS: Final = (
    "metric", "type", "series", "share", "children", "buckets", "costliest label", "values",
    "without it", "read by",
)  # fmt: skip
_DECLARED: Final = ("metric", "type", "labels", "most series of one target", "declared at")


def cardinality_table(result: Audit) -> pd.DataFrame:
    """The metrics as text, at most fifty of them.

    Returns
    -------
    DataFrame
        One row a metric: where series were read, the most series first, with what its costliest
        label makes of them; of code alone, what it declares, labels without a bound first.
    """
    import pandas as pd

    if result.census is None:
        rows = sorted(
            map(_declared, result.candidate.declared),
            key=lambda r: ("(no bound)" not in r[2], r[0]),
        )
        return pd.DataFrame(rows[:_MOST], columns=list(_DECLARED), dtype="str")
    rows = [_count(family, result) for family in result.census.families[:_MOST]]
    return pd.DataFrame(rows, columns=list(_COUNTS), dtype="str")


def metrics_listing(result: Audit) -> Listing:
    """The rows of `cardinality_table`, with a line that says how many more metrics there are."""
    table = cardinality_table(result)
    census, shown, note = result.census, len(table), ""
    if census is None:
        if hidden := len(result.candidate.declared) - shown:
            note = f"{counted(hidden, 'more metric')} in the code."
    elif hidden := census.family_count - shown:
        rest = census.series - sum(family.series for family in census.families[:shown])
        note = (
            f"These are the {counted(shown, 'metric')} with the most series; "
            f"{counted(hidden, 'more metric')} with {rest:,} series in all."
        )
    return Listing(
        list(table.columns), table.to_numpy().tolist(), "There are no metrics.", note=note
    )


def _declared(declared: DeclaredMetric) -> list[str]:
    most = declared.most_children
    return [
        plain_text(declared.name, most=48),
        declared.type.value,
        _label_bounds(declared) or _NONE,
        "no bound known" if most is None else f"{most * declared.series_per_child:,}",
        plain_text(str(declared.place), most=48),
    ]


def _label_bounds(declared: DeclaredMetric) -> str:
    """Labels with their bounds, as many as a cell holds; those without a bound stand first."""
    labels = [
        f"{plain_text(name, most=24)} ({values.count:,})"
        if values.bound is Bound.BOUNDED and values.count is not None
        else f"{plain_text(name, most=24)} (no bound)" if values.bound is Bound.UNBOUNDED
        else plain_text(name, most=24)
        for name, values in sorted(
            declared.values.items(), key=lambda item: item[1].bound is not Bound.UNBOUNDED
        )
    ]  # fmt: skip
    for hidden in range(len(labels)):
        text = ", ".join(labels[: len(labels) - hidden]) + (f", {hidden:,} more" if hidden else "")
        if len(text) <= _WIDTH:
            return text
    return f"{len(labels):,} labels" if labels else ""


def costliest(family: FamilyCount) -> LabelOfFamily | None:
    """The label without which a metric would have the fewest series; None where none saves any."""
    return next((x for x in family.labels if x.name not in _PARTS and x.saved), None)


def _count(family: FamilyCount, result: Audit) -> list[str]:
    worst = costliest(family)
    low, high = family.buckets or (0, 0)
    label = [_NONE, _NONE, _NONE]
    if worst is not None:
        left = family.series - (worst.saved or 0)
        label = [plain_text(worst.name, most=40), f"{worst.values:,}", f"{left:,}"]
    return [
        plain_text(family.name, most=48),
        family.type,
        f"{family.series:,}",
        f"{family.share:.1%}",
        _NONE if family.children is None else f"{family.children:,}",
        _NONE if family.buckets is None else str(low) if low == high else f"{low} … {high}",
        *label,
        _readers(family, result),
    ]


def _readers(family: FamilyCount, result: Audit) -> str:
    """How many queries read any member of a family."""
    if result.use is None:
        return _NONE
    uses = {
        use.query.title
        for member in family.members
        if (one := result.use.metrics.get(member.name)) is not None
        for use in one.uses
    }
    return f"{len(uses):,} queries" if len(uses) != 1 else "1 query"


def changes_listing(result: Audit) -> Listing:
    """What a deploy does to each metric that it changes, the largest difference first."""
    rows = [
        (
            m.name,
            m.type.value,
            f"{m.before:,}",
            written(m.after),
            f"{m.difference:+,}",
            written(m.replica),
            because(m),
        )
        for m in result.prediction.metrics
        if m.status not in (Status.SAME, Status.NOT_SHOWN)
    ]
    if result.baseline is None and result.census is not None:
        empty = "No baseline was given: there is nothing to compare with."
        return Listing((), (), empty, note=_costs(result))
    headings = ("metric", "type", *change_columns(result)[1:4], "one target", "because")
    return Listing(headings, rows, "No metric changes.", note=_costs(result))


def _costs(result: Audit) -> str:
    return f"Price: {result.price}." if result.price else ""


def labels_listing(result: Audit) -> Listing:
    """Labels over all metrics: values, shapes, and series fewer without each."""
    headings = (
        "label", "values", "look like", "metrics", "series", "fewer without it", "most frequent",
    )  # fmt: skip
    census = result.census
    if census is None:
        return _declared_labels(result)
    rows = [_label(x) for x in census.labels]
    hidden = census.label_count - len(rows)
    note = f"{counted(hidden, 'more label')}, which save less." if hidden else ""
    return Listing(headings, rows, "The series have no labels.", note=note)


def _label(label: LabelCount) -> tuple[object, ...]:
    shapes = ", ".join(
        shape.value if part == 1 else f"{shape.value} {part:.0%}"
        for shape, part in label.shapes.shares.items()
    )
    top = ", ".join(f"{v.value} ({v.series:,})" for v in label.top[:3])
    return (
        label.name,
        label.values,
        shapes or _NONE,
        label.metrics,
        _NONE if label.series is None else label.series,
        "not known" if label.saved is None else label.saved,
        top or _NONE,
    )


def _declared_labels(result: Audit) -> Listing:
    """Of code: each label with the values that its call sites can give."""
    rows = [
        (
            label,
            declared.name,
            values.bound.value,
            _NONE if values.count is None else values.count,
            values.kind,
            values.reason or ", ".join(map(mask, values.values[:5])) or _NONE,
            str((values.places or (declared.place,))[0]),
        )
        for declared in result.candidate.declared
        for label, values in declared.values.items()
    ]
    rows.sort(key=lambda row: (row[2] != "unbounded", row[0], row[1]))
    headings = ("label", "metric", "bound", "values", "kind", "because", "place")
    return Listing(headings, rows, "The code declares no labels.", prose=frozenset(("because",)))


def budgets_listing(result: Audit) -> Listing:
    """Each budget and how it stands."""
    rows = [
        (
            check.budget.subject,
            check.budget.owner or _NONE,
            check.budget.limit,
            check.before,
            written(check.used),
            check.state.value,
            ", ".join(f"{name} {count:,}" for name, count in check.culprits[:3]) or _NONE,
            check.note or _NONE,
        )
        for check in result.budgets
    ]
    headings = ("budget", "owner", "limit", "now", "after", "state", "most of it", "note")
    return Listing(headings, rows, "No budgets were given.")


def use_listing(result: Audit) -> Listing:
    """Metrics that nothing reads, and labels that make no difference to what does."""
    headings = ("metric", "series", "read by", "labels that no query reads")
    if result.use is None:
        return Listing(headings, (), "No rules and dashboards were given.")
    words = {
        UseStatus.UNUSED: "nothing",
        UseStatus.RECORDED_ONLY: "only recording rules that nothing reads",
    }
    rows = []
    for name, one in result.use.metrics.items():
        reader = words.get(one.status)
        if reader is None and one.status is UseStatus.USED and one.unused_labels:
            reader = f"{len(one.uses):,} queries" if len(one.uses) != 1 else "1 query"
        if reader is not None:
            labels = ", ".join(one.unused_labels) if one.status is UseStatus.USED else _NONE
            rows.append((name, one.metric.series, reader, labels))
    rows.sort(key=lambda row: (row[2] not in words.values(), -row[1], row[0]))
    return Listing(headings, rows, "Every metric and every label is read.")


def jobs_listing(result: Audit) -> Listing:
    """How the jobs of a server grew, and how fast their series are replaced."""
    rows = [
        (
            job.job or _NONE,
            job.series,
            _NONE if job.series_before is None else job.series_before,
            _NONE if job.growth is None else f"{job.growth:+,}",
            round(job.added_a_day),
            f"{job.churn:.2f} ×",
        )
        for job in result.history
    ]
    headings = ("job", "series", "before", "change", "new a day", "replaced a day")
    return Listing(headings, rows, "The source does not record its scrapes.")


def fixes_listing(result: Audit) -> Listing:
    """Each tried change, the one that saves most first; limits for the scrape job at the end."""
    headings = ("finding", "change", "series", "breaks", "where", "text")
    about = {f.fingerprint: f.about for f in result.findings}
    ordered = sorted(result.fixes.items(), key=lambda item: -item[1].saves)
    fixes = [(about.get(fingerprint, ""), fix) for fingerprint, fix in ordered]
    if (limits := result.limits()) is not None and limits.text:
        fixes.append(("every target", limits))
    rows = [
        (
            subject,
            fix.kind.value,
            f"{fix.before:,} → {fix.after:,}" if fix.saves else f"{fix.before:,}",
            _broken(fix),
            fix.where,
            fix.commented(),
        )
        for subject, fix in fixes
    ]
    return Listing(headings, rows, "Nothing that a configuration could mend.", frozenset(("text",)))


def _broken(fix: Fix) -> str:
    if fix.kind is FixKind.LIMITS:
        return _NONE
    return f"{len(fix.breaks):,} queries" if fix.breaks else "none that was read"

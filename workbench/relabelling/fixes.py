"""The rules that people need to have fewer series, each for the metrics that are named and no other.

``labeldrop`` takes a label from every metric of a job; what is meant is mostly one metric.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.errors import InputError
from workbench.promql.quote import quote_regex
from workbench.relabelling.rule import Action, RelabelRule

__all__ = ["drop_buckets", "drop_label", "drop_metrics", "rewrite_values"]


def drop_metrics(names: Iterable[str]) -> RelabelRule:
    """Drop the series that have one of these names.

    Parameters
    ----------
    names
        As they stand in ``__name__``: for a histogram ``x_bucket``, ``x_sum`` and ``x_count``.

    Examples
    --------
    >>> drop_metrics(["go_gc_duration_seconds", "up"]).regex
    'go_gc_duration_seconds|up'
    """
    return RelabelRule(Action.DROP, ("__name__",), regex=_any_of(names))


def drop_buckets(family: str, bounds: Iterable[str]) -> RelabelRule:
    r"""Drop some buckets of a histogram; its count, sum and other buckets stay right.

    Parameters
    ----------
    family
        Without ``_bucket``.
    bounds
        Values of ``le`` as they are exposed, as text.

    Raises
    ------
    InputError
        ``+Inf`` is among them: without it, `histogram_quantile` gives nothing.

    Examples
    --------
    >>> drop_buckets("wait_seconds", ["0.025", "0.05"]).regex
    'wait_seconds_bucket;(?:0\\.025|0\\.05)'
    """
    chosen = list(bounds)
    if any(bound.lower() in ("+inf", "inf") for bound in chosen):
        msg = f"the bucket +Inf of {family} cannot go"
        raise InputError(msg, "keep +Inf: histogram_quantile gives nothing without it")
    name = quote_regex(f"{family}_bucket")
    return RelabelRule(Action.DROP, ("__name__", "le"), regex=f"{name};(?:{_any_of(chosen)})")


def drop_label(label: str, names: Iterable[str]) -> RelabelRule:
    """Take a label from the series that have one of these names.

    Run `relabel_tables` first: series that differ in this label alone become equal.

    Examples
    --------
    >>> rule = drop_label("pod", ["hits_total"])
    >>> rule.action.value, rule.target_label, rule.replacement
    ('replace', 'pod', '')
    """
    return RelabelRule(
        Action.REPLACE, ("__name__",), target_label=label, regex=_any_of(names), replacement=""
    )


def rewrite_values(label: str, names: Iterable[str], regex: str, replacement: str) -> RelabelRule:
    """Write some values of a label otherwise, in the series that have one of these names.

    Parameters
    ----------
    label
        The label.
    names
        As they stand in ``__name__``.
    regex
        RE2 for the whole value; its first group is ``$1``.
    replacement
        What is written; ``""`` takes the label away.

    Examples
    --------
    >>> from workbench.relabelling.one_series import relabel
    >>> rule = rewrite_values("path", ["hits_total"], "/users/[0-9]+(/.*)?", "/users/:id$1")
    >>> relabel({"__name__": "hits_total", "path": "/users/7/cart"}, [rule])["path"]
    '/users/:id/cart'
    """
    return RelabelRule(
        Action.REPLACE,
        ("__name__", label),
        target_label=label,
        regex=f"(?:{_any_of(names)});(?:{regex})",
        replacement=replacement,
    )


def _any_of(texts: Iterable[str]) -> str:
    """A pattern that matches these texts and nothing else."""
    chosen = sorted(set(texts))
    if not chosen:
        msg = "nothing is named that the rule should be about"
        raise InputError(msg, "give at least one name")
    return "|".join(map(quote_regex, chosen))

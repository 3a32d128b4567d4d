"""The rules applied to one series, step by step as Prometheus does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workbench.relabelling.outcomes import kept, mapped_names, removed_names, written
from workbench.relabelling.rule import Action, RelabelRule

__all__ = ["relabel"]


def relabel(labels: Mapping[str, str], rules: Iterable[RelabelRule]) -> dict[str, str] | None:
    """Apply rules to the labels of one series.

    Parameters
    ----------
    labels
        With ``__name__``. An empty value is the same as none.
    rules
        In their order. Labels that begin with ``__tmp`` stay: Prometheus removes such labels
        from targets, not from samples.

    Returns
    -------
    dict or None
        The labels left, sorted by name; None where a rule drops the series. Prometheus also drops
        a series without any label, and refuses the whole scrape if one is without ``__name__``.

    Examples
    --------
    >>> rule = RelabelRule(source_labels=("path",), regex="/users/.*", target_label="path",
    ...                    replacement="/users/:id")
    >>> relabel({"__name__": "hits_total", "path": "/users/7"}, [rule])
    {'__name__': 'hits_total', 'path': '/users/:id'}
    """
    builder = _Builder({k: labels[k] for k in sorted(labels) if labels[k]})
    for rule in rules:
        if not _apply(rule, builder):
            return None
    return builder.labels()


@dataclass(slots=True)
class _Builder:
    """Labels that change: what was there, and what was written since, in that order.

    The order decides which of two labels wins where ``labelmap`` copies both to one name.
    """

    base: dict[str, str]
    added: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """A label's value; empty where it is absent."""
        return self.added.get(name) or self.base.get(name, "")

    def set(self, name: str, value: str) -> None:
        """Write a label; an empty value removes it."""
        self.base.pop(name, None)
        if value:
            self.added[name] = value
        else:
            self.added.pop(name, None)

    def labels(self) -> dict[str, str]:
        """All labels, sorted."""
        return dict(sorted({**self.base, **self.added}.items()))


def _apply(rule: RelabelRule, builder: _Builder) -> bool:
    """Change the labels; False where the series is dropped."""
    names = [*builder.base, *builder.added]
    if rule.action in (Action.LABELDROP, Action.LABELKEEP):
        for name in removed_names(rule, names):
            builder.set(name, "")
        return True
    if rule.action is Action.LABELMAP:
        values = [builder.get(name) for name in names]
        for target, value in zip(mapped_names(rule, names), values, strict=True):
            if target is not None:
                builder.set(target, value)
        return True
    source = rule.separator.join(builder.get(name) for name in rule.source_labels)
    if rule.action in (Action.KEEP, Action.DROP):
        return bool(kept(rule, [source])[0])
    if rule.action in (Action.KEEPEQUAL, Action.DROPEQUAL):
        equal = builder.get(rule.target_label) == source
        return equal is (rule.action is Action.KEEPEQUAL)
    for outcome in written(rule, [source]):
        if outcome is not None:
            builder.set(*outcome)
    return True

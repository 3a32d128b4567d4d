"""Label sets as the language handles them: names dropped, signatures, groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from workbench.samples import Labels

__all__ = ["NAME", "Signature", "grouping", "keep", "signing", "without_metadata"]

NAME: Final = "__name__"

METADATA: Final = frozenset({NAME, "__type__", "__unit__"})
"""The labels that describe the metric itself and go when its meaning changes."""

Signature = tuple[str, ...] | tuple[tuple[str, str], ...]
"""What two series must share to be matched or grouped."""


def without_metadata(labels: Labels) -> Labels:
    """Labels without the metric's name, type and unit."""
    return {k: v for k, v in labels.items() if k not in METADATA}


def keep(labels: Labels, names: Collection[str]) -> Labels:
    """Only the labels named."""
    return {k: v for k, v in labels.items() if k in names}


def signing(names: Sequence[str], *, on: bool) -> Callable[[Labels], Signature]:
    """How series are matched: by the labels named, or by all others but the metric's name."""
    if on:
        ordered = sorted(set(names))
        return lambda labels: tuple([labels.get(n, "") for n in ordered])
    ignored = {*names, NAME}
    return lambda labels: tuple(sorted((k, v) for k, v in labels.items() if k not in ignored))


def grouping(names: Sequence[str], *, without: bool) -> Callable[[Labels], Labels]:
    """What of a series' labels an aggregation keeps."""
    if without:
        dropped = METADATA | set(names)
        return lambda labels: {k: v for k, v in labels.items() if k not in dropped}
    wanted = sorted(set(names))
    return lambda labels: {n: labels[n] for n in wanted if n in labels}

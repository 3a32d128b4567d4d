"""What the scanner must know of a language: one object, filled by that language's package."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.codescan.expressions import Call, Expr
from workbench.codescan.facts import FileFacts
from workbench.codescan.rules import MENDS, RuleTable
from workbench.inventory import DeclaredMetric, LabelValues
from workbench.samples import MetricType

if TYPE_CHECKING:
    from workbench.codescan.evaluating import Evaluator
    from workbench.codescan.program import Here

__all__ = ["Language", "Use"]


@dataclass(frozen=True, slots=True)
class Use:
    """A call that gives a metric's labels their values.

    Parameters
    ----------
    target
        The expression that is the metric (or the description of one).
    named
        Labels given by name: each with its value, and where that stands.
    positional
        Labels given by place; a `Spread` among them stands for several.
    record
        Labels given by a map that is not written out at the call: the scanner looks for it.
    fixed
        Labels whose values a library gives by itself; only those that the metric has are meant.
    type
        What the call says of the metric's type, where the declaration does not.
    open
        Whether other labels may be given too (OpenTelemetry: attributes are not declared).
    certain
        Whether the call can be nothing else: only then is it worth a note if its metric is not
        found.
    curried
        Whether the call makes no child but a metric with fewer labels, to be used further.
    """

    target: Expr
    named: tuple[tuple[str, Expr, Here], ...] = ()
    positional: tuple[Expr, ...] = ()
    record: Expr | None = None
    fixed: tuple[tuple[str, LabelValues], ...] = ()
    type: MetricType | None = None
    open: bool = False
    certain: bool = True
    curried: bool = False


@dataclass(frozen=True)
class Language:
    """A language, as data and four functions.

    Parameters
    ----------
    name, suffixes
        ``go`` and ``(".go",)``.
    words
        What a file must hold to be parsed at all: names of libraries, calls of their children.
    read
        Bytes and path → facts. Imports its grammar itself, so that only languages that occur are
        loaded. Never raises for bad source.
    package_of
        A path → the package it belongs to: files of one package see each other's names.
    imported
        What an import stands for (as in `FileFacts.imports`), the importing file, all packages of the tree → the package that
        is meant, or None where it is not in the tree.
    declaring, using
        Last names of calls that may declare a metric, or give labels their values.
    declare
        Such a call → the metric (without its sites), or None.
    use
        Such a call → the use, or None.
    rules
        What expressions say of their values.
    passing
        Skeletons of calls whose result is as their first argument, or where there is none as what
        they are called on: ``strings.ToLower()``, ``str()``.
    mends
        What to write instead, by kind.
    routes
        Where a route is registered, with its template as the first group.
    beside
        What a library exposes beside a metric that was found: its largest value, for example.
    """

    name: str
    suffixes: tuple[str, ...]
    words: re.Pattern[bytes]
    read: Callable[[bytes, str], FileFacts]
    package_of: Callable[[str], str]
    imported: Callable[[str, str, Collection[str]], str | None]
    declaring: frozenset[str]
    using: frozenset[str]
    declare: Callable[[Call, Here, Evaluator], DeclaredMetric | None]
    use: Callable[[Call, Here, Evaluator], Use | None]
    rules: RuleTable
    passing: re.Pattern[str]
    mends: Mapping[str, str] = field(default_factory=dict)
    routes: re.Pattern[bytes] | None = None
    beside: Callable[[DeclaredMetric], tuple[DeclaredMetric, ...]] | None = None

    def mend(self, kind: str) -> str:
        """What to write instead of values of a kind; ``""`` where nothing is wrong with them."""
        return self.mends.get(kind) or MENDS.get(kind, "")

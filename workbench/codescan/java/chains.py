"""Builders: ``Counter.build().name("x").labelNames("a").register()`` as a root and its links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Call, Expr, Items, Member, Name, Spread
from workbench.codescan.program import Here

__all__ = ["Chain", "Link", "chain_of"]

_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Link:
    """One call of a chain: its name, its arguments, where they stand."""

    name: str
    args: tuple[Expr, ...]
    here: Here


@dataclass(frozen=True, slots=True)
class Chain:
    """A builder's calls.

    Parameters
    ----------
    root
        What the first is called on, written in full: ``io.prometheus.client.Counter``.
    target, here
        The same as an expression, and where it stands.
    links
        The calls, in the order in which they run.
    """

    root: str
    target: Expr
    here: Here
    links: tuple[Link, ...]

    def get(self, *names: str) -> Link | None:
        """The last call of one of these names, or None."""
        return next((link for link in reversed(self.links) if link.name in names), None)

    def all(self, *names: str) -> list[Link]:
        """The calls of these names."""
        return [link for link in self.links if link.name in names]

    def text(self, evaluator: Evaluator, *names: str) -> str:
        """The text given to a call; ``""`` where there is none such."""
        link = self.get(*names)
        return evaluator.text(link.args[0], link.here) if link is not None and link.args else ""

    def numbers(self, evaluator: Evaluator, *names: str) -> tuple[float, ...] | None:
        """The numbers given to a call, one by one or as an array; None where not all are known."""
        link = self.get(*names)
        if link is None:
            return None
        if len(link.args) == 1:
            listed = evaluator.numbers(link.args[0], link.here)
            if listed is not None:
                return listed
        found = [evaluator.number(a, link.here) for a in link.args]
        return tuple(n for n in found if n is not None) if None not in found else None


def chain_of(expr: Expr, here: Here, evaluator: Evaluator) -> Chain:
    """Take a chain of calls apart; builders in variables are followed."""
    links: list[Link] = []
    while len(links) < _LONGEST:
        if isinstance(expr, Name | Member):
            settled, at = evaluator.settle(expr, here)
            if not isinstance(settled, Call):
                break
            links.extend(_statements(expr, here, evaluator))
            expr, here = settled, at
        if not isinstance(expr, Call) or not isinstance(expr.callee, Member):
            break
        links.append(Link(expr.callee.name, expr.args, here))
        expr = expr.callee.of
    links.reverse()
    return Chain(evaluator.skeleton(expr, here), expr, here, tuple(links))


def _statements(expr: Expr, here: Here, evaluator: Evaluator) -> Iterator[Link]:
    """Calls on a builder in a variable that stand alone: ``b.tag("k", v);``."""
    if not isinstance(expr, Name) or not evaluator.tracer.is_local(expr.name, here):
        return
    package = evaluator.program.package_of(here.file)
    for name in ("put", "tag", "tags", "labelNames", "name"):
        for file, fact in reversed(package.calls.get(name, [])):
            callee = fact.call.callee
            same = file is here.file and fact.scope == here.scope and fact.call.start < here.at
            of = callee.of if isinstance(callee, Member) else None
            if same and isinstance(of, Name) and of.name == expr.name:
                yield Link(name, fact.call.args, Here(file, fact.scope, fact.block, here.at))


def listed(args: tuple[Expr, ...], here: Here, evaluator: Evaluator) -> tuple[str, ...] | None:
    """Texts that are given one by one, or as one array or list."""
    if len(args) == 1:
        settled, at = evaluator.settle(args[0], here)
        if isinstance(settled, Items):
            return evaluator.strings(settled, at)
        array = evaluator.tracer.type_of(args[0], here)
        if array.endswith("[]") or array.startswith(("...", "List", "Collection", "Set")):
            return evaluator.strings(args[0], here)
    found = tuple(evaluator.text(a, here) for a in args)
    return None if found == (UNSEEN,) else found


def spread(args: tuple[Expr, ...], here: Here, evaluator: Evaluator) -> tuple[Expr, ...]:
    """Arguments given one by one, or the one array of them as a `Spread`."""
    if len(args) == 1 and not isinstance(args[0], Spread):
        settled, _ = evaluator.settle(args[0], here)
        array = evaluator.tracer.type_of(args[0], here)
        if isinstance(settled, Items) or array.endswith("[]") or array.startswith("..."):
            return (Spread(args[0].start, args[0].end, args[0]),)
    return args

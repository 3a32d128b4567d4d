"""Declarations and the calls that give their labels values, brought together over a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import (
    Call,
    Choice,
    Element,
    Expr,
    Index,
    Items,
    Join,
    Member,
    Name,
    Part,
    Record,
    Spread,
)
from workbench.codescan.judging import Judge
from workbench.codescan.language import Use
from workbench.codescan.program import Here, Program, last_name
from workbench.codescan.tracing import DEEPEST
from workbench.inventory import CallSite, DeclaredMetric, LabelValues, Place
from workbench.samples import MetricType

__all__ = ["Joined", "join"]

Key = tuple[Call, Call | None]
"""A declaration: its call, and the call of the function around it where that tells its name."""


@dataclass(slots=True)
class _Found:
    metric: DeclaredMetric
    sites: dict[Place, CallSite] = field(default_factory=dict)
    type: MetricType | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """What a program declares.

    Parameters
    ----------
    metrics
        Sorted by place and name.
    loose
        Calls that give labels values, of which it is not seen which metric they belong to.
    """

    metrics: tuple[DeclaredMetric, ...]
    loose: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    key: Key
    curried: tuple[tuple[str, LabelValues], ...] = ()


def join(program: Program) -> Joined:
    """Find all declarations and uses in the packages that are loaded, and bring them together."""
    return _Joiner(program).join()


class _Joiner:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._language = program.language
        self._evaluator = Evaluator(program)
        self._judge = Judge(self._evaluator)
        self._found: dict[Key, _Found] = {}
        self._declared: dict[Call, list[Key]] = {}
        self._loose: list[Place] = []

    def join(self) -> Joined:
        for call, here in self._calls(self._language.declaring):
            self._evaluator.refill()
            self._declare(call, here)
        for call, here in self._calls(self._language.using):
            self._evaluator.refill()
            self._use(call, here)
        metrics = [m for f in self._found.values() for m in self._exposed(f)]
        metrics.sort(key=lambda m: (m.place, m.name))
        return Joined(tuple(_distinct(metrics)), tuple(sorted(set(self._loose))))

    def _calls(self, names: frozenset[str]) -> Iterator[tuple[Call, Here]]:
        for package in list(self._program.packages.values()):
            for name in sorted(names & package.calls.keys()):
                for file, fact in package.calls[name]:
                    yield fact.call, Here(file, fact.scope, fact.block, fact.call.start)

    # Declarations.

    def _declare(self, call: Call, here: Here) -> None:
        metric = self._language.declare(call, here, self._evaluator)
        if metric is None:
            return
        frames = [here]
        if not metric.name_exact:
            # A helper that makes metrics: one for each call of it, named there.
            frames = self._tracer_frames(here)
        for at in frames:
            seen = metric if at is here else self._language.declare(call, at, self._evaluator)
            if seen is None:
                continue
            frame = at.frame
            if frame is not None and seen.name == metric.name:
                frame = None
            elif frame is not None:
                seen = replace(seen, place=frame.here.file.place(frame.call.start))
            key = (call, frame.call if frame is not None else None)
            if key not in self._found:
                self._found[key] = _Found(seen)
                self._declared.setdefault(call, []).append(key)

    def _tracer_frames(self, here: Here) -> list[Here]:
        return self._evaluator.tracer.frames(here)

    # Uses.

    def _use(self, call: Call, here: Here) -> None:
        use = self._language.use(call, here, self._evaluator)
        if use is None or use.curried:
            return
        targets = self._targets(use.target, here)
        if targets:
            for target in targets:
                self._attach(target, use, here)
            return
        attached = False
        for at in self._tracer_frames(here):
            # The metric is a parameter: what the callers give for it.
            seen = self._language.use(call, at, self._evaluator) if at.frame is not None else None
            if seen is None:
                continue
            for target in self._targets(seen.target, at):
                self._evaluator.refill()
                self._attach(target, seen, at)
                attached = True
        if not attached and use.certain:
            self._loose.append(here.file.place(call.start))

    def _attach(self, target: _Target, use: Use, here: Here) -> None:
        found = self._found[target.key]
        found.type = found.type or use.type
        values = dict(target.curried)
        labels = tuple(n for n in found.metric.labels if n not in values)
        values.update(self._given(use, labels, here))
        if not values:
            return
        for site in found.metric.sites:
            values.update((n, v) for n, v in site.values.items() if n not in values)
        place = here.file.place(use.target.start)
        if here.frame is not None:
            frame = here.frame
            place = frame.here.file.place(frame.call.start)
        known = found.sites.get(place)
        if known is not None:
            for label, before in known.values.items():
                values[label] = before.merged(values[label]) if label in values else before
        found.sites[place] = CallSite(place, values)

    def _given(
        self, use: Use, labels: tuple[str, ...], here: Here
    ) -> Iterator[tuple[str, LabelValues]]:
        pairs: list[tuple[str, Expr, Here]] = list(use.named)
        if use.record is not None:
            pairs.extend(self._record(use.record, here))
        pairs.extend(
            (n, e, at)
            for n, (e, at) in zip(labels, self._positional(use.positional, here), strict=False)
        )
        yield from ((n, v) for n, v in use.fixed if n in labels)
        for name, expr, at in pairs:
            if name and name != UNSEEN:
                yield name, self._judge.of_label(name, expr, at)

    def _positional(self, given: tuple[Expr, ...], here: Here) -> Iterator[tuple[Expr, Here]]:
        for expr in given:
            if not isinstance(expr, Spread):
                yield expr, here
                continue
            value, at = self._evaluator.settle(expr.of, here)
            if not isinstance(value, Items):
                return
            yield from self._positional(value.items, at)

    def _record(self, expr: Expr, here: Here) -> list[tuple[str, Expr, Here]]:
        value, at = self._evaluator.settle(expr, here)
        if not isinstance(value, Record):
            return []
        return [(self._evaluator.text(k, at), v, at) for k, v in value.pairs]

    # Which metric an expression is.

    def _targets(self, expr: Expr, here: Here, depth: int = 0) -> list[_Target]:
        if depth > DEEPEST or not self._evaluator.spend():
            return []
        if isinstance(expr, Call):
            return self._targets_of_call(expr, here, depth)
        if isinstance(expr, Index | Element | Part):
            return self._targets_inside(expr, here, depth)
        if isinstance(expr, Name):
            origin = self._evaluator.tracer.origin(expr, here)
            values = list(origin.values) if origin is not None else []
            values += self._filled(expr.name, here)
            return self._all(iter(values), depth + 1)
        if isinstance(expr, Member):
            return self._targets_of_member(expr, here, depth)
        return self._all(((e, here) for e in _contents(expr)), depth + 1)

    def _all(self, values: Iterator[tuple[Expr, Here]], depth: int = 0) -> list[_Target]:
        result: dict[Key, _Target] = {}
        for value, at in values:
            for target in self._targets(value, at, depth):
                result.setdefault(target.key, target)
        return list(result.values())

    def _filled(self, name: str, here: Here) -> Iterator[tuple[Expr, Here]]:
        """What is put into a map or list by index: ``m[k] = v``."""
        for file, binding in self._program.package_of(here.file).elements.get(name, []):
            if binding.value is not None:
                yield binding.value, here.binding(file, binding)

    def _targets_of_call(self, call: Call, here: Here, depth: int) -> list[_Target]:
        if call in self._declared:
            keys = self._declared[call]
            frame = here.frame
            if frame is not None and (call, frame.call) in keys:
                return [_Target((call, frame.call))]
            return [_Target(k) for k in keys]
        if last_name(call.callee) in self._language.using:
            use = self._language.use(call, here, self._evaluator)
            if use is not None and use.curried:
                return [self._curried(t, use, here) for t in self._targets(use.target, here, depth)]
        found = list(self._evaluator.results(call, here))
        if found:
            return self._all(iter(found), depth + 1)
        # A call that is not known may hand on what it is called on, or given: X.register(), must(X).
        inner = [call.callee.of] if isinstance(call.callee, Member) else []
        return self._all(((e, here) for e in [*inner, *call.args[:1]]), depth + 1)

    def _curried(self, target: _Target, use: Use, here: Here) -> _Target:
        labels = self._found[target.key].metric.labels
        taken = dict(target.curried)
        free = tuple(n for n in labels if n not in taken)
        return _Target(target.key, (*target.curried, *self._given(use, free, here)))

    def _targets_inside(
        self, expr: Index | Element | Part, here: Here, depth: int
    ) -> list[_Target]:
        if isinstance(expr, Part) and isinstance(expr.of, Call):
            found = list(self._evaluator.results(expr.of, here, expr.index))
            if found:
                return self._all(iter(found), depth + 1)
        return self._targets(expr.of, here, depth + 1)

    def _targets_of_member(self, expr: Member, here: Here, depth: int) -> list[_Target]:
        origin = self._evaluator.tracer.origin(expr, here)
        if origin is not None and origin.values:
            return self._all(iter(origin.values), depth + 1)
        package = self._program.package_of(here.file)
        fields = package.fields.get(expr.name, [])
        if not fields:
            homes = [p for p in self._program.packages.values() if expr.name in p.fields]
            fields = homes[0].fields[expr.name] if len(homes) == 1 else []
        owner = self._evaluator.tracer.type_of(expr.of, here).lstrip("*&")
        fields = [f for f in fields if f[1].owner == owner and owner] or fields
        values = [
            (b.value, Here(f, b.scope, b.block, b.value.start))
            for f, b in fields
            if b.value is not None
        ]
        values += self._filled(expr.name, here)
        return self._all(iter(values), depth + 1)

    # The end.

    def _exposed(self, found: _Found) -> tuple[DeclaredMetric, ...]:
        metric, beside = self._finished(found), self._language.beside
        return (metric, *(beside(metric) if beside is not None else ()))

    def _finished(self, found: _Found) -> DeclaredMetric:
        metric = found.metric
        sites = tuple(found.sites[p] for p in sorted(found.sites)) or metric.sites
        labels = metric.labels
        extra = dict.fromkeys(name for s in sites for name in s.values if name not in labels)
        if not metric.labels_exact:
            labels = tuple(n for n in labels if n != UNSEEN) + tuple(extra)
        type_ = metric.type
        if type_ is MetricType.UNKNOWN and found.type is not None:
            type_ = found.type
        return replace(metric, labels=labels, sites=sites, type=type_)


def _contents(expr: Expr) -> tuple[Expr, ...]:
    """What stands in a literal, or what one of is chosen."""
    if isinstance(expr, Items):
        return expr.items
    if isinstance(expr, Record):
        return tuple(v for _, v in expr.pairs)
    if isinstance(expr, Choice):
        return expr.options
    return expr.parts if isinstance(expr, Join) else ()


def _distinct(metrics: list[DeclaredMetric]) -> Iterator[DeclaredMetric]:
    seen: set[tuple[Place, str]] = set()
    for metric in metrics:
        if (metric.place, metric.name) not in seen:
            seen.add((metric.place, metric.name))
            yield metric

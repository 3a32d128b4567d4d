"""Java: Prometheus' two clients, Micrometer and OpenTelemetry."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from workbench.codescan.evaluating import Evaluator
from workbench.codescan.expressions import Call
from workbench.codescan.facts import FileFacts
from workbench.codescan.java import micrometer, otel, prometheus
from workbench.codescan.java.rules import MENDS, PASSING, ROUTES, RULES
from workbench.codescan.language import Language, Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import DeclaredMetric

__all__ = ["JAVA"]


def _read(source: bytes, path: str) -> FileFacts:
    from workbench.codescan.java.reader import read

    return read(source, path)


def _file(path: str) -> str:
    return path


def _imported(said: str, path: str, packages: Collection[str]) -> str | None:
    """The file of a class: by its full name, or beside the file, or the only one of its name."""
    head, mark, name = said.partition("#")
    tail = head.rpartition(".")[2]
    if mark and not tail[:1].isupper():
        beside = f"{path.rpartition('/')[0]}/{name}.java".lstrip("/")
        if beside in packages:
            return beside
        named = [p for p in packages if p.endswith(f"/{name}.java") or p == f"{name}.java"]
        return named[0] if len(named) == 1 else None
    parts = head.split(".")
    while len(parts) > 1 or (parts and parts[0]):
        # A class inside another stands in the outer one's file.
        end = "/".join(parts) + ".java"
        found = [p for p in packages if p == end or p.endswith(f"/{end}")]
        if found:
            home = path.split("/", 1)[0]
            return min(found, key=lambda p: (p.split("/", 1)[0] != home, len(p), p))
        if len(parts) < 2 or not parts[-2][:1].isupper():
            return None
        parts.pop()
    return None


def _declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    name = last_name(call.callee)
    metric = None
    if name in prometheus.DECLARING:
        metric = prometheus.declare(call, here, evaluator)
    if metric is None and name in otel.DECLARING:
        metric = otel.declare(call, here, evaluator)
    if metric is None and name in micrometer.DECLARING:
        metric = micrometer.declare(call, here, evaluator)
    return metric


def _use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    name = last_name(call.callee)
    if name in prometheus.USING:
        return prometheus.use(call, here, evaluator)
    if name in otel.USING:
        return otel.use(call, here, evaluator)
    return micrometer.use(call, here, evaluator)


JAVA: Final = Language(
    name="java",
    suffixes=(".java",),
    words=re.compile(prometheus.WORDS + b"|" + micrometer.WORDS + b"|" + otel.WORDS),
    read=_read,
    package_of=_file,
    imported=_imported,
    declaring=prometheus.DECLARING | micrometer.DECLARING | otel.DECLARING,
    using=prometheus.USING | micrometer.USING | otel.USING,
    declare=_declare,
    use=_use,
    rules=RULES,
    passing=PASSING,
    mends=MENDS,
    routes=ROUTES,
    beside=micrometer.beside,
)

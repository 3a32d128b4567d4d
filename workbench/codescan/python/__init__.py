"""Python: its Prometheus client and OpenTelemetry's."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from workbench.codescan.evaluating import Evaluator
from workbench.codescan.expressions import Call
from workbench.codescan.facts import FileFacts
from workbench.codescan.language import Language, Use
from workbench.codescan.program import Here, last_name
from workbench.codescan.python import otel, prometheus_client
from workbench.codescan.python.rules import MENDS, PASSING, ROUTES, RULES
from workbench.inventory import DeclaredMetric

__all__ = ["PYTHON"]


def _read(source: bytes, path: str) -> FileFacts:
    import tree_sitter
    import tree_sitter_python

    from workbench.codescan.python.reader import PythonReader

    return PythonReader(source, path).read(tree_sitter.Language(tree_sitter_python.language()))


def _file(path: str) -> str:
    return path


def _imported(said: str, path: str, packages: Collection[str]) -> str | None:
    """The file that a dotted name means: a module, or the one that holds a name."""
    module, _, name = said.partition("#")
    dots = len(module) - len(module.lstrip("."))
    parts = [p for p in module.split(".") if p]
    folders = path.split("/")[:-1]
    if dots:
        home = folders[: len(folders) - dots + 1]
        starts = ["/".join(home)]
    else:
        # Absolute names start at some folder above the file: the nearest is tried first.
        starts = ["/".join(folders[:i]) for i in range(len(folders), -1, -1)]
    for start in starts:
        for names in ([*parts, name] if name else parts, parts):
            stem = "/".join(p for p in (start, *names) if p)
            for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
                if candidate in packages:
                    return candidate
    return None


def _declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if last_name(call.callee) in otel.DECLARING:
        return otel.declare(call, here, evaluator)
    return prometheus_client.declare(call, here, evaluator)


def _use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    if last_name(call.callee) in otel.USING:
        return otel.use(call, here, evaluator)
    return prometheus_client.use(call, here)


PYTHON: Final = Language(
    name="python",
    suffixes=(".py",),
    words=re.compile(prometheus_client.WORDS + b"|" + otel.WORDS),
    read=_read,
    package_of=_file,
    imported=_imported,
    declaring=prometheus_client.DECLARING | otel.DECLARING,
    using=prometheus_client.USING | otel.USING,
    declare=_declare,
    use=_use,
    rules=RULES,
    passing=PASSING,
    mends=MENDS,
    routes=ROUTES,
)

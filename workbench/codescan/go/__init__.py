"""Go: its Prometheus client and OpenTelemetry's."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from workbench.codescan.evaluating import Evaluator
from workbench.codescan.expressions import Call
from workbench.codescan.facts import FileFacts
from workbench.codescan.go import client_golang, otel
from workbench.codescan.go.rules import MENDS, PASSING, ROUTES, RULES
from workbench.codescan.language import Language, Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import DeclaredMetric

__all__ = ["GO"]


def _read(source: bytes, path: str) -> FileFacts:
    import tree_sitter
    import tree_sitter_go

    from workbench.codescan.go.reader import GoReader

    return GoReader(source, path).read(tree_sitter.Language(tree_sitter_go.language()))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _imported(said: str, path: str, packages: Collection[str]) -> str | None:
    """The folder of the tree whose path is the longest end of an import's path.

    The last part alone is not enough, unless a folder of the tree's root is called so: many
    packages are called ``metrics``.
    """
    parts = said.split("/")
    for i in range(len(parts)):
        end = "/".join(parts[i:])
        if end in packages:
            return end
        if i == len(parts) - 1:
            break
        nested = [p for p in packages if p.endswith(f"/{end}")]
        if nested:
            # Of several trees side by side, the one in which the importing file stands.
            home = path.split("/", 1)[0]
            return min(nested, key=lambda p: (p.split("/", 1)[0] != home, len(p), p))
    return None


def _declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if last_name(call.callee) in otel.DECLARING:
        return otel.declare(call, here, evaluator)
    return client_golang.declare(call, here, evaluator)


def _use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    if last_name(call.callee) in otel.USING:
        return otel.use(call, here, evaluator)
    return client_golang.use(call, here, evaluator)


GO: Final = Language(
    name="go",
    suffixes=(".go",),
    words=re.compile(client_golang.WORDS + b"|" + otel.WORDS),
    read=_read,
    package_of=_folder,
    imported=_imported,
    declaring=client_golang.DECLARING | otel.DECLARING,
    using=client_golang.USING | otel.USING,
    declare=_declare,
    use=_use,
    rules=RULES,
    passing=PASSING,
    mends=MENDS,
    routes=ROUTES,
)

"""JavaScript and TypeScript: prom-client and OpenTelemetry.

Both are one language here: their files import each other, and say the same in the same words.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from typing import Final

from workbench.codescan.evaluating import Evaluator
from workbench.codescan.expressions import Call
from workbench.codescan.facts import FileFacts
from workbench.codescan.javascript import otel, prom_client
from workbench.codescan.javascript.rules import MENDS, PASSING, ROUTES, RULES
from workbench.codescan.language import Language, Use
from workbench.codescan.program import Here, last_name
from workbench.inventory import DeclaredMetric

__all__ = ["JAVASCRIPT"]

_SUFFIXES: Final = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")


def _read(source: bytes, path: str) -> FileFacts:
    from workbench.codescan.javascript.reader import read

    return read(source, path)


def _file(path: str) -> str:
    return path


def _imported(said: str, path: str, packages: Collection[str]) -> str | None:
    """The file of a relative module, or of one below a folder that the compiler maps to ``@/``."""
    module = said.partition("#")[0]
    if module.startswith("."):
        stem = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
        return _module(stem, packages)
    mapped = re.match(r"^(?:[@~]/|src/)(.+)$", module)
    if mapped is None:
        return None
    folders = path.split("/")[:-1]
    for i in range(len(folders), -1, -1):
        for home in ("src", ""):
            found = _module("/".join([*folders[:i], home, mapped[1]]).replace("//", "/"), packages)
            if found is not None:
                return found
    return None


def _module(stem: str, packages: Collection[str]) -> str | None:
    stem = stem.strip("/")
    if stem in packages:
        return stem
    # TypeScript imports "./a.js" where it means "./a.ts".
    plain = re.sub(r"\.[cm]?jsx?$", "", stem)
    for start in dict.fromkeys((stem, plain)):
        for end in (*_SUFFIXES, *(f"/index{s}" for s in _SUFFIXES)):
            if start + end in packages:
                return start + end
    return None


def _declare(call: Call, here: Here, evaluator: Evaluator) -> DeclaredMetric | None:
    if last_name(call.callee) in otel.DECLARING:
        return otel.declare(call, here, evaluator)
    return prom_client.declare(call, here, evaluator)


def _use(call: Call, here: Here, evaluator: Evaluator) -> Use | None:
    name = last_name(call.callee)
    if name in otel.USING:
        found = otel.use(call, here, evaluator)
        if found is not None or name not in prom_client.USING:
            return found
    return prom_client.use(call, here, evaluator)


JAVASCRIPT: Final = Language(
    name="javascript",
    suffixes=_SUFFIXES,
    words=re.compile(prom_client.WORDS + b"|" + otel.WORDS),
    read=_read,
    package_of=_file,
    imported=_imported,
    declaring=prom_client.DECLARING | otel.DECLARING,
    using=prom_client.USING | otel.USING,
    declare=_declare,
    use=_use,
    rules=RULES,
    passing=PASSING,
    mends=MENDS,
    routes=ROUTES,
)
